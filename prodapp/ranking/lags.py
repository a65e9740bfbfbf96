"""Dead times as a version keeps them, with one sentence each."""

from __future__ import annotations

from dataclasses import dataclass

from prodapp.formatting import decimal, integer
from prodapp.i18n import gettext as _
from prodapp.models import ModelVersion
from prodapp.ranking.sentences import subject


@dataclass(frozen=True)
class Lag:
    """``variable`` goes along with the target ``lag`` rows later (``first`` to ``last`` fit as
    well); ``correlation`` is of the two without their own drift, over ``n`` rows."""

    variable: str
    lag: int
    first: int
    last: int
    correlation: float
    n: int
    sentence: str


def lags(version: ModelVersion) -> list[Lag]:
    """The dead times that were found, the clearest first."""
    names = ("variable", "lag", "first", "last", "correlation", "n")
    about = subject(version)
    found = []
    for document in version.evidence.get("lags", []):
        figures = {
            "variable": document["variable"],
            "target": about,
            "lag": integer(document["lag"]),
            "first": integer(document["first"]),
            "last": integer(document["last"]),
            "correlation": decimal(abs(document["correlation"])),
            "n": integer(document["n"]),
        }
        sentence = (
            _(
                "%(variable)s goes along with a higher %(target)s %(lag)s rows later (%(first)s to "
                "%(last)s rows fit as well): correlation %(correlation)s over %(n)s rows, without "
                "the drift of both.",
                **figures,
            )
            if document["correlation"] > 0
            else _(
                "%(variable)s goes along with a lower %(target)s %(lag)s rows later (%(first)s to "
                "%(last)s rows fit as well): correlation %(correlation)s over %(n)s rows, without "
                "the drift of both.",
                **figures,
            )
        )
        found.append(Lag(**{name: document[name] for name in names}, sentence=sentence))
    return found
