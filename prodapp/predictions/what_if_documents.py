"""A what-if as programs get it, and in one sentence."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from prodapp.exceptions import N_
from prodapp.formatting import sentence
from prodapp.predictions.predictors import predictor_of
from prodapp.predictions.sentences import surprise_sentence
from prodapp.predictions.what_if import WhatIf

if TYPE_CHECKING:
    from prodapp.ml.serving.predictor import Answer

_CHANGED = N_(
    "With these settings %(target)s is predicted at %(after)s instead of %(before)s. What the "
    "model has learned goes along with them; whether they are its cause, a trial tells."
)
_HELD = N_("As it was held, %(target)s is predicted at %(after)s.")


def what_if_document(found: WhatIf) -> dict[str, Any]:
    """Plain JSON."""
    predictor = predictor_of(found.version)
    return {
        "version_id": found.version.id,
        "version": found.version.number,
        "target": found.version.target,
        "target_class": predictor.reference.target_class,
        "source": found.source,
        "levers": [variable.name for variable in found.levers.variables],
        "levers_are_declared": found.levers.are_declared,
        "held": dict(found.held),
        "record": dict(found.record),
        "before": _answer(found.before, found.level),
        "after": _answer(found.after, found.level),
        "change": found.after.value - found.before.value,
        "n_rows_alike": predictor.reference.reach + 1,
        "contributions": {
            "scale": found.contributions.scale,
            "base": float(found.contributions.base[0]),
            "values": [
                {
                    "variable": variable.name,
                    "value": found.record[variable.name],
                    "contribution": float(value),
                }
                for variable, value in zip(
                    predictor.variables, found.contributions.values[0], strict=True
                )
            ],
        },
    }


def what_if_sentence(document: dict[str, Any]) -> str:
    """What the changes do, in the reader's language."""
    params = {
        "target": document["target"],
        "before": document["before"]["output"],
        "after": document["after"]["output"],
    }
    return sentence(_HELD if document["held"] == document["record"] else _CHANGED, params)


def _answer(answer: Answer, level: float) -> dict[str, Any]:
    surprises = [
        {name: value for name, value in asdict(item).items() if value is not None}
        for item in answer.surprises
    ]
    bounds = {"level": level, "low": answer.low, "high": answer.high}
    return {
        "output": answer.value,
        "interval": None if answer.low is None else bounds,
        "is_new": bool(surprises),
        "surprises": [{**item, "detail": surprise_sentence(item)} for item in surprises],
    }
