"""What changed between two versions, in plain sentences."""

from __future__ import annotations

from prodapp.formatting import integer, number, percent
from prodapp.i18n import gettext as _
from prodapp.ranking.sentences import subject, verdict_word
from prodapp.versions.changes import Change, Span
from prodapp.versions.comparison import Comparison


def change_sentences(found: Comparison) -> list[str]:
    """One sentence a change; one that says why where there is none."""
    told = found.changes
    if told is None:
        return [_silence(found)]
    if not told:
        return [
            _(
                "Nothing that they say of the variables has surely changed: wherever both were "
                "judged, their intervals meet."
            )
        ]
    return [change_sentence(found, change) for change in told]


def change_sentence(found: Comparison, change: Change) -> str:
    """One change: what was said, and what is said now."""
    names = {
        "variable": change.feature,
        "target": subject(found.second),
        "first": found.first.number,
        "second": found.second.number,
    }
    sentences = {
        "rank": _rank,
        "verdict": _verdict,
        "gain": _gain,
        "direction": _direction,
        "effect": _effect,
    }
    return sentences[change.kind](change, names)


def _silence(found: Comparison) -> str:
    if not all(version.metrics["explains"] for version in (found.first, found.second)):
        return _("One of them explains nothing, so what it says of the variables does not count.")
    return _("They explain different targets, so what they say of the variables is not compared.")


def _rank(change: Change, names: dict[str, object]) -> str:
    first, second = _both(change.first.ranks, change.second.ranks)
    values = {
        **names,
        "before": integer(first.value),
        "before_range": _ranks(first),
        "now": integer(second.value),
        "now_range": _ranks(second),
    }
    if second.value < first.value:
        return _(
            "%(variable)s moved up: rank %(before)s in version %(first)s (%(before_range)s), "
            "%(now)s in version %(second)s (%(now_range)s).",
            **values,
        )
    return _(
        "%(variable)s moved down: rank %(before)s in version %(first)s (%(before_range)s), "
        "%(now)s in version %(second)s (%(now_range)s).",
        **values,
    )


def _verdict(change: Change, names: dict[str, object]) -> str:
    return _(
        "The verdict on %(variable)s changed from “%(before)s” in version %(first)s to “%(now)s” "
        "in version %(second)s: alone it explained %(before_gain)s of the variation of "
        "%(target)s, now %(now_gain)s.",
        before=verdict_word(change.first.verdict or ""),
        now=verdict_word(change.second.verdict or ""),
        **_gains(change),
        **names,
    )


def _gain(change: Change, names: dict[str, object]) -> str:
    first, second = _both(change.first.gain, change.second.gain)
    if second.value > first.value:
        return _(
            "%(variable)s alone surely explains more of the variation of %(target)s than before: "
            "%(before_gain)s in version %(first)s, %(now_gain)s in version %(second)s.",
            **_gains(change),
            **names,
        )
    return _(
        "%(variable)s alone surely explains less of the variation of %(target)s than before: "
        "%(before_gain)s in version %(first)s, %(now_gain)s in version %(second)s.",
        **_gains(change),
        **names,
    )


def _direction(change: Change, names: dict[str, object]) -> str:
    if change.second.direction == "increases":
        return _(
            "%(variable)s has turned: raising it tended to lower %(target)s in version %(first)s "
            "and tends to raise it in version %(second)s; both curves surely slope.",
            **names,
        )
    return _(
        "%(variable)s has turned: raising it tended to raise %(target)s in version %(first)s and "
        "tends to lower it in version %(second)s; both curves surely slope.",
        **names,
    )


def _effect(change: Change, names: dict[str, object]) -> str:
    first, second = _both(change.first.reach, change.second.reach)
    values = {**names, "before": _reach(first), "now": _reach(second)}
    if second.value > first.value:
        return _(
            "Over its values, %(variable)s surely moves %(target)s further than before: by "
            "%(before)s in version %(first)s, by %(now)s in version %(second)s.",
            **values,
        )
    return _(
        "Over its values, %(variable)s surely moves %(target)s less far than before: by "
        "%(before)s in version %(first)s, by %(now)s in version %(second)s.",
        **values,
    )


def _both(first: Span | None, second: Span | None) -> tuple[Span, Span]:
    """Both spans of a change, which is only called where both are known."""
    if first is None or second is None:
        raise ValueError("a change of something that was not judged")
    return first, second


def _gains(change: Change) -> dict[str, str]:
    first, second = _both(change.first.gain, change.second.gain)
    return {"before_gain": _share(first), "now_gain": _share(second)}


def _share(span: Span) -> str:
    value, low, high = (percent(max(end, 0.0), 1) for end in (span.value, span.low, span.high))
    return _("%(value)s (%(low)s to %(high)s)", value=value, low=low, high=high)


def _reach(span: Span) -> str:
    value, low, high = (number(end) for end in (span.value, span.low, span.high))
    return _("%(value)s (%(low)s to %(high)s)", value=value, low=low, high=high)


def _ranks(span: Span) -> str:
    if span.low == span.high:
        return _("sure")
    return _("%(low)s to %(high)s", low=integer(span.low), high=integer(span.high))
