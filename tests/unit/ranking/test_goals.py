"""Goal seek: which answer the documents of a run allow, by REST, page and words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import command, db
from prodapp.models import ModelVersion
from prodapp.ranking import goals
from prodapp.ranking.goals import Wanted, choose

PURPOSE = {"levers": ["heat", "speed"], "sense": "raise", "goal": None}


def region(*names: str, change: float, half: float, before: float = 50.0) -> dict[str, Any]:
    """A region of ``names``, whose change is known to within ``half``."""
    return {
        "bounds": [{"variable": n, "low": 1.0, "high": 2.0, "level": None} for n in names],
        "at": dict.fromkeys(names, 1.5),
        "n": 80,
        "n_compared": 400,
        "n_effective": 70.0,
        "before": before,
        "change": change,
        "change_low": change - half,
        "change_high": change + half,
        "nearer": change / 2,
        "nearer_low": change / 2 - half,
        "nearer_high": change / 2 + half,
    }


KEPT = [
    region("heat", change=3, half=1),
    region("heat", "speed", change=5, half=1.5),
    region("speed", change=-4, half=1),
    region("speed", change=0.5, half=1),
]


def sought(
    target: float | None = None,
    sense: str | None = None,
    *,
    kept: list[dict[str, Any]] | None = None,
    purpose: dict[str, Any] | None = None,
    noise: set[str] | None = None,
    explains: bool = True,
) -> goals.Answer:
    return choose(
        {"kept": KEPT if kept is None else kept, "n_compared": 40},
        PURPOSE | (purpose or {}),
        Wanted(target, sense),
        noise=noise or set(),
        explains=explains,
    )


def levers_of(answer: goals.Answer) -> list[str]:
    return [bound.variable for bound in answer.best.bounds] if answer.best else []


def test_as_good_as_possible_is_the_surest_gain() -> None:
    answer = sought()
    assert (answer.code, levers_of(answer)) == ("better", ["heat", "speed"])
    assert (answer.best.gain, answer.best.gain_low) == (5, 3.5)
    assert (answer.best.before, answer.best.expected_low) == (50, 53.5)
    assert [levers_of(goals.Answer("", None, None, 0, p)) for p in answer.others] == [["heat"]]


def test_a_fall_is_a_gain_where_the_target_is_to_be_lowered() -> None:
    answer = sought(sense="lower")
    assert (answer.code, levers_of(answer)) == ("better", ["speed"])
    assert (answer.best.gain_low, answer.best.expected_high) == (3, 47)


@pytest.mark.parametrize(
    ("target", "code", "levers"),
    [
        (51.5, "sure", ["heat"]),  # one lever will do
        (53.0, "sure", ["heat", "speed"]),
        (54.5, "expected", ["heat", "speed"]),
        (60.0, "better", ["heat", "speed"]),
        (49.0, "already", []),
    ],
)
def test_a_value_is_reached_surely_perhaps_or_not(
    target: float, code: str, levers: list[str]
) -> None:
    answer = sought(target)
    assert (answer.code, levers_of(answer)) == (code, levers)


def test_a_value_tells_its_direction_where_nobody_said_one() -> None:
    answer = sought(47.5, purpose={"sense": None})
    assert (answer.code, answer.sense) == ("sure", "lower")
    assert sought(purpose={"sense": None}).code == "no_sense"
    assert sought(sense="hold").code == "no_sense"


def test_a_value_that_is_held_is_neared() -> None:
    answer = sought(purpose={"sense": "hold", "goal": 58.0})
    assert (answer.code, answer.sense, answer.target) == ("better", "hold", 58.0)
    assert (answer.best.gain, answer.best.gain_low) == (2.5, 1.0)
    other = sought(53.0, purpose={"sense": "hold", "goal": 58.0})
    assert (other.code, other.sense) == ("sure", "raise")


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"explains": False}, "nothing_explained"),
        ({"purpose": {"levers": []}}, "no_levers"),
        ({"kept": []}, "too_few_rows"),
        ({"noise": {"heat", "speed"}}, "all_noise"),
        ({"kept": KEPT[3:]}, "unsupported"),
    ],
)
def test_what_the_data_do_not_support_is_said(how: dict[str, Any], code: str) -> None:
    answer = sought(**how)
    assert (answer.code, answer.best) == (code, None)
    assert sought(53.0, **how).code == code


def test_settings_of_noise_are_never_proposed() -> None:
    assert levers_of(sought(noise={"speed"})) == ["heat"]


def test_a_version_of_an_earlier_release_says_so() -> None:
    answer = choose(None, PURPOSE, Wanted(), noise=set(), explains=True)
    assert answer.code == "old_version"


@pytest.fixture
def version(filled: Flask) -> ModelVersion:
    return db.session.scalars(select(ModelVersion)).one()


@pytest.fixture
def client(filled: Flask, owner: Caller) -> FlaskClient:
    user = auth.create_user(owner, username="viewer-at-page", role="operator")
    client = filled.test_client()
    client.get(f"/app/sign-in/{auth.create_sign_in_link(user)}")
    return client


@contextmanager
def _found(version: ModelVersion, **evidence: Any) -> Iterator[None]:
    with command() as session:
        row = session.get_one(ModelVersion, version.id)
        row.evidence = {**row.evidence, "purpose": PURPOSE, **evidence}
    yield


@pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
def test_rest_and_page_say_the_same(client: FlaskClient, version: ModelVersion) -> None:
    with _found(version, regions={"kept": KEPT, "n_compared": 40}):
        answer = client.get(f"/api/v1/versions/{version.id}/goal?target=51.5").json
        champion = client.get(f"/api/v1/machines/{version.machine_id}/goal?target=51.5").json
        page = client.get(f"/app/versions/{version.id}/goal?target=51.5")
    assert champion == answer
    assert (answer["code"], answer["best"]["at"]) == ("sure", {"heat": 1.5})
    assert "With heat from 1 to 2, the mean of yield is expected at 53" in answer["sentence"]
    assert answer["sentence"] in page.text
    assert "Also surely better" in page.text
    # The settings can be looked at as a what-if.
    assert f"/app/versions/{version.id}/what-if?at=%7B%22heat%22" in page.text.replace("&#34;", "")
    assert "40 combinations of settings" in page.text


@pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
@pytest.mark.parametrize("query", ["", "?target=50", "?sense=lower", "?target=x"])
def test_the_page_answers_whatever_is_asked(
    client: FlaskClient, version: ModelVersion, query: str
) -> None:
    page = client.get(f"/app/versions/{version.id}/goal{query}")
    assert page.status_code == (422 if "x" in query else 200)
    words = "must be a number" if "x" in query else "No column was said to be a lever"
    assert words in page.text


@pytest.mark.parametrize("code", goals.CODES)
@pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
def test_each_code_has_words(filled: Flask, version: ModelVersion, code: str) -> None:
    from prodapp.ranking.goal_sentences import goal_sentence

    best = sought().best if code in ("sure", "expected", "better") else None
    with filled.test_request_context():
        said = goal_sentence(version, goals.Answer(code, "raise", 53.0, 4, best))
    assert said.endswith(".")
    assert "%(" not in said
