"""Comparisons of versions in words."""

from __future__ import annotations

from prodapp.formatting import integer, plain_number, sentence
from prodapp.i18n import gettext as _
from prodapp.i18n import ngettext
from prodapp.versions.comparison import Comparison


def who_is_better(found: Comparison) -> str:
    """Whether one version is better than the other beyond the noise, or why that cannot be told."""
    duel = found.duel
    if duel is None:
        return sentence(found.reason, found.params)
    told = {"n": integer(duel["n"]), "gain": plain_number(abs(duel["gain"]))}
    if duel["is_better"] or duel["is_worse"]:
        better, worse = found.second, found.first
        ends = (duel["low"], duel["high"])
        if duel["is_worse"]:
            better, worse, ends = worse, better, (-duel["high"], -duel["low"])
        return _(
            "Version %(better)s is better than version %(worse)s beyond the noise: on the same "
            "%(n)s held-out samples its R² is %(gain)s higher (%(low)s to %(high)s).",
            better=better.number,
            worse=worse.number,
            low=plain_number(ends[0]),
            high=plain_number(ends[1]),
            **told,
        )
    return _(
        "Neither is better beyond the noise: on the same %(n)s held-out samples the R² of version "
        "%(second)s lies between %(low)s and %(high)s above that of version %(first)s.",
        n=told["n"],
        first=found.first.number,
        second=found.second.number,
        low=plain_number(duel["low"]),
        high=plain_number(duel["high"]),
    )


def what_moved(found: Comparison) -> str:
    """How many variables moved in the ranking further than their places are sure."""
    judged = [moved for moved in found.ranking if moved.is_beyond is not None]
    beyond = [moved.feature for moved in judged if moved.is_beyond]
    if not judged:
        return _("How sure the places are was not judged in both versions.")
    if not beyond:
        return _("No variable moved further in the ranking than its place is sure.")
    return ngettext(
        "%(num)s variable moved beyond its possible ranks: %(names)s.",
        "%(num)s variables moved beyond their possible ranks: %(names)s.",
        len(beyond),
        names=", ".join(beyond),
    )
