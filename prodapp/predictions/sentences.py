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
