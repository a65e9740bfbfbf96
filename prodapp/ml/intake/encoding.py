"""Which character encoding a file is in, decided over all of its bytes.

A sample is not enough: one accented letter on the last line makes a file that looked like ASCII
unreadable. So the order is fixed: byte order mark, then the zero bytes that UTF-16 and UTF-32
leave in western text, then UTF-8 if every byte fits, and at last a one-byte encoding, told apart
by which of them makes letters of the bytes (:mod:`prodapp.ml.intake.codepages`).
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import IO, Final

from prodapp.exceptions import DataRefused, InvalidInput, N_
from prodapp.ml.intake.codepages import choose_code_page
from prodapp.ml.table import Decision

_CHUNK_BYTES: Final = 8 << 20
_HEAD_BYTES: Final = 4096

#: UTF-32 first: its little-endian mark begins as that of UTF-16 does.
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def detect_encoding(
    stream: IO[bytes],
    *,
    filename: str,
    override: str | None = None,
    on_read: Callable[[int], None] | None = None,
) -> tuple[str, Decision]:
    """The encoding of ``stream``, read to its end, and the decision in words.

    The answer is a Python codec name that also takes the byte order mark away. ``on_read`` is
    called with the number of bytes read so far. Raises ``DataRefused`` for NUL bytes and for bytes
    that no tried encoding has; ``InvalidInput`` for an unknown override.
    """
    head = stream.read(_HEAD_BYTES)
    stream.seek(0)
    encoding, decision = _marked(head) if override is None else _overridden(override)
    if encoding is None:
        scan = _scan_utf8(stream, filename=filename, on_read=on_read)
        if scan.bad_row is None:
            return "utf-8", decision
        if scan.is_mostly_utf8:
            raise _unreadable("utf-8", scan.bad_row)
        encoding, reason = choose_code_page(scan.high_bytes)
        decision = Decision("encoding", encoding, reason)
        stream.seek(0)
    bad_row = _decodes(stream, encoding, filename=filename, on_read=on_read)
    if bad_row is not None:
        raise _unreadable(encoding, bad_row)
    return encoding, decision


def _unreadable(encoding: str, row: int) -> DataRefused:
    return DataRefused(
        N_(
            "A character cannot be read as %(encoding)s. "
            "Save the file as CSV (UTF-8), or choose its encoding."
        ),
        code="unreadable_characters",
        row=row,
        encoding=encoding,
    )


def _marked(head: bytes) -> tuple[str | None, Decision]:
    for mark, codec in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return codec, Decision("encoding", codec, N_("The file begins with a byte order mark."))
    wide = unmarked_wide_encoding(head)
    if wide is not None:
        return wide, Decision(
            "encoding", wide, N_("Every other byte is zero, as in this encoding.")
        )
    return None, Decision("encoding", "utf-8", N_("Every byte read is valid UTF-8."))


def unmarked_wide_encoding(head: bytes) -> str | None:
    """UTF-16 or UTF-32 without a byte order mark, by where the zero bytes of ``head`` stand."""
    head = head[: len(head) // 4 * 4]
    if len(head) < 8 or b"\x00" not in head:
        return None
    quarter = len(head) // 4
    zeros = [head[place::4].count(0) > 0.7 * quarter for place in range(4)]
    patterns = {
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
    }
    return patterns.get((zeros[0], zeros[1], zeros[2], zeros[3]))


def _overridden(encoding: str) -> tuple[str, Decision]:
    try:
        name = codecs.lookup(encoding).name
        b"".decode(name)
    except (LookupError, ValueError):
        raise InvalidInput(
            N_("%(encoding)s is not a known text encoding."), encoding=encoding
        ) from None
    # Taking a byte order mark away is never wrong, keeping it spoils the first name.
    name = {"utf-8": "utf-8-sig"}.get(name, name)
    return name, Decision("encoding", name, N_("Chosen by you."))


class _Utf8Scan:
    """What one pass over a file told about its being UTF-8."""

    def __init__(self) -> None:
        self.bad_row: int | None = None
        self.n_good = 0
        self.n_bad = 0
        self.high_bytes = b""

    @property
    def is_mostly_utf8(self) -> bool:
        """Whether a few bytes are broken in a file that is otherwise surely UTF-8."""
        return self.n_good >= 3 and self.n_good > 3 * self.n_bad


#: Enough bytes of accented letters to tell one code page from another.
_HIGH_BYTES: Final = 20_000
_ASCII: Final = bytes(range(128))


def _scan_utf8(
    stream: IO[bytes], *, filename: str, on_read: Callable[[int], None] | None
) -> _Utf8Scan:
    """Read all of ``stream`` as UTF-8, tolerantly; ASCII, which most of it is, at once."""
    scan = _Utf8Scan()
    n_lines, n_bytes, pending = 0, 0, b""
    while True:
        chunk = stream.read(_CHUNK_BYTES)
        if b"\x00" in chunk:
            raise _not_text(filename, n_lines + chunk[: chunk.index(b"\x00")].count(b"\n") + 1)
        if pending or not chunk.isascii():
            pending = _scan_chunk(scan, pending + chunk, n_lines, is_last=not chunk)
        n_lines += chunk.count(b"\n")
        if not chunk:
            return scan
        n_bytes += len(chunk)
        if on_read is not None:
            on_read(n_bytes)


def _scan_chunk(scan: _Utf8Scan, data: bytes, n_lines: int, *, is_last: bool) -> bytes:
    """Count good and bad sequences of ``data``; returns the beginning of one at its end."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        decoder.decode(data, is_last)
        good = data
    except UnicodeDecodeError as error:
        if scan.bad_row is None:
            scan.bad_row = n_lines + data[: error.start].count(b"\n") + 1
        good = data[: error.start]
        scan.n_bad += data.decode("utf-8", "replace").count("�")
    # Every sequence of several bytes has one that begins it, 0xC2–0xF4.
    leads = good.translate(None, _ASCII + bytes(range(0x80, 0xC0)))
    scan.n_good += len(leads)
    if len(scan.high_bytes) < _HIGH_BYTES:
        scan.high_bytes += data.translate(None, _ASCII)[:_HIGH_BYTES]
    return decoder.getstate()[0] if not is_last else b""


def _decodes(
    stream: IO[bytes], encoding: str, *, filename: str, on_read: Callable[[int], None] | None
) -> int | None:
    """None when all of ``stream`` is text in ``encoding``, else the 1-based line that is not."""
    decoder = codecs.getincrementaldecoder(encoding)()
    n_lines, n_bytes = 0, 0
    while True:
        chunk = stream.read(_CHUNK_BYTES)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return n_lines + chunk[: error.start].count(b"\n") + 1
        if "\x00" in text:
            raise _not_text(filename, n_lines + text[: text.index("\x00")].count("\n") + 1)
        if not chunk:
            return None
        n_lines += text.count("\n")
        n_bytes += len(chunk)
        if on_read is not None:
            on_read(n_bytes)


def _not_text(filename: str, row: int) -> DataRefused:
    return DataRefused(
        N_(
            "%(filename)s holds bytes that are not text. "
            "Save the table as CSV (UTF-8), then upload that."
        ),
        code="not_text",
        row=row,
        filename=filename,
    )
