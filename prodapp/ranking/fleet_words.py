"""One variable over sister machines, in plain sentences."""

from __future__ import annotations

from prodapp.formatting import integer, percent
from prodapp.i18n import gettext as _
from prodapp.i18n import ngettext
from prodapp.ranking.fleet import Fleet, Sister
from prodapp.ranking.sentences import direction_words, verdict_words

_MAX_NAMED = 5


def summary(fleet: Fleet) -> list[str]:
    """What all machines together tell of the variable: one to four sentences."""
    if not fleet.sisters:
        return [
            _(
                "No machine's version in use has a variable named %(variable)s.",
                variable=fleet.variable,
            )
        ]
    told = [_counted(fleet)]
    if len(fleet.sisters) > 1:
        told += [words for words in (_directions(fleet), _strengths(fleet)) if words]
    if len({sister.subject for sister in fleet.sisters}) > 1:
        told.append(
            _("The machines explain different targets: each direction is of the machine's own.")
        )
    return told


def of_sister(sister: Sister, variable: str) -> str:
    """What one machine tells of the variable."""
    if not sister.explains:
        return _(
            "The version in use does not explain %(target)s, so it tells nothing of %(variable)s.",
            target=sister.subject,
            variable=variable,
        )
    way = direction_words(
        sister.direction, variable=variable, target=sister.subject, has_order=sister.has_order
    )
    if sister.trust is None:
        return _("%(direction)s Whether it is real was not judged.", direction=way)
    verdict = verdict_words(sister.trust, variable=variable, target=sister.subject)
    return verdict if sister.trust.verdict == "noise" else f"{verdict} {way}"


def _counted(fleet: Fleet) -> str:
    names = {"variable": fleet.variable}
    if len(fleet.sisters) == 1:
        return _(
            "Only %(machine)s has %(variable)s in its version in use, so there is nothing to "
            "compare it with yet.",
            machine=fleet.sisters[0].machine.name,
            **names,
        )
    judged = [s.trust.verdict for s in fleet.sisters if s.explains and s.trust is not None]
    sentence = _(
        "%(variable)s is in the versions in use of %(n)s machines: real on %(real)s, uncertain on "
        "%(uncertain)s, noise on %(noise)s.",
        n=integer(fleet.n_machines),
        real=integer(judged.count("real")),
        uncertain=integer(judged.count("uncertain")),
        noise=integer(judged.count("noise")),
        **names,
    )
    n_silent = fleet.n_machines - len(judged)
    if not n_silent:
        return sentence
    rest = ngettext(
        "%(num)s machine does not count: it was not judged there, or nothing is explained.",
        "%(num)s machines do not count: it was not judged there, or nothing is explained.",
        n_silent,
    )
    return f"{sentence} {rest}"


def _directions(fleet: Fleet) -> str | None:
    ways = {
        way: [s for s in fleet.sisters if s.is_real and s.direction == way]
        for way in ("increases", "decreases", "nonmonotonic")
    }
    up, down = ways["increases"], ways["decreases"]
    if up and down:
        return _(
            "Where it is real, raising it tends to raise the target on %(up)s and to lower it on "
            "%(down)s: what helps one may harm another.",
            up=_named(up),
            down=_named(down),
        )
    n_real = sum(map(len, ways.values()))
    if n_real > 1 and len(up) == n_real:
        return _("Wherever it is real, raising it tends to raise the target.")
    if n_real > 1 and len(down) == n_real:
        return _("Wherever it is real, raising it tends to lower the target.")
    return None


def _strengths(fleet: Fleet) -> str | None:
    if sum(s.counts and s.gain is not None for s in fleet.sisters) < 2:
        return None
    if fleet.apart is None:
        return _("How much it explains does not surely differ between any two of them.")
    strong, weak = fleet.apart
    return _(
        "It surely explains more on %(strong)s (%(strong_gain)s) than on %(weak)s "
        "(%(weak_gain)s): by itself, of the variation of the target, with 95%% confidence.",
        strong=strong.machine.name,
        weak=weak.machine.name,
        strong_gain=gain_words(strong),
        weak_gain=gain_words(weak),
    )


def gain_words(sister: Sister) -> str:
    """What the variable alone explains on a machine, with its bounds."""
    found = sister.trust
    if found is None:
        return _("not judged")
    if found.low is None or found.high is None:
        return _("too few samples to tell")
    return _(
        "%(gain)s; %(low)s to %(high)s",
        gain=percent(max(found.gain, 0.0), 1),
        low=percent(max(found.low, 0.0), 1),
        high=percent(max(found.high, 0.0), 1),
    )


def rank_words(sister: Sister) -> str:
    """The rank on a machine, with the ranks that are possible."""
    rank = _("%(rank)s of %(n)s", rank=sister.rank, n=sister.n_variables)
    found = sister.trust
    if found is None or found.rank_low == found.rank_high:
        return rank
    return _("%(rank)s (%(low)s to %(high)s)", rank=rank, low=found.rank_low, high=found.rank_high)


def _named(sisters: list[Sister]) -> str:
    listed = ", ".join(sister.machine.name for sister in sisters[:_MAX_NAMED])
    n_more = len(sisters) - _MAX_NAMED
    if n_more <= 0:
        return listed
    return ngettext(
        "%(listed)s and %(num)s more", "%(listed)s and %(num)s more", n_more, listed=listed
    )
