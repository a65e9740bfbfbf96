"""Strict input."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodapp.exceptions import InvalidInput
from prodapp.rest.arguments import Malformed, StrictParser, _unstorable_texts, strict_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def texts(value: Any) -> list[str]:
    """Every text in a document, names too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = [*value, *value.values()]
    return [text for item in value for text in texts(item)] if isinstance(value, list) else []


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(Malformed):
        assert json.loads(json.dumps(strict_json(data))) == strict_json(data)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
def test_numbers_are_finite(text: str) -> None:
    with pytest.raises(Malformed):
        strict_json(f'{{"a": {text}}}'.encode())


@given(JSON)
def test_texts_are_found_exactly_where_they_cannot_be_stored(value: Any) -> None:
    # Text from Hypothesis has no lone surrogates, so NUL alone is left.
    assert bool(list(_unstorable_texts(value))) == ("\x00" in "".join(texts(value)))


def test_unstorable_text_is_found_however_deep_it_lies() -> None:
    deep: Any = "bad \x00"
    for _ in range(50_000):
        deep = [deep]
    assert len(list(_unstorable_texts({"a/b": deep}))) == 1
    assert list(_unstorable_texts({"a/b": [1, {"~": "\ud800"}]})) == ["/a~1b/1/~0"]
    assert list(_unstorable_texts({"\x00": 1})) == ["/\ufffd"]


def test_unstorable_text_is_refused_with_its_pointer() -> None:
    with pytest.raises(InvalidInput) as caught:
        StrictParser().pre_load({"a": "\x00"}, schema=None, req=None, location="json")  # type: ignore[arg-type]
    assert [field.pointer for field in caught.value.fields] == ["/a"]
