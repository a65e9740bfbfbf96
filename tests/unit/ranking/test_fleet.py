"""One variable over sister machines: who is apart, what is said, and who may see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from prodapp.caller import Caller
from prodapp.extensions import command
from prodapp.models import Machine, ModelVersion
from prodapp.ranking.fleet import Fleet, Sister, _apart, compare_machines
from prodapp.ranking.fleet_plot import fleet_plot
from prodapp.ranking.fleet_words import of_sister, summary
from prodapp.ranking.trust import Trust
from tests.factories import make_machine, make_ready_dataset, make_run, make_version

Bearer = Callable[..., dict[str, str]]
Say = Callable[..., Any]
SignIn = Callable[..., FlaskClient]
URL = "/api/v1/variables/comparison?name="


def sister(
    name: str,
    gain: float = 0.2,
    *,
    error: float = 0.01,
    verdict: str = "real",
    direction: str = "increases",
    **values: Any,
) -> Sister:
    judged = Trust(verdict, 1, 2, gain, gain - 1.96 * error, gain + 1.64 * error, 0.001, 400)
    facts = {
        "machine": Machine(id=1, name=name),
        "version_id": 1,
        "version_number": 1,
        "subject": "yield",
        "explains": True,
        "rank": 1,
        "n_variables": 4,
        "share": 0.5,
        "direction": direction,
        "strength": 0.9,
        "has_order": True,
        "trust": judged,
        **values,
    }
    return Sister(**facts)


def fleet(*sisters: Sister) -> Fleet:
    return Fleet("heat", sisters, len(sisters), _apart(sisters))


def test_two_machines_are_apart_only_beyond_chance() -> None:
    strong, weak = sister("A", 0.30), sister("B", 0.10)
    assert _apart([weak, strong]) == (strong, weak)
    assert _apart([sister("A", 0.11), sister("B", 0.10)]) is None
    assert _apart([strong]) is None


def test_of_many_machines_the_extremes_need_more_to_be_apart() -> None:
    """Of 45 pairs of machines that are alike some differ by more than two errors by chance."""
    two = [sister("low", 0.10), sister("high", 0.10 + 2.5 * 0.01 * 2**0.5)]
    alike = [sister(str(k), 0.115) for k in range(8)]
    assert _apart(two) is not None
    assert _apart([*two, *alike]) is None


def test_machines_that_explain_nothing_or_were_not_judged_do_not_count(say: Say) -> None:
    silent = sister("A", 0.9, explains=False)
    unjudged = replace(sister("B"), trust=None)
    assert _apart([silent, unjudged, sister("C", 0.1)]) is None
    told = say(summary, fleet(silent, unjudged, sister("C", 0.1)))
    assert "real on 1, uncertain on 0, noise on 0" in told[0]
    assert "2 machines do not count" in told[0]
    assert "tells nothing of heat" in say(of_sister, silent, "heat")
    assert "was not judged" in say(of_sister, unjudged, "heat")
    assert fleet_plot([silent, unjudged, sister("C")]) is None


def test_opposite_directions_are_named(say: Say) -> None:
    both = fleet(sister("A", 0.3), sister("B", 0.1, direction="decreases"))
    told = " ".join(say(summary, both))
    assert "raise the target on A and to lower it on B" in told
    assert "surely explains more on A" in told
    uncertain = fleet(sister("A"), sister("B", verdict="uncertain", direction="decreases"))
    assert "lower it on" not in " ".join(say(summary, uncertain))


def test_agreement_and_other_targets_are_said(say: Say) -> None:
    told = " ".join(say(summary, fleet(sister("A"), sister("B", subject="scrap"))))
    assert "Wherever it is real, raising it tends to raise the target." in told
    assert "does not surely differ" in told
    assert "different targets" in told
    assert say(summary, fleet(sister("A")))[0].startswith("Only A has heat")
    assert say(summary, fleet())[0].startswith("No machine's version in use has")
    portuguese = say(summary, fleet(sister("A"), sister("B")), language="pt-BR")
    assert "heat" in portuguese[0]
    assert portuguese != say(summary, fleet(sister("A"), sister("B")))


def test_the_drawing_keeps_intervals_inside_it() -> None:
    plot = fleet_plot([sister("A" * 30, 0.3), sister("B", -0.05, verdict="noise")])
    assert plot is not None
    first, second = plot.bars
    assert len(first.name) == 20
    assert first.is_real
    assert plot.left == second.low <= second.middle <= second.high < first.low < first.middle
    assert first.high <= plot.right
    assert plot.top < first.y < second.y < plot.bottom < plot.height


@pytest.fixture
def pair(app: Flask, caller: Caller) -> list[ModelVersion]:
    """The versions in use of two machines, trained on the same data."""
    return [
        make_version(caller, make_run(caller, make_ready_dataset(caller, machine)))
        for machine in (make_machine(caller), make_machine(caller, name="Press 02"))
    ]


def test_a_variable_is_compared_over_the_machines_of_the_site(
    app: Flask, client: FlaskClient, bearer: Bearer, caller: Caller, pair: list[ModelVersion]
) -> None:
    headers = bearer("viewer")
    found = client.get(f"{URL}heat", headers=headers).json
    assert found["n_machines"] == 2
    assert {row["machine_name"] for row in found["sisters"]} == {"Press 01", "Press 02"}
    row = found["sisters"][0]
    assert (row["rank"], row["n_variables"], row["subject"]) == (1, 4, "yield")
    published = client.get(f"/api/v1/versions/{row['version_id']}/ranking", headers=headers).json
    assert row["trust"] == published["ranking"][0]["trust"]
    assert any("heat" in sentence for sentence in found["summary"])
    known = client.get("/api/v1/variables", headers=headers).json
    assert {"name": "heat", "n_machines": 2} in known
    assert client.get(f"{URL}nothing", headers=headers).json["sisters"] == []

    told = app.test_cli_runner().invoke(args=["machine", "compare", "heat"]).output
    assert "Press 02" in told
    assert found["summary"][0] in told
    listed = app.test_cli_runner().invoke(args=["machine", "compare", "--json"]).output
    assert json.loads(listed) == known

    other = bearer("admin", site="Plant B")
    assert client.get(f"{URL}heat", headers=other).json["sisters"] == []
    assert client.get("/api/v1/variables", headers=other).json == []


def test_only_versions_in_use_of_living_machines_count(
    caller: Caller, pair: list[ModelVersion]
) -> None:
    first, second = pair
    make_version(caller, make_run(caller, first.dataset))
    found = compare_machines(caller, "heat")
    assert sorted(s.version_number for s in found.sisters) == [1, 2]
    with command():
        second.machine.deleted_at = second.created_at
    assert [s.machine.id for s in compare_machines(caller, "heat").sisters] == [first.machine_id]


def test_the_page_draws_and_tells_or_says_what_is_missing(
    sign_in: SignIn, pair: list[ModelVersion]
) -> None:
    client = sign_in("viewer")
    page = client.get("/app/variables").text
    assert "Press 02" in page
    assert '<svg class="curve-plot"' in page
    missing = client.get("/app/variables?name=nothing").text
    assert "has a variable named nothing." in missing
    assert '<table class="table stacked"' not in missing


def test_before_there_is_a_ranking_the_page_says_what_to_do(sign_in: SignIn) -> None:
    assert "No machine has a ranking yet" in sign_in("viewer").get("/app/variables").text
