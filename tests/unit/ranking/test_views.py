from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import command
from prodapp.integration.answers import metrics_row
from prodapp.models import ModelVersion
from tests.factories import make_csv, make_ready_dataset, make_run, make_version

SignIn = Callable[..., FlaskClient]


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_a_result_says_its_verdict_before_its_ranking(
    sign_in: SignIn, caller: Caller, language: str
) -> None:
    version = make_version(caller)
    client = sign_in("viewer")
    page = client.get(f"/app/versions/{version.id}", headers={"Accept-Language": language}).text
    assert f'<html lang="{language}"' in page
    assert page.index('id="verdict"') < page.index('id="ranking-title"')
    for name in ("heat", "speed", "shift", "noise"):
        assert name in page
    assert ("heat drives yield most" in page) is (language == "en")


def test_a_result_that_explains_nothing_withholds_the_order(
    sign_in: SignIn, caller: Caller
) -> None:
    version = make_version(caller)
    with command() as session:
        metrics = {**version.metrics, "explains": False}
        session.execute(update(ModelVersion).values(metrics=metrics))
    page = sign_in("viewer").get(f"/app/versions/{version.id}").text
    assert "do not explain yield" in page
    assert "The order is withheld" in page
    assert page.index("The order is withheld") < page.index("Show it nevertheless")


def test_a_result_says_how_it_was_judged_and_shows_each_fold(
    sign_in: SignIn, caller: Caller
) -> None:
    version = make_version(caller)
    page = " ".join(sign_in("viewer").get(f"/app/versions/{version.id}").text.split())
    assert "drawn at random" in page
    assert "in no order of time and belong to no groups" in page
    folds = version.evidence["validation"]["folds"]
    assert page.count('class="scores-bar') == len(folds) == 9
    assert "Few rows: drawn 3 times." in page
    assert "Skill" in page


def test_a_result_of_the_release_before_is_shown_without_what_it_lacks(
    sign_in: SignIn, caller: Caller
) -> None:
    version = make_version(caller)
    kept = ("r2", "mae", "rmse", "baseline_mae", "baseline_rmse", "n_train", "n_test", "explains")
    intervals = ("r2_interval", "mae_interval", "rmse_interval", "n_features")
    with command() as session:
        metrics = {name: version.metrics[name] for name in (*kept, *intervals)}
        evidence = {key: value for key, value in version.evidence.items() if key != "validation"}
        evidence["gap"] = {"shuffled_r2": 0.9, "blocked_r2": 0.8, "n_folds": 3, "n_samples": 99}
        session.execute(update(ModelVersion).values(metrics=metrics, evidence=evidence))
    client = sign_in("viewer")
    page = client.get(f"/app/versions/{version.id}")
    assert page.status_code == 200
    assert 'class="scores-bar' not in page.text


def test_a_result_that_is_not_in_use_says_so(sign_in: SignIn, caller: Caller) -> None:
    first = make_version(caller)
    make_version(caller, make_run(caller, first.dataset))
    page = sign_in("viewer").get(f"/app/versions/{first.id}").text
    assert "This version is not the one in use." in page


def test_a_result_by_straight_lines_is_shown_too(sign_in: SignIn, caller: Caller) -> None:
    run = make_run(caller, algorithm="linear_regression", hyperparameters={})
    version = make_version(caller, run)
    assert sign_in("viewer").get(f"/app/versions/{version.id}").status_code == 200


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_the_ranking_can_be_taken_along(sign_in: SignIn, caller: Caller, language: str) -> None:
    version = make_version(caller)
    answer = sign_in("viewer").get(
        f"/app/versions/{version.id}/ranking.csv", headers={"Accept-Language": language}
    )
    assert answer.mimetype == "text/csv"
    name = f"ranking-{version.machine_id}-1.csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert answer.text.count("\n") == 5
    assert ("Raising heat" in answer.text) is (language == "en")


def test_hostile_names_are_harmless_on_the_result(sign_in: SignIn, caller: Caller) -> None:
    content = make_csv().replace(b"heat", b"<script>alert(1)</script>", 1)
    version = make_version(caller, make_run(caller, make_ready_dataset(caller, content=content)))
    client = sign_in("viewer")
    for path in (f"/app/versions/{version.id}", f"/app/machines/{version.machine_id}"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("path", ["", "/ranking.csv"])
def test_results_of_another_site_look_missing(sign_in: SignIn, caller: Caller, path: str) -> None:
    version = make_version(auth.system_caller(site="other"))
    client = sign_in("admin")
    for version_id in (version.id, 999):
        assert client.get(f"/app/versions/{version_id}{path}").status_code == 404


def test_a_class_is_explained_as_a_probability_on_every_surface(
    client: FlaskClient, sign_in: SignIn, caller: Caller, bearer: Callable[..., dict[str, str]]
) -> None:
    rng = random.Random(0)
    lines = ["heat,noise,part"]
    for _ in range(600):
        heat, noise = rng.gauss(0, 1), rng.gauss(0, 1)
        lines.append(f"{heat:.4f},{noise:.4f},{'bad' if heat + 0.3 * noise > 0.8 else 'good'}")
    dataset = make_ready_dataset(caller, content="\n".join(lines).encode())
    version = make_version(
        caller, make_run(caller, dataset, target="part", tuning="random", n_candidates=2)
    )
    path = f"/api/v1/versions/{version.id}"
    headers = bearer("operator")
    answer = client.get(path, headers=headers).json
    assert (answer["target_class"], answer["shap_scale"]) == ("bad", "probability")
    assert answer["metrics"]["classes"]["roc_auc"] > 0.9
    assert len(answer["tuning"]["trials"]) == 2
    rows = client.get(f"{path}/ranking", headers=headers).json["ranking"]
    assert rows[0]["feature"] == "heat"
    assert "raise the probability of part = bad" in rows[0]["direction"]
    assert metrics_row(version)["r2"] == version.metrics["r2"] > 0.2
    page = sign_in("viewer").get(f"/app/versions/{version.id}").text
    for words in ("drives the probability of part = bad most", "ROC AUC", "Settings tried"):
        assert words in page
    assert "%(" not in page
