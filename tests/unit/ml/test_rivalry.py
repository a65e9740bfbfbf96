from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from prodapp.exceptions import DataRefused
from prodapp.ml.columns import describe_column
from prodapp.ml.held_out import HeldOut
from prodapp.ml.rivalry import Earlier, Table, answers_of_earlier
from prodapp.ml.specification import Specification
from prodapp.ml.training import TrainingResult, train


def table(n_rows: int, *, seed: int) -> Table:
    rng = np.random.default_rng(seed)
    heat, speed = rng.normal(size=(2, n_rows))
    made = {"heat": heat, "speed": speed, "yield": 3 * heat - speed + rng.normal(0, 0.3, n_rows)}
    return of(pd.DataFrame(made))


def of(frame: pd.DataFrame) -> Table:
    kinds = {name: "number" if frame[name].dtype.kind == "f" else "category" for name in frame}
    columns = [
        describe_column(frame[name], name=name, kind=kinds[name], unit=None) for name in frame
    ]
    return Table(frame, columns)


SPEC = Specification.from_json({"target": "yield", "algorithm": "linear_regression"})
LAGGED = Specification.from_json(
    {
        "target": "yield",
        "algorithm": "linear_regression",
        "validation": "time",
        "engineering": [{"step": "lags", "columns": ["heat"], "lags": [1]}],
    }
)


@cache
def trained(is_lagged: bool = False) -> tuple[Table, Earlier, TrainingResult]:
    made, spec = table(120, seed=0), LAGGED if is_lagged else SPEC
    result = train(made.frame, made.columns, spec, progress=lambda _stage, _share: None)
    known = np.array([pair[0] for pair in result.held_out])
    return made, Earlier(result.pipeline, made, spec, result.metrics.n_train, known), result


@pytest.mark.parametrize("is_lagged", [True, False])
def test_of_the_same_table_and_split_the_earlier_model_answers_as_it_did(is_lagged: bool) -> None:
    made, earlier, result = trained(is_lagged)
    answers, is_new = answers_of_earlier(earlier, made, result.tested, is_same_table=True)
    assert is_new.all()
    assert answers == pytest.approx(result.tested.predicted)


@pytest.mark.parametrize("is_same_table", [True, False])
def test_samples_that_it_has_learned_from_are_told(is_same_table: bool) -> None:
    made, earlier, result = trained()
    every = np.arange(120)
    asked = HeldOut(every, made.frame["yield"].to_numpy(), np.zeros(120), is_ordered=False)
    _, is_new = answers_of_earlier(earlier, made, asked, is_same_table=is_same_table)
    assert set(every[is_new]) == set(result.tested.rows.tolist())


def test_rows_are_known_again_in_a_longer_table_in_another_order() -> None:
    made, earlier, result = trained()
    more = table(60, seed=1)
    longer = pd.concat([more.frame, made.frame.iloc[::-1]], ignore_index=True)
    asked = HeldOut(np.arange(180), np.zeros(180), np.zeros(180), is_ordered=False)
    answers, is_new = answers_of_earlier(earlier, of(longer), asked, is_same_table=False)
    assert is_new[:60].all()
    assert is_new[60:].sum() == len(result.tested.rows)
    assert answers[60:][::-1][result.tested.rows] == pytest.approx(result.tested.predicted)


def test_a_table_that_lacks_a_column_or_has_it_of_another_kind_is_refused() -> None:
    made, earlier, result = trained()
    without = Table(made.frame.drop(columns="speed"), made.columns[:1] + made.columns[2:])
    words = of(made.frame.assign(speed=np.where(made.frame["speed"] > 0, "fast", "slow")))
    for other in (without, words):
        with pytest.raises(DataRefused) as caught:
            answers_of_earlier(earlier, other, result.tested, is_same_table=False)
        assert caught.value.error_code == "other_columns"
        assert "speed" in str(caught.value)


def test_a_version_whose_samples_cannot_be_told_any_more_is_not_compared() -> None:
    made, earlier, result = trained()
    for other in (replace(earlier, n_train=50), replace(earlier, known=np.array([1e9]))):
        with pytest.raises(DataRefused) as caught:
            answers_of_earlier(other, made, result.tested, is_same_table=True)
        assert caught.value.error_code == "other_split"
