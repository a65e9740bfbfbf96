"""The rule by which a version comes into use, from training to what is kept of it."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.champions import champion_of
from prodapp.extensions import command, db
from prodapp.models import Machine, ModelVersion
from prodapp.ranking.promotions import promotion_words
from prodapp.storage import storage
from tests.factories import make_csv, make_ready_dataset, make_run, make_version

LINEAR = {"algorithm": "linear_regression", "hyperparameters": {}}


@pytest.fixture
def weak(app: Flask, caller: Caller) -> ModelVersion:
    """The version in use of a machine whose rule is to take what is better: a stump."""
    version = make_version(caller, make_run(caller, hyperparameters=STUMP))
    set_rule(version, "better")
    return version


STUMP = {"n_estimators": 1, "max_depth": 1}


def set_rule(version: ModelVersion, rule: str) -> None:
    with command() as session:
        session.execute(
            update(Machine).where(Machine.id == version.machine_id).values(promotion=rule)
        )


def test_a_better_model_of_the_same_data_comes_into_use(weak: ModelVersion, caller: Caller) -> None:
    strong = make_version(caller, make_run(caller, weak.dataset, **LINEAR))
    assert champion_of(weak.machine_id).id == strong.id
    decided = strong.promotion
    assert decided["rule"] == "better"
    trial = decided["trial"]
    assert (trial["champion_id"], trial["n_learned"]) == (weak.id, 0)
    assert trial["duel"]["is_better"]
    assert trial["duel"]["n"] == strong.metrics["n_test"]
    assert trial["duel"]["gain"] == pytest.approx(strong.metrics["r2"] - weak.metrics["r2"])
    assert trial["duel"]["challenger_rmse"] == pytest.approx(strong.metrics["rmse"])
    words = promotion_words(strong)
    assert "better beyond the noise" in words[0]
    assert words[1] == "So it came into use by itself."


def test_an_equal_or_worse_model_does_not_come_into_use(app: Flask, caller: Caller) -> None:
    strong = make_version(caller, make_run(caller, **LINEAR))
    set_rule(strong, "better")
    again = make_version(caller, make_run(caller, strong.dataset, **LINEAR))
    assert again.promotion["trial"]["duel"]["gain"] == 0
    assert "no more than noise" in promotion_words(again)[0]
    worse = make_version(caller, make_run(caller, strong.dataset, hyperparameters=STUMP))
    assert worse.promotion["trial"]["duel"]["is_worse"]
    assert worse.promotion["trial"]["duel"]["n_tries"] == 2
    assert "worse beyond the noise" in promotion_words(worse)[0]
    assert promotion_words(worse)[1] == "So version 1 stayed in use."
    assert champion_of(strong.machine_id).id == strong.id


def test_a_model_of_new_data_is_compared_on_what_neither_has_learned(
    weak: ModelVersion, caller: Caller
) -> None:
    grown = make_csv(n_rows=120) + b"\n".join(make_csv(n_rows=120, seed=5).split(b"\n")[1:])
    dataset = make_ready_dataset(caller, weak.machine, content=grown)
    version = make_version(caller, make_run(caller, dataset, **LINEAR))
    trial = version.promotion["trial"]
    assert trial["n_learned"] > 0
    assert trial["duel"]["n"] == version.metrics["n_test"] - trial["n_learned"]
    assert trial["duel"]["is_better"]
    assert version.is_champion


def test_versions_of_other_targets_are_not_compared_and_a_person_decides(
    weak: ModelVersion, caller: Caller
) -> None:
    other = make_version(caller, make_run(caller, weak.dataset, target="heat", **LINEAR))
    assert not other.is_champion
    assert other.promotion["trial"]["duel"] is None
    assert "explains yield" in promotion_words(other)[0]
    set_rule(weak, "newest")
    assert make_version(caller, make_run(caller, weak.dataset, target="heat", **LINEAR)).is_champion


def test_a_version_whose_file_is_lost_does_not_stop_the_next(
    weak: ModelVersion, caller: Caller
) -> None:
    storage().delete(weak.artifact_key)
    version = make_version(caller, make_run(caller, weak.dataset, **LINEAR))
    assert not version.is_champion
    assert "missing from the storage" in promotion_words(version)[0]


def test_by_hand_alone_nothing_comes_into_use_but_the_first(
    make_app: object, tmp_path: object
) -> None:
    app = make_app(PROMOTION="manual")  # type: ignore[operator]
    with app.app_context():
        caller = auth.system_caller(name="tester")
        first = make_version(caller, make_run(caller, hyperparameters=STUMP))
        second = make_version(caller, make_run(caller, first.dataset, **LINEAR))
        assert champion_of(first.machine_id).id == first.id
        assert second.promotion["trial"]["duel"]["is_better"]
        assert "a person decides" in promotion_words(second)[1]
        assert first.promotion == {"rule": "manual", "is_promoted": True, "trial": None}
        assert promotion_words(first) == []
        db.session.remove()
        db.engine.dispose()
