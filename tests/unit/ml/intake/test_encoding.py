"""The encoding of a file, found over all of its bytes."""

from __future__ import annotations

import io

import pytest

from prodapp.exceptions import DataRefused
from prodapp.ml.intake.encoding import detect_encoding


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"plain", "utf-8"),
        ("não".encode(), "utf-8"),
        ("não".encode("utf-8-sig"), "utf-8-sig"),
        ("não".encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + "não".encode("utf-16-be"), "utf-16"),
        ("não".encode("cp1252"), "cp1252"),
        ("5 € – “x”".encode("cp1252"), "cp1252"),
    ],
)
def test_encoding_is_found(content: bytes, encoding: str) -> None:
    found, decision = detect_encoding(io.BytesIO(content), filename="t.csv")
    assert found == decision.value == encoding
    assert content.decode(found) in ("plain", "não", "5 € – “x”")


def test_a_character_across_two_portions_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prodapp.ml.intake.encoding._CHUNK_BYTES", 1)
    assert detect_encoding(io.BytesIO("ããã".encode()), filename="t.csv")[0] == "utf-8"


def test_a_character_cut_off_at_the_end_is_not_utf8() -> None:
    assert detect_encoding(io.BytesIO("ã".encode()[:1]), filename="t.csv")[0] == "cp1252"


def test_a_chosen_encoding_that_does_not_fit_is_refused_with_its_line() -> None:
    with pytest.raises(DataRefused) as refused:
        detect_encoding(
            io.BytesIO("a\nb\nção".encode("cp1252")), filename="t.csv", override="utf-8"
        )
    assert refused.value.row == 3


def test_reading_is_reported_in_bytes() -> None:
    seen: list[int] = []
    detect_encoding(io.BytesIO(b"x" * 1000), filename="t.csv", on_read=seen.append)
    assert seen == [1000]
