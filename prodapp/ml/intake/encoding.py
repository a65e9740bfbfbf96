"""Which character encoding a file is in, decided over all of its bytes.

A sample is not enough: one accented letter on the last line makes a file that looked like ASCII
unreadable. So the order is fixed: byte order mark, then UTF-8 if every byte fits, then cp1252
(what spreadsheets of western offices write).
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import IO, Final

from prodapp.exceptions import DataRefused, InvalidInput, N_
from prodapp.ml.table import Decision

_CHUNK_BYTES: Final = 8 << 20

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

#: First bytes of files that are often uploaded by mistake, with the name people know them by.
_SIGNATURES: Final = (
    (b"PK\x03\x04", "XLSX/ZIP"),
    (b"PK\x05\x06", "ZIP"),
    (b"%PDF", "PDF"),
    (b"\x1f\x8b", "gzip"),
    (b"PAR1", "Parquet"),
    (b"\xd0\xcf\x11\xe0", "XLS"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"SQLite format 3", "SQLite"),
    (b"7z\xbc\xaf", "7z"),
    (b"Rar!", "RAR"),
)


def refuse_other_formats(head: bytes, *, filename: str) -> None:
    """Raise ``DataRefused`` when the first bytes are those of a known format that is not text."""
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            raise DataRefused(
                N_(
                    "%(filename)s is a %(format)s file, not a table in text. "
                    "Open it and save it as CSV (UTF-8), then upload that."
                ),
                code="not_text",
                row=1,
                filename=filename,
                format=name,
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
    called with the number of bytes read so far. Raises ``DataRefused`` for other formats, for NUL
    bytes and for bytes that no tried encoding has; ``InvalidInput`` for an unknown override.
    """
    head = stream.read(4096)
    refuse_other_formats(head, filename=filename)
    stream.seek(0)
    encoding, decision = _marked(head) if override is None else _overridden(override)
    if encoding is None:
        if _decodes(stream, "utf-8", filename=filename, on_read=on_read) is None:
            return "utf-8", decision
        encoding = "cp1252"
        decision = Decision(
            "encoding", encoding, N_("Some bytes are not UTF-8, so Windows-1252 was taken.")
        )
        stream.seek(0)
    bad_row = _decodes(stream, encoding, filename=filename, on_read=on_read)
    if bad_row is not None:
        raise DataRefused(
            N_(
                "A character cannot be read as %(encoding)s. "
                "Save the file as CSV (UTF-8), or choose its encoding."
            ),
            code="unreadable_characters",
            row=bad_row,
            encoding=encoding,
        )
    return encoding, decision


def _marked(head: bytes) -> tuple[str | None, Decision]:
    for mark, codec in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return codec, Decision("encoding", codec, N_("The file begins with a byte order mark."))
    return None, Decision("encoding", "utf-8", N_("Every byte read is valid UTF-8."))


def _overridden(encoding: str) -> tuple[str, Decision]:
    try:
        name = codecs.lookup(encoding).name
        b"".decode(name)
    except (LookupError, ValueError):
        raise InvalidInput(
            N_("%(encoding)s is not a known text encoding."), encoding=encoding
        ) from None
    # Taking a byte order mark away is never wrong, keeping it spoils the first name.
    name = {"utf-8": "utf-8-sig", "utf-16-le": "utf-16", "utf-16-be": name}.get(name, name)
    return name, Decision("encoding", name, N_("Chosen by you."))


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
            raise DataRefused(
                N_(
                    "%(filename)s holds bytes that are not text. "
                    "Save the table as CSV (UTF-8), then upload that."
                ),
                code="not_text",
                row=n_lines + text[: text.index("\x00")].count("\n") + 1,
                filename=filename,
            )
        if not chunk:
            return None
        n_lines += text.count("\n")
        n_bytes += len(chunk)
        if on_read is not None:
            on_read(n_bytes)
