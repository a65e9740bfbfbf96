"""Machines and results in the shapes of the existing clients."""

from __future__ import annotations

from typing import Any

from prodapp.machines.overviews import MachineOverview
from prodapp.models import ModelVersion
from prodapp.ranking.alarms import alarms
from prodapp.ranking.sentences import direction, subject

METRICS = ("r2", "mae", "rmse", "n_train", "n_test", "n_features")
ALARM = ("code", "severity", "features", "message")
ROW = (
    "feature",
    "importance_shap_mean_abs",
    "importance_native",
    "shap_norm",
    "native_norm",
    "score_final",
    "effect",
)


def machine_row(machine: MachineOverview) -> dict[str, Any]:
    """A machine: to these clients it and its model are one, under one id."""
    return {
        "id": machine.id,
        "machine_name": machine.name,
        "status": machine.status,
        "model_id": machine.id,
    }


def metrics_row(version: ModelVersion) -> dict[str, Any]:
    """A version's figures on held-out samples, and when it was made (ISO 8601)."""
    figures = {name: version.metrics[name] for name in METRICS}
    return {**figures, "date": version.created_at.isoformat()}


def ranking_rows(version: ModelVersion) -> list[dict[str, Any]]:
    """The variables in order of their share, with the direction in the caller's language."""
    return [
        {
            **{name: getattr(item, name) for name in ROW},
            "direction": direction(item, target=subject(version)),
        }
        for item in version.ranking
    ]


def alarm_rows(version: ModelVersion) -> list[dict[str, Any]]:
    """The alarms that nobody accepted; these clients do not know that one can be."""
    return [
        {name: getattr(alarm, name) for name in ALARM}
        for alarm in alarms(version)
        if alarm.acceptance is None
    ]
