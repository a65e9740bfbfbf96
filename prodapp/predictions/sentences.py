"""What is new in a row, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prodapp.exceptions import N_
from prodapp.formatting import sentence

_SENTENCES: Mapping[str, str] = {
    "range": N_(
        "“%(variable)s” is %(value)s; the model learned from values between %(low)s and %(high)s."
    ),
    "category": N_("The model has never met “%(value)s” as “%(variable)s”."),
    "missing": N_("“%(variable)s” is missing, which it never was when the model learned."),
    "combination": N_(
        "Each value is usual by itself, but the model has learned from no rows like this one."
    ),
    "rows": N_("The model looks at the %(value)s rows before this one, which were not all given."),
}


def surprise_sentence(surprise: Mapping[str, Any]) -> str:
    """One sentence for what was kept of a surprise, in the reader's language."""
    return sentence(_SENTENCES[surprise["kind"]], surprise)


def contribution_sentence(answer: Mapping[str, Any]) -> str:
    """One sentence for what moved an answer most."""
    values = sorted(answer["contributions"]["values"], key=lambda v: -abs(v["contribution"]))
    strongest = values[0] if values else None
    if strongest is None or strongest["contribution"] == 0:
        return sentence(N_("No variable moves this answer away from the usual one."))
    raises = strongest["contribution"] > 0
    message = _RAISES if raises else _LOWERS
    params = {"variable": strongest["variable"], "size": abs(strongest["contribution"])}
    if answer["contributions"]["scale"] in ("log_odds", "log_ratio"):
        message = _RAISES_ODDS if raises else _LOWERS_ODDS
    return sentence(message, params)


_RAISES = N_("“%(variable)s” raises this answer most, by %(size)s against the usual one.")
_LOWERS = N_("“%(variable)s” lowers this answer most, by %(size)s against the usual one.")
_RAISES_ODDS = N_("“%(variable)s” raises the odds most, by %(size)s in their logarithm.")
_LOWERS_ODDS = N_("“%(variable)s” lowers the odds most, by %(size)s in their logarithm.")
