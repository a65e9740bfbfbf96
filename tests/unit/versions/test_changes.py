"""What changed between two versions: called only where intervals do not meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import command
from prodapp.models import ModelVersion, VariableRanking
from prodapp.versions.change_words import change_sentences
from prodapp.versions.changes import changes, views
from prodapp.versions.comparison import Comparison

Say = Callable[..., Any]


def version(number: int, **judged: Any) -> ModelVersion:
    """A version of one variable, ``heat``, real and rising unless told otherwise."""
    facts = {"verdict": "real", "ranks": (1, 1, 2), "gain": (0.2, 0.18, 0.22), "rises": True}
    facts |= {"reach": (10.0, 0.5), "explains": True, "target": "yield", **judged}
    heights = [-5.0, 0.0, 5.0] if facts["rises"] else [5.0, 0.0, -5.0]
    rank, first, last = facts["ranks"]
    gain, low, high = facts["gain"]
    trust = {"verdict": facts["verdict"], "first": first, "last": last}
    trust |= {"gain": gain, "low": low, "high": high, "p_value": 0.01, "n_effective": 400}
    curve = {
        "variable": "heat",
        "is_number": True,
        "places": [0.0, 1.0, 2.0],
        "heights": heights,
        "lows": None,
        "highs": None,
        "counts": [10, 10],
        "lowest": heights.index(-5.0),
        "highest": heights.index(5.0),
        "difference": facts["reach"][0],
        "error": facts["reach"][1],
    }
    item = VariableRanking(
        feature="heat",
        rank=rank,
        effect="increases" if facts["rises"] else "decreases",
        dependence=[[0.0, 1.0]],
    )
    return ModelVersion(
        number=number,
        target=facts["target"],
        metrics={"explains": facts["explains"]},
        evidence={"trust": {"variables": {"heat": trust}}, "effects": [curve]},
        ranking=[item],
    )


def compared(first: ModelVersion, second: ModelVersion) -> Comparison:
    return Comparison(first, second, (), (), (), changes(first, second), None, "", {})


def kinds(**judged: Any) -> list[str]:
    found = changes(version(1), version(2, **judged))
    assert found is not None
    return [change.kind for change in found]


@pytest.mark.parametrize(
    ("judged", "found"),
    [
        ({}, []),
        ({"ranks": (2, 2, 4)}, []),  # 1 to 2 meets 2 to 4
        ({"ranks": (4, 3, 5)}, ["rank"]),
        ({"gain": (0.23, 0.21, 0.25)}, []),
        ({"gain": (0.3, 0.28, 0.32)}, ["gain"]),
        ({"gain": (0.0, -0.01, 0.01), "verdict": "noise"}, ["verdict"]),
        ({"gain": (0.17, -0.05, 0.3), "verdict": "uncertain"}, []),  # it may be as strong as before
        ({"reach": (11.0, 0.5)}, []),
        ({"reach": (15.0, 0.5)}, ["effect"]),
        ({"rises": False}, ["direction"]),
        ({"rises": False, "reach": (10.0, 6.0)}, []),  # the second curve may be flat
        ({"rises": False, "reach": (10.0, None)}, []),
    ],
)
def test_a_change_is_called_where_intervals_do_not_meet(
    say: Say, judged: dict[str, Any], found: list[str]
) -> None:
    assert say(kinds, **judged) == found


def test_each_change_is_a_sentence_with_both_sides(say: Say) -> None:
    second = version(2, ranks=(4, 3, 5), gain=(0.3, 0.28, 0.32), reach=(15.0, 0.5))
    found = say(compared, version(1), second)
    told = say(change_sentences, found)
    assert told[0] == ("heat moved down: rank 1 in version 1 (1 to 2), 4 in version 2 (3 to 5).")
    assert "explains more" in told[1]
    assert "20.0% (18.0% to 22.0%) in version 1, 30.0% (28.0% to 32.0%) in version 2" in told[1]
    assert "further than before: by 10 (9.02 to 11) in version 1" in told[2]
    back = say(change_sentences, say(compared, second, version(1)))
    assert "moved up" in back[0]
    assert "explains less" in back[1]
    assert "less far" in back[2]
    turned = say(change_sentences, say(compared, version(1), version(2, rises=False)))
    assert "has turned" in turned[0]
    noise = version(2, gain=(0.0, -0.01, 0.01), verdict="noise")
    assert (
        "from “Real” in version 1 to “Noise”"
        in say(change_sentences, say(compared, version(1), noise))[0]
    )
    portuguese = say(change_sentences, found, language="pt-BR")
    assert len(portuguese) == 3
    assert not set(portuguese) & set(told)


def test_what_cannot_be_compared_is_said_to_be_so(say: Say) -> None:
    for second, reason in (
        (version(2, target="scrap"), "different targets"),
        (version(2, explains=False), "explains nothing"),
        (version(2), "Nothing that they say"),
    ):
        assert reason in say(change_sentences, say(compared, version(1), second))[0]
    assert changes(version(1), version(2, explains=False)) is None


def test_a_curve_with_no_interval_tells_no_slope(say: Say) -> None:
    view = say(views, version(1))["heat"]
    assert view.is_sloped
    assert not replace(view, reach=None).is_sloped


@pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
def test_changes_are_told_by_command_and_api(
    filled: Flask, versions: list[ModelVersion], owner: Caller
) -> None:
    first, second, _ = versions
    name = first.ranking[0].feature
    with command() as session:
        judged = second.evidence["trust"]["variables"]
        moved = {**judged, name: {**judged[name], "first": 8, "last": 9}}
        second.evidence = {**second.evidence, "trust": {"variables": moved}}
        session.add(second)
    arguments = ["version", "compare", str(first.id), str(second.id)]
    told = filled.test_cli_runner().invoke(args=arguments).output
    assert f"{name} moved" in told
    auth.create_user(owner, username="ana", role="viewer")
    key = auth.create_key(owner, username="ana", name="test").secret
    answer = filled.test_client().get(
        f"/api/v1/versions/{first.id}/comparison/{second.id}",
        headers={"Authorization": f"Bearer {key}"},
    )
    (change,) = answer.json["changes"]
    assert (change["feature"], change["kind"]) == (name, "rank")
    assert change["sentence"] in told
    place = next(row["second"] for row in answer.json["ranking"] if row["feature"] == name)
    assert place["verdict"] == judged[name]["verdict"]
    assert place["direction"] == first.ranking[0].effect
