"""What a training found, as the plain documents that its version keeps."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from prodapp.ml.training import TrainingResult, VariableImportance


def metrics_document(result: TrainingResult) -> dict[str, Any]:
    """The figures of held-out samples."""
    classes = None if result.classes is None else asdict(result.classes)
    return {**asdict(result.metrics), "classes": classes}


def evidence_document(result: TrainingResult) -> dict[str, Any]:
    """What stands behind the ranking, for the page that shows how it was made."""
    return {
        "gap": asdict(result.validation.gap),
        "validation": _validation(result),
        "target_class": None if result.classes is None else result.classes.target_class,
        "all_classes": _all_classes(result),
        "scale": result.scale,
        "algorithm": result.algorithm,
        "hyperparameters": dict(result.hyperparameters),
        "comparison": _comparison(result),
        "tuning": _tuning(result),
        "n_explained": result.n_explained,
        "ties": [list(names) for names in result.ties],
        "trust": _trust(result),
        "alarms": [asdict(alarm) for alarm in result.findings.alarms],
        "effects": [asdict(effect) for effect in result.findings.effects],
        "levers": [asdict(lever) for lever in result.findings.levers],
        "regions": asdict(result.findings.regions),
        "lags": [asdict(lag) for lag in result.findings.lags],
        "purpose": asdict(result.findings.purpose),
        "segments": [asdict(found) for found in result.findings.segments],
        "interactions": [asdict(pair) for pair in result.interactions],
        "split": result.plan.scheme,
        "stage_seconds": dict(result.stage_seconds),
        "left_out": [list(pair) for pair in result.left_out],
        "held_out": [list(pair) for pair in result.held_out],
        "remarks": [asdict(remark) for remark in result.remarks],
    }


def _all_classes(result: TrainingResult) -> dict[str, Any] | None:
    """The figures of all classes and the variables behind each, where one model knows several."""
    if result.joint is None:
        return None
    figures, rankings = result.joint.metrics, result.joint.rankings
    return {
        **asdict(figures),
        "classes": [
            {**asdict(one), "variables": [asdict(effect) for effect in effects]}
            for one, effects in zip(figures.classes, rankings.by_class, strict=True)
        ],
        "overall": [{"feature": name, "share": share} for name, share in rankings.overall],
        "n_explained": rankings.n_explained,
    }


def _trust(result: TrainingResult) -> dict[str, Any] | None:
    """Verdicts and rank intervals; a bound that is not finite is none."""
    found = result.findings.assessment
    if found is None:
        return None
    return {
        "variables": {
            name: {**_finite(asdict(verdict)), **asdict(found.ranks[name])}
            for name, verdict in found.verdicts.items()
        },
        "groups": [
            {
                **_finite(asdict(group.verdict)),
                "members": list(group.members),
                "is_parted": group.is_parted,
            }
            for group in found.groups
        ],
    }


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


def _validation(result: TrainingResult) -> dict[str, Any]:
    """How samples were held out and why, and the scores by fold."""
    plan = result.plan
    return {
        "scheme": plan.scheme,
        "reason": plan.reason,
        "params": dict(plan.params),
        "column": plan.column,
        "gap_rows": plan.gap,
        "n_repeats": result.validation.n_repeats,
        "folds": [asdict(score) for score in result.validation.scores],
    }


def _tuning(result: TrainingResult) -> dict[str, Any] | None:
    found = result.tuning
    if found is None:
        return None
    return {
        "method": found.method,
        "trials": [asdict(trial) for trial in found.trials],
        "n_folds": found.n_folds,
        "n_samples": found.n_samples,
    }


def _comparison(result: TrainingResult) -> dict[str, Any] | None:
    found = result.comparison
    if found is None:
        return None
    return {
        "leaderboard": [asdict(row) for row in found.leaderboard],
        "n_folds": found.n_folds,
        "n_samples": found.n_samples,
    }


def ranking_row(item: VariableImportance) -> dict[str, Any]:
    """One row of the ranking, as its table takes it."""
    return {**asdict(item), "dependence": [list(point) for point in item.dependence]}
