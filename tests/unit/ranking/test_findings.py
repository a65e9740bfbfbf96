"""Effects and levers as people and programs read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from prodapp.caller import Caller
from prodapp.extensions import command
from prodapp.models import ModelVersion, VariableRanking
from prodapp.ranking.effects import effects, plot
from prodapp.ranking.lags import lags
from prodapp.ranking.levers import levers, levers_note
from tests.factories import make_version
from tests.pages import post_form

Say = Callable[..., Any]
CURVE = {
    "variable": "heat",
    "is_number": True,
    "places": [10.0, 20.0, 30.0],
    "heights": [-1.0, 0.0, 2.0],
    "lows": [-1.5, -0.2, 1.2],
    "highs": [-0.5, 0.2, 2.8],
    "counts": [40, 60],
    "lowest": 0,
    "highest": 2,
    "difference": 3.0,
    "error": 0.5,
}
KINDS = {**CURVE, "variable": "shift", "is_number": False, "places": ["a", "b", "c"]}
KINDS["counts"] = [40, 60, 10]


def window(low: float, high: float, gain: float, **more: Any) -> dict[str, Any]:
    ends = {"gain": gain, "gain_low": gain - 1, "gain_high": gain + 1}
    return {
        "low": low,
        "high": high,
        "level": None,
        "n": 80,
        "n_compared": 300,
        "n_effective": 70.0,
        **ends,
        **more,
    }


def version_with(*, verdict: str = "real", explains: bool = True, **evidence: Any) -> ModelVersion:
    judged = {"verdict": verdict, "first": 1, "last": 1, "gain": 0.2, "low": 0.1, "high": 0.3}
    judged |= {"p_value": 0.001, "n_effective": 100}
    return ModelVersion(
        target="yield",
        metrics={"explains": explains},
        evidence={"trust": {"variables": {"heat": judged}}, **evidence},
        ranking=[VariableRanking(feature="heat")],
    )


def lever(*windows: dict[str, Any], sense: str = "raise", goal: float | None = None) -> Any:
    return {"variable": "heat", "sense": sense, "goal": goal, "windows": list(windows)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "highest at heat = 30 and lowest at 10: 3 apart (between 2.02 and 3.98"),
        ({"error": 2.0}, "may make no difference"),
        ({"error": None, "lows": None, "highs": None}, "no time was left"),
    ],
)
def test_a_curve_says_how_far_apart_its_ends_are(
    say: Say, changes: dict[str, Any], words: str
) -> None:
    version = version_with(effects=[{**CURVE, **changes}])
    (found,) = say(effects, version)
    assert words in found.sentence
    assert say(effects, version, language="pt-BR")[0].sentence != found.sentence
    assert plot(found).line.count(",") == 3


def test_categories_stand_side_by_side(say: Say) -> None:
    (found,) = say(effects, version_with(effects=[KINDS]))
    drawn = plot(found)
    assert (len(drawn.marks), drawn.line, drawn.rows.count("M")) == (3, "", 3)
    assert [place.n for place in found.places] == [40, 60, 10]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (lever(window(1, 2, 3.0), window(2, 3, -3.0)), "from 1 to 2, yield was higher by 3 than"),
        (lever(window(1, 1, 3.0), sense="lower"), "at 1, yield was lower by 3"),
        (lever(window(1, 2, 3.0), sense="hold", goal=70.0), "nearer to 70 by 3"),
        (lever(window(1, 2, 3.0, level="b")), "at “b”"),
        (lever(window(1, 2, 0.5)), "No window of heat that was run is surely better"),
        (lever(), "in no window often enough"),
    ],
)
def test_a_lever_says_where_to_run_it_and_what_it_is_not(
    say: Say, document: dict[str, Any], words: str
) -> None:
    version = version_with(levers=[document])
    (found,) = say(levers, version)
    assert words in found.sentence
    assert ("Association, not cause" in found.sentence) is (found.best is not None)
    assert say(levers, version, language="pt-BR")[0].sentence != found.sentence


def test_noise_and_models_that_explain_nothing_have_no_windows(say: Say) -> None:
    documents = [lever(window(1, 2, 3.0))]
    assert say(levers, version_with(levers=documents, verdict="noise")) == []
    assert say(levers, version_with(levers=documents, explains=False)) == []
    assert len(say(levers, version_with(levers=documents, verdict="uncertain"))) == 1


@pytest.mark.parametrize(
    ("purpose", "words"),
    [
        (None, "No column was said to be a lever"),
        ({"levers": ["heat"], "sense": None}, "Nobody said what is wanted of yield"),
        ({"levers": ["heat"], "sense": "raise"}, "No window of any lever"),
    ],
)
def test_it_is_said_why_there_are_no_windows(say: Say, purpose: Any, words: str) -> None:
    assert words in say(levers_note, version_with(purpose=purpose))
    assert say(levers_note, version_with(levers=[lever(window(1, 2, 3.0))])) is None


def test_effects_and_levers_are_on_every_surface(
    client: FlaskClient,
    sign_in: Callable[..., FlaskClient],
    caller: Caller,
    bearer: Callable[..., dict[str, str]],
) -> None:
    version = make_version(caller)
    url = f"/api/v1/versions/{version.id}"
    headers = bearer("viewer")
    shown = client.get(f"{url}/effects", headers=headers).json
    assert [item["variable"] for item in shown[:2]] == ["heat", "speed"]
    assert shown[0]["difference_low"] > 0
    assert len(shown[0]["places"]) > 5
    assert client.get(f"{url}/levers", headers=headers).json == []
    with command() as session:
        evidence = {**version.evidence, "levers": [lever(window(1, 2, 3.0))]}
        session.execute(update(ModelVersion).values(evidence=evidence))
    assert client.get(f"{url}/levers", headers=headers).json[0]["best"]["gain"] == 3.0
    page = sign_in("viewer").get(f"/app/versions/{version.id}").text
    assert "With heat from 1 to 2" in page
    assert page.count('class="curve-plot"') == len(shown)


LAG = {"variable": "heat", "lag": 12, "first": 11, "last": 13, "correlation": 0.4, "now": 0.0}
LAG |= {"n": 500, "p_value": 1e-6}


@pytest.mark.parametrize(("correlation", "words"), [(0.4, "a higher yield"), (-0.4, "a lower")])
def test_a_dead_time_is_a_sentence(say: Say, correlation: float, words: str) -> None:
    version = version_with(lags=[{**LAG, "correlation": correlation}])
    (found,) = say(lags, version)
    assert words in found.sentence
    assert "12 rows later (11 to 13 rows fit as well): correlation 0.40" in found.sentence
    assert say(lags, version, language="pt-BR")[0].sentence != found.sentence


def test_dead_times_go_into_the_next_training_with_one_click(
    client: FlaskClient,
    sign_in: Callable[..., FlaskClient],
    caller: Caller,
    bearer: Callable[..., dict[str, str]],
) -> None:
    version = make_version(caller)
    url, headers = f"/api/v1/versions/{version.id}", bearer("operator")
    refused = client.post(f"{url}/lagged-runs", headers=headers)
    assert (refused.status_code, refused.json["code"]) == (409, "no_lags")
    with command() as session:
        more = {**LAG, "variable": "speed"}, {**LAG, "variable": "noise", "lag": 3}
        evidence = {**version.evidence, "lags": [LAG, *more]}
        session.execute(update(ModelVersion).values(evidence=evidence))
    assert client.get(f"{url}/lags", headers=headers).json[0]["lag"] == 12
    answer = client.post(f"{url}/lagged-runs", headers=headers)
    assert answer.status_code == 202
    specification = answer.json["specification"]
    assert specification["engineering"] == [
        {"step": "lags", "columns": ["heat", "speed"], "lags": [12]},
        {"step": "lags", "columns": ["noise"], "lags": [3]},
    ]
    assert specification["hyperparameters"] == version.specification["hyperparameters"]
    browser = sign_in("operator")
    assert "Train again with these lags" in browser.get(f"/app/versions/{version.id}").text
    started = post_form(browser, f"/app/versions/{version.id}/lagged-runs")
    assert started.status_code == 302
    assert "/app/runs/" in started.location
