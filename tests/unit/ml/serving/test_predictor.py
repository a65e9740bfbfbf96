"""A version at work: the same answers as its pipeline, explained, with what is new said."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from prodapp.exceptions import DataRefused
from prodapp.ml.artifact import dump_pipeline, load_pipeline
from prodapp.ml.columns import describe_column
from prodapp.ml.estimators import build_pipeline
from prodapp.ml.fitting import answers_of
from prodapp.ml.joint import HeldOutAnswers
from prodapp.ml.samples import gather_samples
from prodapp.ml.serving.predictor import Predictor
from prodapp.ml.serving.reference import Reference, make_reference
from prodapp.ml.serving.tables import answer_table
from prodapp.ml.serving.variables import row_of, rows_frame
from prodapp.ml.specification import Specification
from prodapp.ml.table import Column, Dialect, Table

N = 260


def _frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    heat, speed = rng.normal(200, 10, N), rng.uniform(1, 5, N)
    shift = rng.choice(["day", "night"], N)
    yields = 50 + 0.5 * (heat - 200) - 2 * speed + 3 * (shift == "day") + rng.normal(0, 0.5, N)
    speed[::20] = np.nan
    frame = pd.DataFrame({"heat": heat, "speed": speed, "shift": shift, "yield": yields})
    return frame.assign(good=np.where(yields > 45, "yes", "no"))


def _columns(frame: pd.DataFrame) -> list[Column]:
    kinds = {"shift": "category", "good": "boolean"}
    return [
        describe_column(frame[name], name=name, kind=kinds.get(name, "number")) for name in frame
    ]


class Trained(NamedTuple):
    pipeline: Pipeline
    reference: Reference


def _trained(target: str = "yield", **spec: Any) -> Trained:
    frame = _frame()
    frame = frame.drop(columns="good" if target == "yield" else "yield")
    return _fitted(frame, _columns(frame), {"target": target, **spec})


def _fitted(frame: pd.DataFrame, columns: list[Column], document: dict[str, Any]) -> Trained:
    """What a run leaves, without the parts that nothing here looks at."""
    spec = Specification.from_json(document)
    samples = gather_samples(frame, columns, spec)
    pipeline = build_pipeline(spec, samples.columns, n_samples=len(samples.y_train))
    pipeline.fit(samples.X_train, samples.y_train)
    predicted = answers_of(pipeline, samples.X_test)
    reference = make_reference(pipeline, samples, HeldOutAnswers(predicted, None), random_state=0)
    whole = Pipeline([("series", samples.series), *pipeline.steps])
    return Trained(whole if samples.series.steps else pipeline, reference)


@pytest.fixture(scope="module")
def forest() -> Trained:
    return _trained(hyperparameters={"n_estimators": 8})


@pytest.fixture(scope="module")
def predictor(forest: Trained) -> Predictor:
    document = json.loads(json.dumps(forest.reference.to_json()))
    pipeline = load_pipeline(dump_pipeline(forest.pipeline))
    return Predictor(pipeline, Reference.from_json(document))


def _row(predictor: Predictor, **values: Any) -> list[Any]:
    record = {v.name: v.default for v in predictor.variables} | values
    row, errors = row_of(predictor.variables, record)
    assert not errors
    return row


def _wrong(predictor: Predictor, record: dict[str, Any]) -> dict[str, str]:
    return {error.pointer: error.message for error in row_of(predictor.variables, record)[1]}


def test_one_row_and_many_get_what_the_pipeline_answers(
    forest: Trained, predictor: Predictor
) -> None:
    rows = list(predictor.reference.rows)
    expected = answers_of(forest.pipeline, rows_frame(predictor.variables, rows))
    singly = [predictor.answer([row], level=0.9)[0].value for row in rows]
    np.testing.assert_allclose(singly, expected, rtol=1e-9)
    np.testing.assert_allclose(predictor.values(rows)[0], expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("algorithm", "engineering"),
    [
        ("linear_regression", [{"step": "encoding", "columns": ["shift"], "method": "target"}]),
        ("ridge", [{"step": "product", "columns": ["heat", "speed"]}]),
        ("decision_tree", [{"step": "encoding", "columns": ["shift"], "method": "ordinal"}]),
        ("gradient_boosting", [{"step": "transform", "columns": ["heat"], "method": "log"}]),
        ("k_neighbors", [{"step": "polynomial", "columns": ["heat"], "degree": 2}]),
        ("elastic_net", [{"step": "transform", "columns": ["heat"], "method": "yeo_johnson"}]),
    ],
)
def test_every_algorithm_answers_as_its_pipeline_and_adds_up(
    algorithm: str, engineering: list[Any]
) -> None:
    result = _trained(algorithm=algorithm, engineering=engineering)
    predictor = Predictor(result.pipeline, result.reference)
    rows = list(result.reference.rows[:12])
    expected = answers_of(result.pipeline, rows_frame(predictor.variables, rows))
    singly = [predictor.values([row])[0][0] for row in rows]
    np.testing.assert_allclose(singly, expected, rtol=1e-9)
    found = predictor.explain(rows[:3])
    assert found.values.shape == (3, 3)
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), expected[:3], rtol=1e-5)
    # The mean answer is the same whichever row is explained.
    np.testing.assert_allclose(found.base, found.base[0], rtol=0.02)


def test_contributions_add_up_from_the_same_mean(predictor: Predictor) -> None:
    rows = list(predictor.reference.rows[:5])
    found = predictor.explain(rows)
    np.testing.assert_allclose(
        found.base + found.values.sum(axis=1), predictor.values(rows)[0], rtol=1e-6
    )
    np.testing.assert_allclose(found.base, found.base[0], rtol=1e-5)
    hot, cold = (predictor.explain([_row(predictor, heat=heat)]) for heat in (215.0, 185.0))
    assert hot.values[0, 0] > 1 > -1 > cold.values[0, 0]


def test_a_class_gets_a_probability_its_share_and_what_is_possible() -> None:
    result = _trained("good", target_class="yes", hyperparameters={"n_estimators": 8})
    predictor = Predictor(result.pipeline, result.reference)
    assert result.reference.target_class == "yes"
    sure, unsure = predictor.answer(
        [_row(predictor, heat=218.0), _row(predictor, heat=182.0)], level=0.9
    )
    assert sure.value > 0.8 > 0.2 > unsure.value
    assert sure.possible is not None
    assert sure.possible[0]
    assert unsure.possible is not None
    assert unsure.possible[1]


def test_what_was_never_seen_is_said(predictor: Predictor) -> None:
    def kinds(**values: Any) -> list[str]:
        return [item.kind for item in predictor.surprises(_row(predictor, **values), place=0)]

    assert kinds() == []
    assert kinds(heat=300.0) == ["range"]
    assert kinds(shift="evening") == ["category"]
    assert kinds(shift=None) == ["missing"]
    assert kinds(speed=None) == []  # that was missing in training too


def test_usual_rows_are_rarely_called_new(predictor: Predictor) -> None:
    frame = _frame()
    rows = [list(row) for row in frame[["heat", "speed", "shift"]].itertuples(index=False)]
    share = np.mean([bool(predictor.surprises(row, place=0)) for row in rows])
    assert share <= 0.06


def test_wrong_records_are_told_field_by_field(predictor: Predictor) -> None:
    wrong = _wrong(predictor, {"heat": "hot", "speed": 1e40, "Shift": "day"})
    assert set(wrong) == {"/heat", "/speed", "/shift", "/Shift"}
    good = {"heat": 200, "speed": None, "shift": "day"}
    assert _wrong(predictor, good) == {}
    assert set(_wrong(predictor, good | {"heat": True})) == {"/heat"}
    assert set(_wrong(predictor, good | {"shift": 3})) == {"/shift"}
    assert set(_wrong(predictor, good | {"a/b~c": 1})) == {"/a~1b~0c"}


def test_a_model_of_earlier_rows_takes_rows_in_their_order() -> None:
    steps = [{"step": "lags", "columns": ["heat"], "lags": [1, 2]}]
    result = _trained(engineering=steps, validation="time", hyperparameters={"n_estimators": 5})
    predictor = Predictor(result.pipeline, result.reference)
    rows = [_row(predictor, heat=heat) for heat in (195.0, 200.0, 205.0, 210.0)]
    answers = predictor.answer(rows, level=0.9)
    assert [any(s.kind == "rows" for s in answer.surprises) for answer in answers] == [
        *(True, True),
        *(False, False),
    ]
    expected = answers_of(result.pipeline, rows_frame(predictor.variables, rows))
    np.testing.assert_allclose([answer.value for answer in answers], expected, rtol=1e-9)
    found = predictor.explain(rows)
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), expected, rtol=1e-6)


def _table(frame: pd.DataFrame) -> Table:
    dialect = Dialect("utf-8", ",", ".", None, 0, (), '"')
    return Table(frame, dialect, (), (), ())


def test_a_table_is_answered_beside_its_own_columns(predictor: Predictor) -> None:
    frame = _frame().iloc[:30].assign(order=range(30), predicted="old")
    frame.loc[3, "heat"] = 999.0
    found = answer_table(predictor, _table(frame), level=0.9, n_jobs=1, on_share=lambda _: None)
    assert list(found.frame.columns[-5:]) == [
        *("predicted_", "predicted_low", "predicted_high", "is_new", "new_because")
    ]
    assert found.frame.loc[3, "new_because"] == "range: heat"
    assert found.n_new == int(found.frame["is_new"].sum()) >= 1
    assert (found.frame["predicted_low"] < found.frame["predicted_high"]).all()
    expected = predictor.values_of_frame(frame[["heat", "speed", "shift"]])[0]
    np.testing.assert_allclose(found.frame["predicted_"], expected)


def test_a_table_that_lacks_a_column_or_holds_no_numbers_is_refused(predictor: Predictor) -> None:
    frame = _frame().iloc[:5]
    for broken, code in (
        (frame.drop(columns="heat"), "columns_missing"),
        (frame.assign(heat=["1", "2", "x", "4", "5"]), "inputs_wrong"),
    ):
        with pytest.raises(DataRefused) as refused:
            answer_table(predictor, _table(broken), level=0.9, n_jobs=1, on_share=lambda _: None)
        assert refused.value.error_code == code


def test_a_date_is_taken_in_iso_form() -> None:
    rng = np.random.default_rng(0)
    when = pd.date_range("2026-01-01", periods=200, freq="3h")
    hour = when.hour.to_numpy()
    frame = pd.DataFrame(
        {"when": when, "x": rng.normal(size=200), "y": hour + rng.normal(0, 0.1, 200)}
    )
    kinds = {"when": "date", "x": "number", "y": "number"}
    columns = [describe_column(frame[n], name=n, kind=k) for n, k in kinds.items()]
    steps = [{"step": "calendar", "columns": ["when"], "parts": ["hour"]}]
    spec = {"target": "y", "engineering": steps, "hyperparameters": {"n_estimators": 8}}
    result = _fitted(frame, columns, spec)
    predictor = Predictor(result.pipeline, result.reference)
    record = {"when": "2026-01-05T21:00:00", "x": 0.0}
    row, errors = row_of(predictor.variables, {v.name: record[v.name] for v in predictor.variables})
    assert not errors
    assert math.isclose(predictor.values([row])[0][0], 21, abs_tol=1.0)
    assert _wrong(predictor, record | {"when": "yesterday"}).keys() == {"/when"}
