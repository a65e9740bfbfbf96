"""The specification of a run, and its check against a table."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prodapp.exceptions import DataRefused, InvalidInput
from prodapp.ml.choice import check_specification, chosen_features, left_out
from prodapp.ml.columns import describe_column
from prodapp.ml.specification import Specification

from .conftest import describe

FRAME = pd.DataFrame(
    {
        "id": np.arange(30.0),
        "a": np.arange(30.0) % 7,
        "kind": ["x", "y", "z"] * 10,
        "flat": np.full(30, 1.0),
        "y": np.arange(30.0) ** 2,
    }
)
COLUMNS = describe(FRAME)


def test_json_goes_there_and_back() -> None:
    spec = Specification(
        target="y", features=("a", "kind"), hyperparameters={"max_depth": None}, random_state=3
    )
    assert Specification.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize(
    ("plain", "pointer"),
    [
        ({}, "/target"),
        ({"target": ""}, "/target"),
        ({"target": 3}, "/target"),
        ({"target": "y", "colour": "red"}, "/colour"),
        ({"target": "y", "algorithm": "magic"}, "/algorithm"),
        ({"target": "y", "test_size": 0.9}, "/test_size"),
        ({"target": "y", "test_size": float("nan")}, "/test_size"),
        ({"target": "y", "random_state": 1.5}, "/random_state"),
        ({"target": "y", "random_state": True}, "/random_state"),
        ({"target": "y", "max_explained_samples": 0}, "/max_explained_samples"),
        ({"target": "y", "features": []}, "/features"),
        ({"target": "y", "features": "a"}, "/features"),
        ({"target": "y", "features": ["a", "y"]}, "/features"),
        ({"target": "y", "hyperparameters": []}, "/hyperparameters"),
        ({"target": "y", "hyperparameters": {"n_estimators": 0}}, "/hyperparameters/n_estimators"),
        (
            {"target": "y", "hyperparameters": {"n_estimators": "9"}},
            "/hyperparameters/n_estimators",
        ),
        (
            {"target": "y", "hyperparameters": {"n_estimators": None}},
            "/hyperparameters/n_estimators",
        ),
        ({"target": "y", "hyperparameters": {"depth": 3}}, "/hyperparameters/depth"),
        (
            {"target": "y", "algorithm": "linear_regression", "hyperparameters": {"max_depth": 3}},
            "/hyperparameters/max_depth",
        ),
    ],
)
def test_wrong_values_are_refused_by_field(plain: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Specification.from_json(plain)
    assert [error.pointer for error in refused.value.fields] == [pointer]


def test_a_sound_specification_passes() -> None:
    check_specification(Specification(target="y"), COLUMNS)
    assert chosen_features(Specification(target="y"), COLUMNS) == ("a", "kind")


@pytest.mark.parametrize(
    ("spec", "close"),
    [
        (Specification(target="Y "), "y"),
        (Specification(target="y", features=("kinds",)), "kind"),
    ],
)
def test_unknown_columns_name_the_closest(spec: Specification, close: str) -> None:
    with pytest.raises(InvalidInput, match=f"Did you mean “{close}”") as refused:
        check_specification(spec, COLUMNS)
    assert "id, a, kind, flat, y" in str(refused.value)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (Specification(target="kind", classes="one_vs_rest"), "class_not_named"),
        (Specification(target="words"), "target_not_numeric"),
        (Specification(target="flat"), "target_constant"),
        (Specification(target="y", features=("flat",)), "no_features"),
    ],
)
def test_tables_that_cannot_answer_are_refused(spec: Specification, code: str) -> None:
    words = describe_column(pd.Series(["a b", "c d"]), name="words", kind="text")
    with pytest.raises(DataRefused) as refused:
        check_specification(spec, [*COLUMNS, words])
    assert refused.value.error_code == code


def test_one_of_several_classes_can_be_the_target() -> None:
    check_specification(Specification(target="kind", target_class="x"), COLUMNS)


def test_a_named_date_cannot_be_a_variable() -> None:
    when = describe_column(
        pd.Series(pd.date_range("2024-01-01", periods=30)), name="when", kind="date"
    )
    with pytest.raises(DataRefused) as refused:
        check_specification(Specification(target="y", features=("when",)), [*COLUMNS, when])
    assert refused.value.column == "when"


def test_an_identifier_may_be_chosen_by_name() -> None:
    assert chosen_features(Specification(target="y", features=("id", "a")), COLUMNS) == ("id", "a")


def test_left_out_columns_carry_their_reason() -> None:
    reasons = dict(left_out(Specification(target="y", features=("a",)), COLUMNS))
    assert set(reasons) == {"id", "kind", "flat"}
    assert reasons["kind"] == "It was not chosen."
    assert reasons["id"].startswith("It only counts")
