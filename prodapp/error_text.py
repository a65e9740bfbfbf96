"""A domain error's message in the reader's language."""

from __future__ import annotations

from prodapp.exceptions import DomainError
from prodapp.formatting import sentence


def error_text(error: DomainError) -> str:
    """The message of ``error``, translated and filled."""
    return sentence(error.message, error.params)
