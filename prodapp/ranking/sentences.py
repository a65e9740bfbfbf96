"""Findings as plain sentences, each with its confidence word, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prodapp.formatting import number, percent
from prodapp.i18n import gettext as _
from prodapp.models import ModelVersion, VariableRanking

STRONG_DIRECTION = 0.8
FEW_SAMPLES = 30


def subject(version: ModelVersion) -> str:
    """What is explained: the target, or the probability of one of its classes."""
    name = version.evidence.get("target_class")
    if name is None:
        return version.target
    return _("the probability of %(target)s = %(name)s", target=version.target, name=name)


def scale(version: ModelVersion) -> str:
    """What SHAP values are measured in: the subject, or the log-odds behind a probability."""
    if version.evidence.get("scale") != "log_odds":
        return subject(version)
    name = version.evidence["target_class"]
    return _("the log-odds of %(target)s = %(name)s", target=version.target, name=name)


def direction(item: VariableRanking, *, target: str) -> str:
    """Which way the variable moves the target."""
    names = {"variable": item.feature, "target": target}
    if item.effect == "increases":
        return _("Raising %(variable)s tends to raise %(target)s.", **names)
    if item.effect == "decreases":
        return _("Raising %(variable)s tends to lower %(target)s.", **names)
    if not item.dependence:  # a category has no more and less
        return _("%(target)s differs between the values of %(variable)s.", **names)
    return _("The relation between %(variable)s and %(target)s is not linear.", **names)


def verdict(version: ModelVersion) -> str:
    """The one sentence that stands above everything else on a result."""
    metrics = version.metrics
    names = {"target": subject(version), "n": number(metrics["n_test"])}
    if not metrics["explains"]:
        return _(
            "These variables do not explain %(target)s: on %(n)s samples that the model had not "
            "seen, it is not surely better than always predicting the mean. Do not act on the "
            "order of the variables.",
            **names,
        )
    top = version.ranking[0]
    return _(
        "%(variable)s drives %(target)s most (%(share)s of the explained movement). On %(n)s "
        "samples that the model had not seen, it explains %(r2)s of the variation "
        "(between %(low)s and %(high)s).",
        variable=top.feature,
        share=percent(top.score_final),
        **_explained(metrics),
        **names,
    )


def _explained(metrics: Mapping[str, Any]) -> dict[str, str]:
    """R² and its interval as shares, as finely as it takes to tell them from each other and 1."""
    low, high = metrics["r2_interval"]["low"], metrics["r2_interval"]["high"]
    decimals = 0 if high - low >= 0.02 else 1
    # Held-out samples never prove a perfect model: rounding must not claim one.
    shown = (min(value, 0.999) for value in (metrics["r2"], low, high))
    return dict(zip(("r2", "low", "high"), (percent(v, decimals) for v in shown), strict=True))


def insights(version: ModelVersion) -> list[str]:
    """The most useful plain sentences about a result, at most four."""
    if not version.metrics["explains"]:
        return [
            _("Check that the target is measured well and that the columns belong to it."),
            _("More rows, or rows from more varied operation, may show what this data cannot."),
        ]
    sentences = [_discernment(version) if version.metrics.get("classes") else _accuracy(version)]
    sentences += [
        _(
            "%(direction)s It carries %(share)s of the explained movement.",
            direction=direction(item, target=subject(version)),
            share=percent(item.score_final),
        )
        for item in version.ranking[:2]
    ]
    weak = [item for item in version.ranking if item.score_final < 0.02]
    if weak:
        sentences.append(
            _(
                "%(count)s of %(all)s variables carry less than 2%% each: changing them is "
                "unlikely to be seen.",
                count=number(len(weak)),
                all=number(len(version.ranking)),
            )
        )
    return sentences


def confidence_note(version: ModelVersion) -> str:
    """Why places carry no interval yet, and how to read them."""
    if version.metrics["n_test"] < FEW_SAMPLES:
        return _(
            "Only %(n)s samples were held out: read the order as a first hint.",
            n=number(version.metrics["n_test"]),
        )
    return _(
        "Places come from one model and carry no interval: neighbours with similar shares may "
        "change places on new data. The share itself is the mean over %(n)s samples.",
        n=number(version.evidence["n_explained"]),
    )


def _discernment(version: ModelVersion) -> str:
    """How well the model tells the class from the others."""
    figures = version.metrics["classes"]
    return _(
        "At a probability of one half the model is right for %(accuracy)s of the samples; always "
        "answering with the majority is right for %(baseline)s.",
        accuracy=percent(figures["accuracy"]),
        baseline=percent(figures["baseline_accuracy"]),
    )


def _accuracy(version: ModelVersion) -> str:
    metrics = version.metrics
    return _(
        "The model's predictions of %(target)s miss by %(mae)s on average; always predicting the "
        "mean would miss by %(baseline)s.",
        target=subject(version),
        mae=number(metrics["mae"]),
        baseline=number(metrics["baseline_mae"]),
    )
