"""Steps as they come: what is wrong is said with a pointer, what is missing is filled in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from prodapp.exceptions import InvalidInput
from prodapp.ml.choice import check_specification, chosen_features
from prodapp.ml.columns import describe_column
from prodapp.ml.features.catalogue import STEPS
from prodapp.ml.features.plan import resolve_steps, step_errors
from prodapp.ml.specification import Specification

FRAME = pd.DataFrame(
    {
        "a": np.arange(10.0) ** 2,
        "b": np.arange(10.0)[::-1],
        "kind": list("xyxyxyxyxy"),
        "at": pd.date_range("2026-01-01", periods=10),
        "y": np.sin(np.arange(10.0)),
    }
)
COLUMNS = [
    describe_column(FRAME[name], name=name, kind=kind)
    for name, kind in zip(FRAME, ("number", "number", "category", "date", "number"), strict=True)
]


@pytest.mark.parametrize(
    ("step", "pointer"),
    [
        ("lags", "/engineering/0"),
        ({}, "/engineering/0/step"),
        ({"step": ["lags"]}, "/engineering/0/step"),
        ({"step": "magic"}, "/engineering/0/step"),
        ({"step": "lags", "columns": "a"}, "/engineering/0/columns"),
        ({"step": "lags", "columns": []}, "/engineering/0/columns"),
        ({"step": "ratio"}, "/engineering/0/columns"),
        ({"step": "ratio", "columns": ["a"]}, "/engineering/0/columns"),
        ({"step": "lags", "lags": []}, "/engineering/0/lags"),
        ({"step": "lags", "lags": [0]}, "/engineering/0/lags"),
        ({"step": "lags", "lags": [True]}, "/engineering/0/lags"),
        ({"step": "rolling", "statistics": ["mode"]}, "/engineering/0/statistics"),
        ({"step": "polynomial", "degree": 9}, "/engineering/0/degree"),
        ({"step": "polynomial", "depth": 2}, "/engineering/0/depth"),
        ({"step": "imputation", "indicator": 1}, "/engineering/0/indicator"),
        ({"step": "encoding", "method": "hash"}, "/engineering/0/method"),
    ],
)
def test_wrong_steps_are_refused_with_a_pointer(step: Any, pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Specification(target="y", engineering=(step,))
    assert [error.pointer for error in refused.value.fields] == [pointer]


@pytest.mark.parametrize("engineering", ["lags", 3, None, [{"step": "lags"}] * 21])
def test_what_is_no_list_of_steps_is_refused(engineering: Any) -> None:
    assert [error.pointer for error in step_errors(engineering)] == ["/engineering"]


@pytest.mark.parametrize(
    "step",
    [
        {"step": "lags", "columns": ["kind"]},
        {"step": "lags", "columns": ["y"]},
        {"step": "ratio", "columns": ["a", "speed"]},
        {"step": "calendar", "columns": ["a"]},
    ],
)
def test_columns_must_be_variables_of_the_right_kind(step: dict[str, Any]) -> None:
    spec = Specification(target="y", engineering=(step,))
    with pytest.raises(InvalidInput) as refused:
        check_specification(spec, COLUMNS)
    assert refused.value.fields[0].pointer == "/engineering/0/columns"


def test_too_many_columns_are_refused() -> None:
    step = {"step": "rolling", "windows": list(range(2, 22)), "statistics": ["mean", "std"]}
    spec = Specification(target="y", engineering=(step,) * 20)
    check_specification(spec, COLUMNS)
    wide = [*COLUMNS, describe_column(FRAME["b"] + 1, name="c", kind="number")]
    with pytest.raises(InvalidInput) as refused:
        check_specification(spec, wide)
    assert refused.value.fields[0].params["n"] == 2400


def test_every_step_takes_all_that_suits_it_with_its_defaults() -> None:
    variables = [column for column in COLUMNS if column.name != "y"]
    for name, step in STEPS.items():
        given = {"step": name, **({"columns": ["a", "b"]} if step.is_pair else {})}
        assert step_errors([given]) == []
        (resolved,) = resolve_steps([given], variables)
        assert set(resolved) == {"step", "columns", *step.parameters}
        assert resolved["columns"] == [c.name for c in variables if c.kind in step.takes]


def test_a_date_is_a_variable_where_its_parts_are_asked_for() -> None:
    assert "at" not in chosen_features(Specification(target="y"), COLUMNS)
    spec = Specification(target="y", engineering=({"step": "calendar"},))
    assert chosen_features(spec, COLUMNS) == ("a", "b", "kind", "at")
    named = Specification(target="y", features=("a", "at"), engineering=({"step": "calendar"},))
    assert chosen_features(named, COLUMNS) == ("a", "at")


def test_a_specification_with_steps_survives_json() -> None:
    spec = Specification(target="y", engineering=({"step": "lags", "lags": [1, 2]},))
    assert Specification.from_json(spec.to_json()) == spec
