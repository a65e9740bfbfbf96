from __future__ import annotations

import pytest

from prodapp.auth.secrets import key_prefix, new_api_key, new_token, token_hash


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43


def test_the_hash_says_nothing_of_the_token() -> None:
    assert token_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_key_starts_with_the_prefix_that_finds_it() -> None:
    for _ in range(50):
        prefix, key = new_api_key()
        assert key.startswith(prefix + "_")
        assert key_prefix(key) == prefix
        assert len(prefix) <= 16


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pa",
        "pa_",
        "pa_01234567",
        "pa_01234567_",
        "xx_01234567_abc",
        "pa_0123456_abc",
        "pa_\x00_x",
    ],
)
def test_what_is_no_key_has_no_prefix(text: str) -> None:
    assert key_prefix(text) is None
