from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from prodapp.models import ModelVersion, VariableRanking
from prodapp.ranking import sentences
from prodapp.ranking.trust import groups

Say = Callable[..., Any]


def make_item(feature: str = "heat", *, effect: str = "increases", share: float = 0.6) -> Any:
    return VariableRanking(feature=feature, effect=effect, score_final=share)


def make_version(*items: Any, target: str = "yield", **metrics: Any) -> ModelVersion:
    values = {
        "explains": True,
        "r2": 0.912,
        "r2_interval": {"low": 0.85, "high": 0.95},
        "mae": 1234.5,
        "baseline_mae": 2345.6,
        "n_test": 1234,
        **metrics,
    }
    ranking = list(items) or [make_item(), make_item("speed", effect="decreases", share=0.39)]
    return ModelVersion(
        target=target, metrics=values, evidence={"n_explained": 1000}, ranking=ranking
    )


CURVE = [[0.0, 1.0], [1.0, 0.0], [2.0, 1.0]]


@pytest.mark.parametrize(
    ("effect", "curve", "sentence"),
    [
        ("increases", CURVE, "Raising heat tends to raise yield."),
        ("decreases", CURVE, "Raising heat tends to lower yield."),
        ("nonmonotonic", CURVE, "The relation between heat and yield is not linear."),
        ("nonmonotonic", [], "yield differs between the values of heat."),  # a category
    ],
)
def test_a_direction_is_a_sentence(
    say: Say, effect: str, curve: list[list[float]], sentence: str
) -> None:
    item = make_item(effect=effect)
    item.dependence = curve
    assert say(sentences.direction, item, target="yield") == sentence
    translated = say(sentences.direction, item, target="yield", language="pt-BR")
    assert translated != sentence
    assert "heat" in translated
    assert "yield" in translated


def test_names_with_percent_signs_and_braces_stay_as_they_are(say: Say) -> None:
    item = make_item("load % of {max} %(x)s")
    assert say(sentences.direction, item, target="100%") == (
        "Raising load % of {max} %(x)s tends to raise 100%."
    )
    assert "100%" in say(sentences.verdict, make_version(item, target="100%"))


def test_the_verdict_names_the_strongest_variable_and_how_sure_it_is(say: Say) -> None:
    verdict = say(sentences.verdict, make_version())
    assert verdict.startswith("heat drives yield most (60% of the explained movement).")
    assert "1,234 samples" in verdict
    assert "91%" in verdict
    assert "between 85% and 95%" in verdict
    assert "1.234" in say(sentences.verdict, make_version(), language="pt-BR")


def test_a_model_that_explains_nothing_is_said_out_loud(say: Say) -> None:
    version = make_version(explains=False)
    verdict = say(sentences.verdict, version)
    assert verdict.startswith("These variables do not explain yield")
    assert "Do not act on the order" in verdict
    assert "heat" not in verdict
    assert len(say(sentences.insights, version)) == 2
    assert not any("heat" in sentence for sentence in say(sentences.insights, version))


def test_insights_are_few_and_about_the_strongest(say: Say) -> None:
    items = [make_item(f"v{n}", share=share) for n, share in enumerate((0.5, 0.4, 0.09, 0.01))]
    insights = say(sentences.insights, make_version(*items))
    assert len(insights) == 4
    assert "miss by" in insights[0]
    assert insights[1].startswith("Raising v0 tends to raise yield. It carries 50%")
    assert insights[2].startswith("Raising v1")
    assert insights[3].startswith("1 of 4 variables carry less than 2% each")


def test_one_variable_alone_makes_sentences(say: Say) -> None:
    version = make_version(make_item(share=1.0))
    assert "100%" in say(sentences.verdict, version)
    assert len(say(sentences.insights, version)) == 2


@pytest.mark.parametrize(("n_test", "words"), [(29, "Only 29 samples"), (30, "carry no interval")])
def test_the_note_says_how_far_to_trust_the_order(say: Say, n_test: int, words: str) -> None:
    assert words in say(sentences.confidence_note, make_version(n_test=n_test))


def judged_version(*, is_parted: bool = False, **trust: Any) -> ModelVersion:
    values = {"verdict": "real", "first": 1, "last": 3, "gain": 0.2, "low": 0.125, "high": 0.3}
    values |= {"p_value": 1e-6, "n_effective": 800, **trust}
    version = make_version()
    group = {**values, "members": ["heat", "speed"], "is_parted": is_parted}
    version.evidence["trust"] = {"variables": {"heat": values}, "groups": [group]}
    return version


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("real", "heat is real: without it, at least 12.5% of the variation of yield"),
        ("noise", "heat is noise: beside the others it explains less than 1%"),
        ("uncertain", "heat is uncertain"),
    ],
)
def test_a_verdict_comes_with_its_evidence(say: Say, verdict: str, words: str) -> None:
    version = judged_version(verdict=verdict)
    heat, speed = version.ranking
    sentence = say(sentences.evidence, heat)
    assert words in sentence
    assert say(sentences.evidence, heat, language="pt-BR") != sentence
    assert say(sentences.evidence, speed) is None  # it was not judged
    assert words in say(sentences.insights, version)[1]
    assert "other rows of the same kind" in say(sentences.confidence_note, version)


@pytest.mark.parametrize(
    ("is_parted", "verdict", "words"),
    [
        (True, "real", "the data tell some of them apart"),
        (False, "real", "together they are real"),
        (False, "uncertain", "do not tell them apart"),
    ],
)
def test_a_group_is_said_to_be_one(say: Say, is_parted: bool, verdict: str, words: str) -> None:
    (group,) = groups(judged_version(is_parted=is_parted, verdict=verdict))
    sentence = say(sentences.companions, group)
    assert sentence.startswith("heat, speed go along with each other")
    assert words in sentence
    assert say(sentences.companions, group, language="pt-BR") != sentence


def test_every_sentence_is_translated(say: Say) -> None:
    for version in (make_version(), make_version(explains=False, n_test=5)):
        for function in (sentences.verdict, sentences.insights, sentences.confidence_note):
            english = say(function, version)
            assert say(function, version, language="pt-BR") != english
