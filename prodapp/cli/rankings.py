"""A ranking as the command line shows it: as text, or as one document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from prodapp.cli.base import columns_of, print_table
from prodapp.models import ModelVersion, VariableRanking
from prodapp.ranking.alarms import alarms
from prodapp.ranking.effects import effects
from prodapp.ranking.lags import lags
from prodapp.ranking.levers import levers
from prodapp.ranking.sentences import subject
from prodapp.ranking.trust import trust

ARROWS = {"increases": "↑ raises", "decreases": "↓ lowers", "nonmonotonic": "~ not linear"}
PRINTED_TRIALS = 10
HELD_OUT = {
    "shuffled": "at random",
    "time": "the last in time",
    "group": "of new groups",
    "order": "in stretches of neighbours",
}


def ranking_document(version: ModelVersion) -> dict[str, Any]:
    """A version's ranking and metrics as one document."""
    names = ("rank", "feature", "score_final", "importance_shap_mean_abs", "effect")
    return {
        "machine_id": version.machine_id,
        "run_id": version.run_id,
        "model_version": version.number,
        "target": version.target,
        "target_class": version.evidence.get("target_class"),
        "all_classes": version.evidence.get("all_classes"),
        "shap_scale": version.evidence.get("scale", "answer"),
        "algorithm": version.evidence.get("algorithm"),
        "hyperparameters": version.evidence.get("hyperparameters"),
        "comparison": version.evidence.get("comparison"),
        "tuning": version.evidence.get("tuning"),
        "metrics": version.metrics,
        "validation": version.evidence.get("validation"),
        "gap": version.evidence.get("gap"),
        "is_withheld": not version.metrics["explains"],
        "alarms": [asdict(alarm) for alarm in alarms(version)],
        "segments": version.evidence.get("segments", []),
        "effects": [asdict(effect) for effect in effects(version)],
        "lags": [asdict(lag) for lag in lags(version)],
        "levers": [asdict(lever) for lever in levers(version)],
        "ranking": [{**columns_of(item, names), "trust": _trust(item)} for item in version.ranking],
    }


def print_ranking(version: ModelVersion) -> None:
    """Metrics, then each variable's rank, share, verdict and direction, as text."""
    m = version.metrics
    click.echo(f"{version.machine.name}: what drives {subject(version)} (version {version.number})")
    click.echo(
        f"R² {m['r2']:.3f} [{m['r2_interval']['low']:.3f}, {m['r2_interval']['high']:.3f}]   "
        f"MAE {m['mae']:.4g}   RMSE {m['rmse']:.4g}   "
        f"(always the mean: MAE {m['baseline_mae']:.4g}; {m['n_test']} held-out samples, "
        f"{HELD_OUT[version.evidence['split']]})"
    )
    _print_classes(version)
    _print_all_classes(version)
    _print_leaderboard(version)
    _print_tuning(version)
    for alarm in alarms(version):
        accepted = "" if alarm.acceptance is None else f" (accepted: {alarm.acceptance.reason})"
        click.secho(f"{alarm.severity.upper()}: {alarm.message}{accepted}", bold=not accepted)
    print_table(
        ("#", "ranks", "variable", "share", "verdict", "direction", "mean |SHAP|"),
        [
            (
                item.rank,
                _ranks(item),
                item.feature,
                f"{item.score_final:6.1%}",
                "–" if (judged := trust(item)) is None else judged.verdict,
                ARROWS[item.effect],
                item.importance_shap_mean_abs,
            )
            for item in version.ranking
        ],
    )
    _print_findings(version)


def _print_findings(version: ModelVersion) -> None:
    for lever in levers(version):
        click.echo(lever.sentence)
    for lag in lags(version):
        click.echo(lag.sentence)


def _trust(item: VariableRanking) -> dict[str, Any] | None:
    judged = trust(item)
    return None if judged is None else asdict(judged)


def _ranks(item: VariableRanking) -> str:
    """The ranks that the data leave possible."""
    judged = trust(item)
    if judged is None:
        return "–"
    low, high = judged.rank_low, judged.rank_high
    return str(low) if low == high else f"{low}–{high}"


def _print_leaderboard(version: ModelVersion) -> None:
    comparison = version.evidence.get("comparison")
    if comparison is None:
        return
    print_table(
        ("algorithm", "R²", "MAE", "RMSE", "seconds"),
        [
            (row["algorithm"], f"{row['r2']:.3f}", row["mae"], row["rmse"], f"{row['seconds']:.1f}")
            for row in comparison["leaderboard"]
        ],
    )
    click.echo(f"Taken: {version.evidence['algorithm']}.")


def _print_classes(version: ModelVersion) -> None:
    found = version.metrics.get("classes")
    if found is None:
        return
    auc = "–" if found["roc_auc"] is None else f"{found['roc_auc']:.3f}"
    click.echo(
        f"AUC {auc}   balanced accuracy {found['balanced_accuracy']:.3f}   F1 {found['f1']:.3f}   "
        f"log loss {found['log_loss']:.4g}   (the majority: F1 {found['baseline_f1']:.3f}; "
        f"the share of the class: log loss {found['baseline_log_loss']:.4g})"
    )


def _print_all_classes(version: ModelVersion) -> None:
    joint = version.evidence.get("all_classes")
    if joint is None:
        return
    auc = "–" if joint["macro_auc"] is None else f"{joint['macro_auc']:.3f}"
    click.echo(
        f"All classes: accuracy {joint['accuracy']:.3f} (always the commonest: "
        f"{joint['baseline_accuracy']:.3f})   AUC {auc}   log loss {joint['log_loss']:.4g} "
        f"(always their shares: {joint['baseline_log_loss']:.4g})"
    )
    print_table(
        ("class", "rows", "found", "right when said", "moved most by"),
        [
            (
                one["label"],
                one["n_held_out"],
                _percent(one["recall"]),
                _percent(one["precision"]),
                ", ".join(
                    f"{found['feature']} {found['share']:.0%} {ARROWS[found['effect']][0]}"
                    for found in sorted(one["variables"], key=lambda item: -item["share"])[:3]
                ),
            )
            for one in joint["classes"]
        ],
    )


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _print_tuning(version: ModelVersion) -> None:
    tuning = version.evidence.get("tuning")
    if tuning is None:
        return
    print_table(
        ("R²", "rows", "seconds", "configuration"),
        [
            (
                f"{trial['r2']:.3f}",
                trial["n_samples"],
                f"{trial['seconds']:.1f}",
                " ".join(f"{name}={value}" for name, value in trial["hyperparameters"].items()),
            )
            for trial in tuning["trials"][:PRINTED_TRIALS]
        ],
    )
    click.echo(f"{len(tuning['trials'])} configurations tried; the first was taken.")
