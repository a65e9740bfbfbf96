"""Warnings that belong to a result: what to think of before acting on it."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from prodapp.formatting import number
from prodapp.models import ModelVersion
from prodapp.ranking.sentences import FEW_SAMPLES, subject


@dataclass(frozen=True)
class Alarm:
    """``code`` is stable; ``severity`` is ``info``, ``warning`` or ``critical``; ``features`` are
    the variables it is about, none where it is about the whole; ``message`` is for people."""

    code: str
    severity: str
    features: tuple[str, ...]
    message: str


def alarms(version: ModelVersion) -> list[Alarm]:
    """The alarms of a version, the gravest first."""
    found = []
    if not version.metrics["explains"]:
        message = _(
            "These variables do not explain %(target)s: the model does no better than always "
            "predicting the mean. Do not act on this order.",
            target=subject(version),
        )
        found.append(Alarm("explains_nothing", "critical", (), message))
    if version.metrics["n_test"] < FEW_SAMPLES:
        message = _(
            "Only %(n)s samples were held out: read the order as a first hint.",
            n=number(version.metrics["n_test"]),
        )
        found.append(Alarm("too_few_samples", "warning", (), message))
    return found
