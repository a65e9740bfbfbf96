"""A prediction as programs get it, plain JSON: dumping it by a schema would take longer than it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from prodapp.extensions import db
from prodapp.models import ModelVersion, Prediction
from prodapp.predictions.predictors import predictor_of
from prodapp.predictions.sentences import surprise_sentence
from prodapp.predictions.service import Made
from prodapp.predictions.versions import ServedVersion


def made_documents(made: Made) -> list[dict[str, Any]]:
    """Predictions just made, with what each variable added where that was asked for."""
    documents = []
    for place, row in enumerate(made.rows):
        document = _document(row, made.version.number, made.version.target)
        if made.contributions is not None:
            values = made.contributions.values[place]
            document["contributions"] = {
                "scale": made.contributions.scale,
                "base": float(made.contributions.base[place]),
                "values": [
                    {
                        "variable": name,
                        "value": row["inputs"].get(name),
                        "contribution": float(value),
                    }
                    for name, value in zip(made.names, values, strict=True)
                ],
            }
        documents.append(document)
    return documents


def kept_documents(rows: Sequence[Prediction]) -> list[dict[str, Any]]:
    """Predictions of the history."""
    known = db.session.execute(
        select(ModelVersion.id, ModelVersion.number, ModelVersion.target).where(
            ModelVersion.id.in_({row.version_id for row in rows})
        )
    )
    about = {row[0]: (row[1], row[2]) for row in known}
    names = [column.name for column in Prediction.__table__.columns]
    return [
        _document({name: getattr(row, name) for name in names}, *about[row.version_id])
        for row in rows
    ]


def _document(row: Mapping[str, Any], number: int, target: str) -> dict[str, Any]:
    details = row["details"]
    actual = row.get("actual")
    actual_at = row.get("actual_at")
    return {
        "id": str(row["id"]),
        "occurred_at": row["occurred_at"].isoformat(),
        "machine_id": row["machine_id"],
        "version_id": row["version_id"],
        "version": number,
        "target": target,
        "target_class": details.get("class"),
        "inputs": row["inputs"],
        "output": row["output"],
        "interval": _interval(row),
        "possible": details.get("possible"),
        "classes": details.get("classes"),
        "is_new": row["is_new"],
        "surprises": [
            {**surprise, "detail": surprise_sentence(surprise)}
            for surprise in details.get("surprises", ())
        ],
        "actual": actual,
        "actual_at": None if actual_at is None else actual_at.isoformat(),
        "error": None if actual is None else row["output"] - actual,
        "channel": row["channel"],
        "actor": row["actor"],
        "request_id": row["request_id"],
        "duration_ms": row["duration_ms"],
    }


def _interval(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if row["low"] is None:
        return None
    return {"level": row["level"], "low": row["low"], "high": row["high"]}


def inputs_document(version: ServedVersion) -> dict[str, Any]:
    """What a version takes. Raises as :func:`predictor_of` does."""
    predictor = predictor_of(version)
    return {
        "version_id": version.id,
        "target": version.target,
        "variables": [variable.to_json() for variable in predictor.variables],
        "reach": predictor.reference.reach,
        "record": {variable.name: variable.default for variable in predictor.variables},
    }
