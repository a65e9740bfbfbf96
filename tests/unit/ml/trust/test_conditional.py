from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.api.types import is_numeric_dtype

from prodapp.ml.columns import describe_column
from prodapp.ml.table import Column
from prodapp.ml.trust.conditional import build_basis, condition

N_ROWS = 600


def described(frame: pd.DataFrame) -> list[Column]:
    return [
        describe_column(
            frame[name], name=name, kind="number" if is_numeric_dtype(frame[name]) else "category"
        )
        for name in frame.columns
    ]


def copies_of(frame: pd.DataFrame, *names: str, n_copies: int = 1) -> dict[str, np.ndarray]:
    columns = described(frame)
    members = [list(frame).index(name) for name in names]
    conditional = condition(frame, columns, members, build_basis(frame, columns))
    rows = np.arange(len(frame))
    return conditional.copies(frame, rows, n_copies=n_copies, rng=np.random.default_rng(1))


@pytest.fixture
def numbers() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(N_ROWS, 4)), columns=list("abcd"))
    frame["near"] = frame["a"] + 0.01 * rng.normal(size=N_ROWS)
    frame["curved"] = frame["b"] ** 2 + 0.1 * rng.normal(size=N_ROWS)
    frame["product"] = frame["c"] * frame["d"] + 0.1 * rng.normal(size=N_ROWS)
    return frame


@pytest.mark.parametrize("name", ["near", "curved", "product"])
def test_what_the_others_tell_stays_in_the_copy(numbers: pd.DataFrame, name: str) -> None:
    copy = copies_of(numbers, name)[name]
    assert np.corrcoef(copy, numbers[name])[0, 1] > 0.95
    assert not np.array_equal(copy, numbers[name])


def test_what_the_others_do_not_tell_is_shuffled() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(N_ROWS, 3)), columns=list("abc"))
    copy = copies_of(frame, "a")["a"]
    assert abs(np.corrcoef(copy, frame["a"])[0, 1]) < 0.2
    assert copy.std() == pytest.approx(frame["a"].std(), rel=0.1)


def test_missing_values_stay_where_they_are(numbers: pd.DataFrame) -> None:
    numbers.loc[::3, "a"] = np.nan
    numbers.loc[::7, "b"] = np.nan
    for name, copy in copies_of(numbers, "a", "b", n_copies=2).items():
        assert np.array_equal(np.isnan(copy), np.tile(numbers[name].isna(), 2))


def test_members_of_a_group_move_together(numbers: pd.DataFrame) -> None:
    copy = copies_of(numbers, "a", "near")
    assert np.abs(copy["a"] - copy["near"]).max() < 0.1
    assert abs(np.corrcoef(copy["a"], numbers["a"])[0, 1]) < 0.2


def test_a_category_changes_places_where_the_others_suggest_the_same() -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=N_ROWS)
    words = np.where(a > 0, "high", "low").astype(object)
    frame = pd.DataFrame({"a": a, "b": rng.normal(size=N_ROWS), "word": words})
    told = copies_of(frame, "word")["word"]
    assert np.mean(told == words) > 0.9
    frame["a"] = rng.permutation(a)
    free = copies_of(frame, "word")["word"]
    assert np.mean(free == words) < 0.65
    assert sorted(free) == sorted(words)


def test_a_missing_category_stays_missing() -> None:
    rng = np.random.default_rng(3)
    words = rng.choice(["x", "y"], N_ROWS).astype(object)
    words[::5] = None
    frame = pd.DataFrame({"a": rng.normal(size=N_ROWS), "word": words})
    copy = copies_of(frame, "word")["word"]
    assert np.array_equal(pd.isna(copy), pd.isna(words))


def test_a_variable_alone_is_only_shuffled() -> None:
    frame = pd.DataFrame({"a": np.random.default_rng(4).normal(size=50)})
    copy = copies_of(frame, "a")["a"]
    assert np.allclose(np.sort(copy), np.sort(frame["a"]))
