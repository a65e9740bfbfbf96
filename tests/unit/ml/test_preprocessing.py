"""Encoding inside the pipeline, and the way back to the source variables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.preprocessing import (
    build_preprocessing,
    features_frame,
    source_positions,
    sum_by_source,
)

from .conftest import describe

FRAME = pd.DataFrame(
    {
        "kind": pd.Categorical(["a", "b", None, "a", "b", "a"]),
        "gaps": [1.0, np.nan, 3.0, 4.0, np.nan, 9.0],
        "full": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "void": [np.nan] * 6,
        "other": ["x", "y", "x", "y", "x", "y"],
    }
)
NAMES = list(FRAME)


@pytest.mark.parametrize("scale", [False, True])
def test_every_encoded_column_has_one_source(scale: bool) -> None:
    columns = describe(FRAME)
    transformer = build_preprocessing(columns, scale=scale)
    encoded = transformer.fit_transform(features_frame(FRAME, columns))
    sources = source_positions(transformer, NAMES)
    assert encoded.shape == (6, len(sources))
    assert np.isfinite(encoded).all()
    # Numbers first: values, then where values were missing; then the categories.
    assert [NAMES[source] for source in sources] == [
        *("gaps", "full", "void", "gaps", "void"),
        *("kind", "kind", "kind", "other", "other"),
    ]


def test_sums_by_source_lose_nothing() -> None:
    values = np.random.default_rng(0).normal(size=(4, 5))
    summed = sum_by_source(values, np.array([0, 2, 0, 1, 2]), 3)
    np.testing.assert_allclose(summed[:, 0], values[:, 0] + values[:, 2])
    np.testing.assert_allclose(summed.sum(axis=1), values.sum(axis=1))


def test_the_median_stands_in_and_the_gap_is_marked() -> None:
    columns = [column for column in describe(FRAME) if column.name == "gaps"]
    encoded = build_preprocessing(columns, scale=False).fit_transform(
        features_frame(FRAME, columns)
    )
    np.testing.assert_array_equal(encoded[:, 0], [1, 3.5, 3, 4, 3.5, 9])
    np.testing.assert_array_equal(encoded[:, 1], [0, 1, 0, 0, 1, 0])


def test_a_category_never_seen_counts_as_none_of_those_known() -> None:
    columns = [column for column in describe(FRAME) if column.name == "other"]
    transformer = build_preprocessing(columns, scale=False).fit(features_frame(FRAME, columns))
    assert not transformer.transform(pd.DataFrame({"other": ["new"]})).any()


def test_text_and_category_columns_encode_alike() -> None:
    columns = [column for column in describe(FRAME) if column.name == "kind"]
    transformer = build_preprocessing(columns, scale=False)
    by_category = transformer.fit_transform(features_frame(FRAME, columns))
    as_text = FRAME.assign(kind=FRAME["kind"].astype("str"))
    np.testing.assert_array_equal(
        transformer.transform(features_frame(as_text, columns)), by_category
    )
