"""The training form: algorithms, their hyperparameters, and words beside wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from prodapp.caller import Caller
from prodapp.extensions import db
from prodapp.ml import algorithms
from prodapp.ml.algorithms import ALGORITHMS
from prodapp.ml.features.catalogue import DATES, STEPS
from prodapp.models import TrainingRun
from tests.factories import make_ready_dataset
from tests.pages import csrf_token

SignIn = Callable[..., FlaskClient]


def send(client: FlaskClient, dataset_id: int, **form: Any) -> Any:
    page = f"/app/datasets/{dataset_id}"
    fields = {"csrf_token": csrf_token(client, page), "target": "yield", **form}
    return client.post(f"{page}/runs", data=fields)


def test_the_form_offers_every_algorithm_and_hyperparameter(
    sign_in: SignIn, caller: Caller
) -> None:
    page = sign_in().get(f"/app/datasets/{make_ready_dataset(caller).id}").text
    for name, algorithm in ALGORITHMS.items():
        assert f'value="{name}"' in page
        for key in algorithm.hyperparameters:
            assert f'name="{name}.{key}"' in page


def test_a_search_is_asked_for_and_leaves_what_was_changed(sign_in: SignIn, caller: Caller) -> None:
    dataset = make_ready_dataset(caller)
    answer = send(
        sign_in(),
        dataset.id,
        algorithm="decision_tree",
        tuning="random",
        n_candidates="5",
        **{"decision_tree.max_depth": "", "decision_tree.min_samples_leaf": "7"},
    )
    assert answer.status_code == 302
    run = db.session.scalars(select(TrainingRun)).one()
    assert run.specification["tuning"] == "random"
    assert run.specification["n_candidates"] == 5
    assert run.specification["hyperparameters"] == {"min_samples_leaf": 7}


def test_the_form_cannot_choose_an_algorithm_whose_library_is_missing(
    sign_in: SignIn, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(algorithms, "_loads", lambda package: package.module != "lightgbm")
    page = sign_in().get(f"/app/datasets/{make_ready_dataset(caller).id}").text
    assert 'value="lightgbm" disabled' in page
    assert "libgomp" in page
    assert 'name="lightgbm.num_leaves"' not in page


def test_only_the_chosen_algorithm_takes_its_hyperparameters(
    sign_in: SignIn, caller: Caller
) -> None:
    form = {
        "algorithm": "ridge",
        "ridge.alpha": "2.5",
        "random_forest.n_estimators": "7",
        "random_forest.max_depth": "",
    }
    send(sign_in(), make_ready_dataset(caller).id, **form)
    run = db.session.scalars(select(TrainingRun)).one()
    assert run.specification["algorithm"] == "ridge"
    assert run.specification["hyperparameters"] == {"alpha": 2.5}


def test_empty_means_no_limit_where_there_may_be_none_and_else_the_default(
    sign_in: SignIn, caller: Caller
) -> None:
    form = {"random_forest.max_depth": "", "random_forest.n_estimators": ""}
    send(sign_in(), make_ready_dataset(caller).id, algorithm="random_forest", **form)
    run = db.session.scalars(select(TrainingRun)).one()
    assert run.specification["hyperparameters"] == {"max_depth": None}


def test_a_wrong_hyperparameter_is_said_beside_its_field_and_kept(
    sign_in: SignIn, caller: Caller
) -> None:
    dataset = make_ready_dataset(caller)
    form = {"algorithm": "gradient_boosting", "gradient_boosting.learning_rate": "7"}
    answer = send(sign_in(), dataset.id, **form)
    assert answer.status_code == 422
    words = " ".join(answer.text.split())
    assert 'name="gradient_boosting.learning_rate" type="number" step="any" value="7"' in words
    assert 'id="field-gradient_boosting-learning_rate-error"' in words
    assert "Give a number from 0.001 to 1." in words
    assert db.session.scalars(select(TrainingRun)).all() == []


def test_validation_and_budgets_go_from_the_form_to_the_run(
    sign_in: SignIn, caller: Caller
) -> None:
    form = {
        "validation": "group",
        "group_column": "shift",
        "time_column": "",
        "n_folds": "4",
        "gap_rows": "",
        "time_budget_seconds": "2.5",
        "random_state": "7",
    }
    send(sign_in(), make_ready_dataset(caller).id, **form)
    asked = db.session.scalars(select(TrainingRun)).one().specification
    assert (asked["validation"], asked["group_column"], asked["time_column"]) == (
        "group",
        "shift",
        None,
    )
    assert (asked["n_folds"], asked["gap_rows"]) == (4, None)
    assert (asked["time_budget_seconds"], asked["random_state"]) == (2.5, 7)


def test_a_wrong_setting_is_said_beside_its_field_and_kept(sign_in: SignIn, caller: Caller) -> None:
    answer = send(sign_in(), make_ready_dataset(caller).id, n_folds="100", validation="group")
    assert answer.status_code == 422
    words = " ".join(answer.text.split())
    assert 'name="n_folds" type="number" step="any" value="100"' in words
    assert 'id="field-n_folds-error"' in words
    assert 'value="group" checked' in words


def test_the_form_offers_every_step_that_finds_columns(sign_in: SignIn, caller: Caller) -> None:
    page = sign_in().get(f"/app/datasets/{make_ready_dataset(caller).id}").text
    for name, step in STEPS.items():
        is_offered = step.takes != DATES  # of which the data set has none
        assert (f'value="{name}"' in page) is is_offered
        for key in step.parameters:
            assert (f'name="engineering.{name}.{key}"' in page) is is_offered


def test_steps_go_from_the_form_to_the_run(sign_in: SignIn, caller: Caller) -> None:
    form: dict[str, Any] = {
        "engineering": ["ratio", "polynomial", "imputation"],
        "engineering.ratio.columns": ["heat", "speed"],
        "engineering.polynomial.degree": "3",
        "engineering.imputation.strategy": "constant",
        "engineering.imputation.fill_value": "1.5",
        "engineering.lags.lags": "1, 2",
    }
    send(sign_in(), make_ready_dataset(caller).id, **form)
    assert db.session.scalars(select(TrainingRun)).one().specification["engineering"] == [
        {"step": "ratio", "columns": ["heat", "speed"]},
        {"step": "polynomial", "degree": 3},
        {"step": "imputation", "strategy": "constant", "fill_value": 1.5, "indicator": False},
    ]


def test_a_kind_of_step_can_be_taken_several_times(sign_in: SignIn, caller: Caller) -> None:
    dataset, client = make_ready_dataset(caller), sign_in()
    url = f"/app/datasets/{dataset.id}/engineering-step"
    block = client.get(url, query_string={"step": "ratio", "number": 2}).text
    assert 'value="ratio-2" checked autofocus' in " ".join(block.split())
    assert 'id="more-ratio" hx-swap-oob="delete"' in " ".join(block.split())
    for wrong in ({"step": "magic", "number": 2}, {"step": "ratio", "number": 1}, {}):
        assert client.get(url, query_string=wrong).status_code == 422
    form: dict[str, Any] = {
        "engineering": ["ratio", "ratio-2", "polynomial", "magic-2", "ratio-99"],
        "engineering.ratio.columns": ["heat", "speed"],
        "engineering.ratio-2.columns": ["speed", "heat"],
        "engineering.polynomial.degree": "99",
    }
    page = " ".join(send(client, dataset.id, **form).text.split())
    assert 'value="ratio-2" checked' in page
    assert page.count("One more of this kind") == page.count('hx-swap="afterend"')
    assert 'id="more-ratio-2"' in page
    assert 'id="more-ratio"' not in page
    send(client, dataset.id, **form | {"engineering.polynomial.degree": "2"})
    assert db.session.scalars(select(TrainingRun)).one().specification["engineering"] == [
        {"step": "ratio", "columns": ["heat", "speed"]},
        {"step": "ratio", "columns": ["speed", "heat"]},
        {"step": "polynomial", "degree": 2},
    ]


def test_a_wrong_step_is_said_beside_its_field_and_kept(sign_in: SignIn, caller: Caller) -> None:
    form: dict[str, Any] = {"engineering": ["lags"], "engineering.lags.lags": "1, many"}
    answer = send(sign_in(), make_ready_dataset(caller).id, **form)
    assert answer.status_code == 422
    words = " ".join(answer.text.split())
    assert 'id="field-engineering-lags-lags-error"' in words
    assert 'value="1, many"' in words
