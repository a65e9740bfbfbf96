"""Windows of operation as a version keeps them, with one sentence for each lever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prodapp.formatting import integer, number
from prodapp.i18n import gettext as _
from prodapp.models import ModelVersion
from prodapp.ranking.sentences import subject
from prodapp.ranking.trust import trust


@dataclass(frozen=True)
class Window:
    """Values of a lever, both ends included, or one ``level`` of it.

    ``gain`` is what is expected to be won in the target's unit against the production as it was:
    a rise, a fall, or how much nearer to the goal; its bounds hold for all windows of the lever at
    once with 95 %. It is of the ``n_compared`` rows whose like were run in it; ``n`` of them were.
    """

    low: float | None
    high: float | None
    level: str | None
    n: int
    n_compared: int
    gain: float
    gain_low: float
    gain_high: float


@dataclass(frozen=True)
class Lever:
    """The windows of one lever. ``best`` is the one to try, None where none is surely better."""

    variable: str
    sense: str
    goal: float | None
    windows: tuple[Window, ...]
    best: Window | None
    sentence: str


def levers(version: ModelVersion) -> list[Lever]:
    """The levers of a version; none of noise, and none where nothing is explained."""
    if not version.metrics["explains"]:
        return []
    judged = {item.feature: trust(item) for item in version.ranking}
    about = subject(version)
    return [
        _lever(document, about)
        for document in version.evidence.get("levers", [])
        if (found := judged.get(document["variable"])) is None or found.verdict != "noise"
    ]


def levers_note(version: ModelVersion) -> str | None:
    """Why there are no windows, where a person can do something about it."""
    if levers(version) or not version.metrics["explains"]:
        return None
    purpose = version.evidence.get("purpose") or {}
    if not purpose.get("levers"):
        return _(
            "No column was said to be a lever. Say which ones operators can set when you check the "
            "next file, or at the machine, and the ranking will name the windows worth trying."
        )
    if purpose.get("sense") is None:
        return _(
            "Nobody said what is wanted of %(target)s: to raise it, to lower it or to hold it. "
            "Without that there is no gain to name.",
            target=version.target,
        )
    return _("No window of any lever was run often enough, or all levers are noise.")


def _lever(document: Mapping[str, Any], target: str) -> Lever:
    names = ("low", "high", "level", "n", "n_compared", "gain", "gain_low", "gain_high")
    windows = tuple(
        Window(**{name: window[name] for name in names}) for window in document["windows"]
    )
    better = [window for window in windows if window.gain_low > 0]
    best = max(better, key=lambda window: window.gain_low, default=None)
    return Lever(
        variable=document["variable"],
        sense=document["sense"],
        goal=document["goal"],
        windows=windows,
        best=best,
        sentence=_sentence(document, target, windows, best),
    )


def _sentence(
    document: Mapping[str, Any], target: str, windows: tuple[Window, ...], best: Window | None
) -> str:
    names = {"variable": document["variable"], "target": target}
    if not windows:
        return _("%(variable)s was run in no window often enough to compare.", **names)
    if best is None:
        return _(
            "No window of %(variable)s that was run is surely better for %(target)s than how it "
            "was run.",
            **names,
        )
    figures = {
        **names,
        "where": window_words(best),
        "gain": number(best.gain),
        "low": number(best.gain_low),
        "high": number(best.gain_high),
        "n": integer(best.n),
    }
    if document["sense"] == "raise":
        return _(
            "With %(variable)s %(where)s, %(target)s was higher by %(gain)s than as it was run "
            "(%(low)s to %(high)s, 95%% sure, %(n)s rows). Association, not cause: try it first.",
            **figures,
        )
    if document["sense"] == "lower":
        return _(
            "With %(variable)s %(where)s, %(target)s was lower by %(gain)s than as it was run "
            "(%(low)s to %(high)s, 95%% sure, %(n)s rows). Association, not cause: try it first.",
            **figures,
        )
    return _(
        "With %(variable)s %(where)s, %(target)s was nearer to %(goal)s by %(gain)s than as it was "
        "run (%(low)s to %(high)s, 95%% sure, %(n)s rows). Association, not cause: try it first.",
        goal=number(document["goal"]),
        **figures,
    )


def window_words(window: Window) -> str:
    """The values of a window, as part of a sentence."""
    if window.level is not None:
        return _("at “%(level)s”", level=window.level)
    if window.low == window.high:
        return _("at %(value)s", value=number(window.low))
    return _("from %(low)s to %(high)s", low=number(window.low), high=number(window.high))
