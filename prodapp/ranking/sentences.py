"""Findings as plain sentences, each with its confidence word, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prodapp.formatting import number, percent
from prodapp.i18n import gettext as _
from prodapp.models import ModelVersion, VariableRanking
from prodapp.ranking.trust import Trust, TrustedGroup, trust

STRONG_DIRECTION = 0.8
FEW_SAMPLES = 30


def subject(version: ModelVersion) -> str:
    """What is explained: the target, or the probability of one of its classes."""
    return subject_words(version.target, version.evidence.get("target_class"))


def subject_words(target: str, target_class: str | None) -> str:
    """What is explained, of a target and the class of it that is (None: it is a number)."""
    if target_class is None:
        return target
    return _("the probability of %(target)s = %(name)s", target=target, name=target_class)


def scale(version: ModelVersion) -> str:
    """What SHAP values are measured in: the subject, or the logarithm behind a probability."""
    measure, name = version.evidence.get("scale"), version.evidence.get("target_class")
    if measure == "log_ratio":
        return _(
            "the logarithm of the probability of %(target)s = %(name)s over the usual one of all "
            "classes",
            target=version.target,
            name=name,
        )
    if measure != "log_odds":
        return subject(version)
    return _("the log-odds of %(target)s = %(name)s", target=version.target, name=name)


def direction(item: VariableRanking, *, target: str) -> str:
    """Which way the variable moves the target."""
    return direction_words(
        item.effect, variable=item.feature, target=target, has_order=bool(item.dependence)
    )


def direction_words(effect: str, *, variable: str, target: str, has_order: bool) -> str:
    """Which way a variable moves the target; categories have no more and less (``has_order``)."""
    names = {"variable": variable, "target": target}
    if effect == "increases":
        return _("Raising %(variable)s tends to raise %(target)s.", **names)
    if effect == "decreases":
        return _("Raising %(variable)s tends to lower %(target)s.", **names)
    if not has_order:
        return _("%(target)s differs between the values of %(variable)s.", **names)
    return _("The relation between %(variable)s and %(target)s is not linear.", **names)


def evidence(item: VariableRanking) -> str | None:
    """Whether the variable has a part of its own, and how the data show it; ``None`` where it was
    not judged."""
    found = trust(item)
    if found is None:
        return None
    return verdict_words(found, variable=item.feature, target=subject(item.version))


def verdict_words(found: Trust, *, variable: str, target: str) -> str:
    """A verdict with what the data show for it."""
    names = {"variable": variable, "target": target}
    if found.verdict == "real":
        return _(
            "%(variable)s is real: without it, at least %(low)s of the variation of %(target)s "
            "would stay unexplained.",
            low=percent(max(found.low or 0.0, 0.0), 1),
            **names,
        )
    if found.verdict == "noise":
        return _(
            "%(variable)s is noise: beside the others it explains less than 1%% of the variation "
            "of %(target)s.",
            **names,
        )
    return _(
        "%(variable)s is uncertain: these data do not tell whether it adds anything to the others.",
        **names,
    )


def verdict_word(verdict: str) -> str:
    """The word that stands for a verdict."""
    words = {"real": _("Real"), "noise": _("Noise")}
    return words.get(verdict, _("Uncertain"))


def companions(group: TrustedGroup) -> str:
    """What the data tell of variables that go along with each other."""
    members = ", ".join(group.members)
    if group.is_parted:
        return _(
            "%(members)s go along with each other; the data tell some of them apart all the same.",
            members=members,
        )
    if group.verdict == "real":
        return _(
            "%(members)s go along with each other: together they are real, but the data do not "
            "tell which of them acts. Move one alone to find out.",
            members=members,
        )
    return _(
        "%(members)s go along with each other, and the data do not tell them apart.",
        members=members,
    )


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
        _joined(
            _(
                "%(direction)s It carries %(share)s of the explained movement.",
                direction=direction(item, target=subject(version)),
                share=percent(item.score_final),
            ),
            evidence(item),
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
    """How to read the places, and why they carry no interval where they do not."""
    if version.metrics["n_test"] < FEW_SAMPLES:
        return _(
            "Only %(n)s samples were held out: read the order as a first hint.",
            n=number(version.metrics["n_test"]),
        )
    if any(trust(item) for item in version.ranking):
        return _(
            "The ranks beside a place are those that other rows of the same kind could have given "
            "it. The share is the mean over %(n)s samples.",
            n=number(version.evidence["n_explained"]),
        )
    return _(
        "Places come from one model and carry no interval: neighbours with similar shares may "
        "change places on new data. The share itself is the mean over %(n)s samples.",
        n=number(version.evidence["n_explained"]),
    )


def _joined(first: str, second: str | None) -> str:
    return first if second is None else f"{first} {second}"


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
