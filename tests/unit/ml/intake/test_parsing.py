"""The parsers themselves."""

from __future__ import annotations

import io

import pytest

from prodapp.exceptions import LeaseLost
from prodapp.ml.intake import parsing
from prodapp.ml.intake.careful import Parsed
from prodapp.ml.intake.layout import detect_layout
from prodapp.ml.table import Limits


class Counted(io.BytesIO):
    """A file that counts how often it is read."""

    n_reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.n_reads += 1
        return super().read(size)


def parsed(stream: io.BytesIO, **options: object) -> Parsed:
    layout = detect_layout(stream, filename="t.csv", overrides={}, limits=Limits())
    if isinstance(stream, Counted):
        stream.n_reads = 0
    return parsing.parse(stream, layout, limits=Limits(), **options)  # type: ignore[arg-type]


def test_a_cancel_stops_the_reading_half_way(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"a;b\n" + b"1;2\n" * 2_000_000
    monkeypatch.setattr(parsing, "_BLOCK_BYTES", 20_000)
    monkeypatch.setattr(parsing, "_SECONDS_A_CALL", 0.001)
    whole = Counted(content)
    assert len(parsed(whole, on_read=lambda _: None).columns[0]) == 2_000_000

    def cancel(n_bytes: int) -> None:
        raise LeaseLost(n_bytes)

    stopped = Counted(content)
    with pytest.raises(LeaseLost):
        parsed(stopped, on_read=cancel)
    assert stopped.tell() < len(content)
    assert stopped.n_reads < whole.n_reads


@pytest.mark.parametrize(
    ("content", "n_short"),
    [(b"a;b;c\n1;2;3\n4;5\n", 1), (b"a;b;c\n1;2;3\n\n4;5;6\n", 0), (b"a;b\n1;2\n3;4;\n", 0)],
)
def test_only_short_rows_are_called_short(content: bytes, n_short: int) -> None:
    found = parsed(io.BytesIO(content), on_read=lambda _: None)
    assert (0 if found.is_short is None else found.is_short.sum()) == n_short
    assert len({len(column) for column in found.columns}) == 1
