"""Alarms as people read them, and what they say of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from prodapp.caller import Caller
from prodapp.exceptions import InvalidInput, NotFound
from prodapp.extensions import command, db
from prodapp.models import AlarmAcceptance, AuditEvent, ModelVersion
from prodapp.ranking import acceptances
from prodapp.ranking.alarm_words import message, why
from prodapp.ranking.alarms import CODES, alarms
from prodapp.ranking.segments import segments
from tests.factories import make_run, make_version
from tests.pages import post_form

SignIn = Callable[..., FlaskClient]
Say = Callable[..., Any]
LEAK = {
    "code": "leak_suspect",
    "severity": "critical",
    "variables": ["heat", "speed"],
    "params": {"rule": "pair", "share": 0.991},
}
STUCK = {
    "code": "barely_moved",
    "severity": "info",
    "variables": ["noise"],
    "params": {"share": 0.99, "value": 70.0, "low": 60.0, "high": 80.0},
}
GAP = {"shuffled": 0.9, "blocked": -0.2, "n_folds": 3, "n": 400, "is_kept_apart": True}
FLIP = {
    "column": "shift",
    "level_up": "day",
    "slope_up": 0.4,
    "error_up": 0.05,
    "n_up": 200,
    "level_down": "night",
    "slope_down": -0.3,
    "error_down": 0.05,
    "n_down": 180,
}
TOLD = {"rule": "threshold", "reason": "Cut at %(value).4g.", "params": {"value": 3.5}}
CASES: list[tuple[str, list[str], dict[str, Any]]] = [
    ("explains_nothing", [], {"n": 80, "r2": -0.1, "low": -0.2, "high": 0.05}),
    ("leak_suspect", ["a", "b"], {"rule": "pair", "share": 0.9999}),
    ("leak_suspect", ["a", "b"], TOLD),
    ("leak_suspect", ["a"], TOLD),
    ("row_order", ["meter"], {"share": 0.999, "column": "when"}),
    ("order_leak", [], GAP),
    ("order_leak", [], {**GAP, "is_kept_apart": False}),
    ("group_leak", [], GAP),
    ("group_leak", [], {**GAP, "is_kept_apart": False}),
    ("too_few_samples", [], {"n": 12, "limit": 30}),
    ("sign_flip", ["speed"], FLIP),
    ("damage", ["pH"], {"reason": "Odd: %(n)d.", "params": {"n": 3}}),
    ("barely_moved", ["a"], {"share": 0.99, "value": "off"}),
    ("barely_moved", ["a"], {"share": None, "value": 7.0, "low": 6.9999, "high": 7.0001}),
    ("barely_moved", ["a"], STUCK["params"]),
]


@pytest.mark.parametrize(("code", "variables", "params"), CASES)
def test_each_alarm_says_what_is_the_matter_and_why(
    say: Say, code: str, variables: list[str], params: dict[str, Any]
) -> None:
    said = {
        language: [
            say(words, code, variables, params, target="yield", language=language)
            for words in (message, why)
        ]
        for language in ("en", "pt-BR")
    }
    assert said["en"][0] != said["pt-BR"][0]
    for sentence in (text for texts in said.values() for text in texts):
        assert sentence.endswith(".")
        assert "%(" not in sentence
    assert all(name in said["en"][0] for name in variables)
    if code not in ("barely_moved", "too_few_samples"):
        assert "yield" in said["en"][0] or code == "damage"


def test_every_code_has_words() -> None:
    assert {code for code, _, _ in CASES} == set(CODES)


def rung_version(caller: Caller, *documents: dict[str, Any]) -> ModelVersion:
    version = make_version(caller)
    ring(version, *documents)
    return version


def ring(version: ModelVersion, *documents: dict[str, Any]) -> None:
    evidence = {**version.evidence, "alarms": list(documents)}
    with command() as session:
        session.execute(
            update(ModelVersion).where(ModelVersion.id == version.id).values(evidence=evidence)
        )


def test_an_accepted_alarm_is_told_with_its_reason_in_later_versions_too(
    app: Flask, caller: Caller
) -> None:
    first = rung_version(caller, STUCK, LEAK)
    leak, stuck = alarms(first)
    assert (leak.features, stuck.features) == (("heat", "speed"), ("noise",))
    acceptances.accept_alarm(caller, first.id, leak.key, reason="  Both are set points. ")
    second = make_version(caller, make_run(caller, first.dataset))
    ring(second, LEAK, STUCK)
    stuck, leak = alarms(second)  # accepted ones come last
    assert leak.acceptance is not None
    assert leak.acceptance.reason == "Both are set points."
    assert leak.acceptance.accepted_by == caller.name
    assert stuck.acceptance is None
    acceptances.accept_alarm(caller, second.id, leak.key, reason="Better said.")
    acceptances.take_back(caller, second.id, leak.key)
    acceptances.take_back(caller, second.id, leak.key)  # nothing is left to do
    assert [alarm.acceptance for alarm in alarms(first)] == [None, None]
    actions = db.session.scalars(
        select(AuditEvent.action).where(AuditEvent.action.startswith("alarm."))
    ).all()
    assert sorted(actions) == ["alarm.accepted", "alarm.accepted", "alarm.taken_back"]
    assert len(db.session.scalars(select(AlarmAcceptance)).all()) == 2  # the history stays


def test_an_acceptance_needs_a_reason_and_an_alarm(app: Flask, caller: Caller) -> None:
    version = rung_version(caller, LEAK)
    (leak,) = alarms(version)
    for reason in ("", "  ", "x" * 1001):
        with pytest.raises(InvalidInput, match="reason"):
            acceptances.accept_alarm(caller, version.id, leak.key, reason=reason)
    with pytest.raises(NotFound, match="no alarm"):
        acceptances.accept_alarm(caller, version.id, "0" * 16, reason="r")


def test_a_version_of_the_release_before_tells_what_its_metrics_tell(
    app: Flask, caller: Caller
) -> None:
    version = make_version(caller)
    evidence = {key: value for key, value in version.evidence.items() if key != "alarms"}
    metrics = {**version.metrics, "explains": False, "n_test": 12}
    metrics.pop("skill_interval")
    with command() as session:
        session.execute(update(ModelVersion).values(evidence=evidence, metrics=metrics))
    assert [alarm.code for alarm in alarms(version)] == ["explains_nothing", "too_few_samples"]


def test_alarms_are_accepted_and_taken_back_by_rest(
    client: FlaskClient, caller: Caller, bearer: Callable[..., dict[str, str]]
) -> None:
    version = rung_version(caller, LEAK)
    headers = bearer("analyst")
    url = f"/api/v1/versions/{version.id}/alarms"
    (alarm,) = client.get(url, headers=headers).json
    assert (alarm["code"], alarm["acceptance"]) == ("leak_suspect", None)
    assert "99.1%" in alarm["evidence"]
    place = f"{url}/{alarm['key']}/acceptance"
    assert client.put(place, headers=headers, json={"reason": ""}).status_code == 422
    (alarm,) = client.put(place, headers=headers, json={"reason": "Known."}).json
    assert alarm["acceptance"]["reason"] == "Known."
    ranking = client.get(f"/api/v1/versions/{version.id}/ranking", headers=headers).json
    assert ranking["alarms"] == [alarm]
    assert ranking["is_withheld"] is False
    assert client.delete(place, headers=headers).status_code == 204
    assert client.get(url, headers=headers).json[0]["acceptance"] is None
    assert client.delete(f"{url}/none/acceptance", headers=headers).status_code == 404
    shown = client.get(f"/ranking/?machine_id={version.machine_id}", headers=headers)
    assert shown.status_code == 200


def test_the_page_shows_alarms_before_the_ranking_and_takes_a_reason(
    sign_in: SignIn, caller: Caller
) -> None:
    version = rung_version(caller, LEAK, STUCK)
    path = f"/app/versions/{version.id}"
    page = sign_in("operator").get(path).text
    assert page.index("heat, speed together give yield") < page.index('id="ranking-title"')
    assert "Accept this alarm" not in page
    client = sign_in("analyst")
    page = client.get(path).text
    assert "Accept this alarm" in page
    key = alarms(version)[0].key
    refused = post_form(client, f"{path}/alarms/{key}/accept", reason=" ")
    assert refused.status_code == 422
    assert "Give a reason" in refused.text
    post_form(client, f"{path}/alarms/{key}/accept", reason="<b>Known</b>")
    page = client.get(path).text
    assert "&lt;b&gt;Known&lt;/b&gt;" in page
    assert "Take the acceptance back" in page
    post_form(client, f"{path}/alarms/{key}/take-back")
    assert "Take the acceptance back" not in client.get(path).text


def test_parts_of_the_production_have_rankings_and_a_sentence(say: Say) -> None:
    def level(name: str, *shares: tuple[str, float]) -> dict[str, Any]:
        listed = [[feature, share, 0.02] for feature, share in shares]
        return {"name": name, "n": 100, "n_explained": 50, "importances": listed}

    def sentence(*levels: dict[str, Any], language: str = "en") -> str:
        document = {"column": "shift", "is_shift": False, "levels": list(levels)}
        version = ModelVersion(target="yield", evidence={"segments": [document]})
        (found,) = say(segments, version, language=language)
        assert [part.name for part in found.parts] == ["day", "night"]
        return found.sentence

    day, night = level("day", ("heat", 0.7), ("speed", 0.3)), level("night", ("speed", 0.8))
    assert sentence(day, level("night", ("heat", 0.9))).startswith("heat leads for yield in every")
    assert "day: heat (70%); night: speed (80%)" in sentence(day, night)
    assert "too small" in sentence(level("day"), level("night"))
    assert sentence(day, night) != sentence(day, night, language="pt-BR")


def test_regimes_are_called_stretches_of_time(say: Say) -> None:
    levels = [
        {
            "name": name,
            "n": 100,
            "n_explained": n,
            "importances": [["heat", 0.7, 0.02]] if n else [],
        }
        for name, n in (("1 (1 – 100)", 0), ("2 (101 – 200)", 50))
    ]
    document = {"column": "", "is_shift": False, "levels": levels}
    version = ModelVersion(target="yield", evidence={"segments": [document]})
    (found,) = say(segments, version)
    assert found.is_regime
    assert found.sentence == "heat leads for yield in every part by stretch of time."
    params = {"column": "", "level_up": "1 (1 – 100)", "level_down": "2 (101 – 200)"}
    told = say(message, "sign_flip", ["heat"], params, target="yield")
    assert "where stretch of time is 1 (1 – 100)" in told
