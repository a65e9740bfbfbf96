"""A target of several classes on every surface: page, REST, command, prediction."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from flask.testing import FlaskClient

from prodapp.caller import Caller
from prodapp.cli.rankings import ranking_document
from tests.factories import make_ready_dataset, make_run, make_version

SignIn = Callable[..., FlaskClient]


def _parts() -> bytes:
    rng = random.Random(0)
    lines = ["heat,noise,part"]
    for number in range(240):
        heat, noise = rng.gauss(0, 1), rng.gauss(0, 1)
        part = "burnt" if heat > 0.9 else "raw" if heat < -0.6 else "good"
        lines.append(f"{heat:.4f},{noise:.4f},{part if number % 80 else 'odd'}")
    return "\n".join(lines).encode()


def test_all_classes_are_told_on_every_surface(
    client: FlaskClient, sign_in: SignIn, caller: Caller, bearer: Callable[..., dict[str, str]]
) -> None:
    dataset = make_ready_dataset(caller, content=_parts())
    # Verdicts have tests of their own, and take most of the time.
    run = make_run(caller, dataset, target="part", target_class="raw", time_budget_seconds=1)
    version = make_version(caller, run)
    headers = bearer("operator")
    found = client.get(f"/api/v1/versions/{version.id}/ranking", headers=headers).json
    assert found["target_class"] == "raw"
    joint = found["all_classes"]
    assert [one["label"] for one in joint["classes"]] == ["good", "raw", "burnt"]
    assert joint["accuracy_interval"]["low"] > joint["baseline_accuracy"]
    assert joint["overall"][0]["feature"] == "heat"
    effects = {one["label"]: one["variables"][0]["effect"] for one in joint["classes"]}
    assert (effects["raw"], effects["burnt"]) == ("decreases", "increases")

    browser = sign_in("viewer")
    page = " ".join(browser.get(f"/app/versions/{version.id}").text.split())
    for words in ("All classes together", "answered “burnt”", "Classes of “part” with fewer"):
        assert words in page
    assert json.dumps(ranking_document(version)["all_classes"]) == json.dumps(
        version.evidence["all_classes"]
    )

    asked = {"record": {"heat": 2.0, "noise": 0.0}}
    url = f"/api/v1/machines/{version.machine_id}/predictions"
    answer = client.post(url, json=asked, headers=headers).json
    assert answer["classes"][0]["label"] == "burnt"
    assert sum(one["probability"] for one in answer["classes"]) > 0.999
    kept = client.get(f"/api/v1/predictions/{answer['id']}", headers=headers).json
    assert kept["classes"] == answer["classes"]
    page = browser.get(f"/app/predictions/{answer['id']}").text
    assert 'id="class-shares"' in page
