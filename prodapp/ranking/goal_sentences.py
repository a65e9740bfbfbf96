"""The answer to a goal in one plain sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prodapp.formatting import integer, number
from prodapp.i18n import gettext as _
from prodapp.models import ModelVersion
from prodapp.ranking import goals
from prodapp.ranking.goals import Answer, Bound, Proposal
from prodapp.ranking.levers import Window, window_words
from prodapp.ranking.sentences import subject


def goal_sentence(version: ModelVersion, answer: Answer) -> str:
    """What the data support, with its interval, or why they support nothing."""
    names = {"target": subject(version)}
    if answer.best is None:
        return _NOTHING[answer.code](names | _asked(answer))
    figures = names | _asked(answer) | _figures(answer.best)
    words = _FOUND[answer.code]
    if answer.code == goals.BETTER and answer.sense == "hold":
        words = _nearer
    elif answer.code == goals.BETTER and answer.target is not None:
        words = _not_that_far
    return words(figures)


def settings_words(bounds: tuple[Bound, ...]) -> str:
    """The values of all levers of a region, as part of a sentence."""
    said = [f"{bound.variable} {bound_words(bound)}" for bound in bounds]
    if len(said) == 1:
        return said[0]
    return _("%(several)s and %(last)s", several=", ".join(said[:-1]), last=said[-1])


def bound_words(bound: Bound) -> str:
    """The values of one lever, as part of a sentence."""
    return window_words(Window(bound.low, bound.high, bound.level, 0, 0, 0.0, 0.0, 0.0))


def _asked(answer: Answer) -> dict[str, Any]:
    return {"value": "" if answer.target is None else number(answer.target, 4)}


def _figures(best: Proposal) -> dict[str, Any]:
    return {
        "settings": settings_words(best.bounds),
        "before": number(best.before, 4),
        "expected": number(best.expected, 4),
        "low": number(best.expected_low, 4),
        "high": number(best.expected_high, 4),
        "gain": number(best.gain),
        "gain_low": number(best.gain_low),
        "gain_high": number(best.gain_high),
        "n": integer(best.n),
    }


def _sure(figures: Mapping[str, Any]) -> str:
    return _(
        "With %(settings)s, the mean of %(target)s is expected at %(expected)s (%(low)s to "
        "%(high)s, 95%% sure, %(n)s rows): all of that is at %(value)s or better. As it was run, "
        "it was %(before)s. Association, not cause: try it first.",
        **figures,
    )


def _expected(figures: Mapping[str, Any]) -> str:
    return _(
        "With %(settings)s, the mean of %(target)s is expected at %(expected)s, which is %(value)s "
        "or better, but it may fall short (%(low)s to %(high)s, 95%% sure, %(n)s rows). As it was "
        "run, it was %(before)s. Association, not cause: try it first.",
        **figures,
    )


def _better(figures: Mapping[str, Any]) -> str:
    return _(
        "The best that the data support: with %(settings)s, the mean of %(target)s is expected at "
        "%(expected)s (%(low)s to %(high)s, 95%% sure, %(n)s rows) instead of %(before)s. "
        "Association, not cause: try it first.",
        **figures,
    )


def _not_that_far(figures: Mapping[str, Any]) -> str:
    return _(
        "The data do not support %(value)s. The best that they do: with %(settings)s, the mean of "
        "%(target)s is expected at %(expected)s (%(low)s to %(high)s, 95%% sure, %(n)s rows) "
        "instead of %(before)s. Association, not cause: try it first.",
        **figures,
    )


def _nearer(figures: Mapping[str, Any]) -> str:
    return _(
        "The best that the data support: with %(settings)s, %(target)s is expected to be nearer to "
        "%(value)s by %(gain)s (%(gain_low)s to %(gain_high)s, 95%% sure, %(n)s rows). "
        "Association, not cause: try it first.",
        **figures,
    )


def _unsupported(figures: Mapping[str, Any]) -> str:
    return _(
        "The data support no settings for that: of all combinations of levers that were run often "
        "enough, none is surely better for %(target)s than how the machine was run.",
        **figures,
    )


def _already(figures: Mapping[str, Any]) -> str:
    return _(
        "The mean of %(target)s is there already as the machine is run: %(value)s asks for no "
        "change.",
        **figures,
    )


def _nothing_explained(figures: Mapping[str, Any]) -> str:
    return _(
        "This version explains nothing of %(target)s, so there is no gain to promise.", **figures
    )


def _old_version(_figures: Mapping[str, Any]) -> str:
    return _("This version was trained before goals could be sought. Train it again.")


def _no_levers(_figures: Mapping[str, Any]) -> str:
    return _(
        "No column was said to be a lever. Say which ones operators can set when you check the "
        "next file; the training after that compares their settings."
    )


def _no_sense(figures: Mapping[str, Any]) -> str:
    return _(
        "Nobody said what is wanted of %(target)s. Give a value, or choose whether to raise or to "
        "lower it.",
        **figures,
    )


def _all_noise(figures: Mapping[str, Any]) -> str:
    return _(
        "All levers are noise for %(target)s: setting them otherwise is not expected to change it.",
        **figures,
    )


def _too_few_rows(_figures: Mapping[str, Any]) -> str:
    return _(
        "No settings of the levers were run often enough to compare them: 40 rows are the least, "
        "and others like them must have been run otherwise."
    )


Words = Callable[[Mapping[str, Any]], str]
_FOUND: Mapping[str, Words] = {
    goals.SURE: _sure,
    goals.EXPECTED: _expected,
    goals.BETTER: _better,
}
_NOTHING: Mapping[str, Words] = {
    goals.UNSUPPORTED: _unsupported,
    goals.ALREADY: _already,
    goals.NOTHING_EXPLAINED: _nothing_explained,
    goals.OLD_VERSION: _old_version,
    goals.NO_LEVERS: _no_levers,
    goals.NO_SENSE: _no_sense,
    goals.ALL_NOISE: _all_noise,
    goals.TOO_FEW_ROWS: _too_few_rows,
}
