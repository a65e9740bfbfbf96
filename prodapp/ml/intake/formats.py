"""What a file is by its content, whatever its name says, and its unpacked bytes."""

from __future__ import annotations

import io
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import IO, Final

from prodapp.exceptions import DataRefused, N_
from prodapp.ml.table import Decision, Limits

_CHUNK_BYTES: Final = 1 << 20

#: First bytes of files that are often uploaded by mistake, with the name people know them by.
_SIGNATURES: Final = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"SQLite format 3", "SQLite"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "RAR"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"{\\rtf", "RTF"),
    (b"<!doctype html", "HTML"),
    (b"<html", "HTML"),
    (b"<table", "HTML"),
    (b"<?xml", "XML"),
)
#: What Python's own module raises, in one case or another, for an archive that is no sound one.
ARCHIVE_ERRORS: Final = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError),
    *(ValueError, KeyError, IndexError, UnicodeError, struct.error),
)
_GZIP: Final = b"\x1f\x8b"
_ZIPS: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PARQUET: Final = b"PAR1"


@dataclass(frozen=True)
class Opened:
    """A file ready to be read.

    ``kind`` is "text", "xlsx", "xls" or "parquet"; ``stream`` is seekable and unpacked;
    ``is_complete`` is False when only its beginning is there.
    """

    kind: str
    stream: IO[bytes]
    n_bytes: int
    is_complete: bool
    decisions: tuple[Decision, ...] = ()


@contextmanager
def open_table(
    stream: IO[bytes],
    *,
    filename: str,
    limits: Limits,
    is_complete: bool = True,
    max_bytes: int | None = None,
) -> Iterator[Opened]:
    """What is in ``stream`` (seekable, at its beginning), unpacked where it was packed.

    With ``max_bytes`` only so much is unpacked, for a preview. Raises ``DataRefused`` for formats
    that hold no table in text, for archives that are damaged or cut off, and for those that grow
    over ``limits.max_unpacked_bytes``.
    """
    stream.seek(0)
    head = stream.read(512)
    n_bytes = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    opened = Opened("text", stream, n_bytes, is_complete)
    if head.startswith(_GZIP):
        with tempfile.TemporaryFile() as unpacked:
            unpack = _Unpacking(unpacked, filename, limits, max_bytes)
            whole = unpack.gzip(stream, is_complete=is_complete)
            yield _unpacked(unpacked, "gzip", filename=filename, is_complete=whole)
        return
    if head.startswith(_ZIPS):
        archive = _archive(stream, filename=filename, is_complete=is_complete)
        if _is_workbook(archive):
            yield replace(opened, kind="xlsx", decisions=(_format("XLSX"),))
            return
        with tempfile.TemporaryFile() as unpacked:
            unpack = _Unpacking(unpacked, filename, limits, max_bytes)
            whole = unpack.member(archive, _only_member(archive, filename))
            yield _unpacked(unpacked, "ZIP", filename=filename, is_complete=whole)
        return
    yield _plain(head, opened, filename=filename)


def _plain(head: bytes, opened: Opened, *, filename: str) -> Opened:
    for signature, kind, name in ((_PARQUET, "parquet", "Parquet"), (_OLE, "xls", "XLS")):
        if head.startswith(signature):
            if not opened.is_complete:
                raise _incomplete(filename, name)
            return replace(opened, kind=kind, decisions=(_format(name),))
    refuse_other_formats(head, filename=filename)
    if PurePath(filename.lower()).suffix in (".xlsx", ".xlsm", ".xls", ".parquet", ".gz", ".zip"):
        reason = N_("Its content is plain text, whatever its name says.")
        return replace(opened, decisions=(Decision("format", "CSV", reason),))
    return opened


def refuse_other_formats(head: bytes, *, filename: str) -> None:
    """Raise ``DataRefused`` when the first bytes are those of a known format that is not text."""
    lowered = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for signature, name in _SIGNATURES:
        if head.startswith(signature) or lowered.startswith(signature):
            raise _other_format(filename, name)


def _other_format(filename: str, name: str) -> DataRefused:
    return DataRefused(
        N_(
            "%(filename)s is a %(format)s file, not a table in text. "
            "Open it and save it as CSV (UTF-8), then upload that."
        ),
        code="not_text",
        row=1,
        filename=filename,
        format=name,
    )


def _incomplete(filename: str, name: str) -> DataRefused:
    return DataRefused(
        N_("%(filename)s is a %(format)s file, which can only be read whole. Upload all of it."),
        code="truncated",
        filename=filename,
        format=name,
    )


def _format(name: str) -> Decision:
    return Decision("format", name, N_("The first bytes of the file say so."))


def _unpacked(stream: IO[bytes], packing: str, *, filename: str, is_complete: bool) -> Opened:
    n_bytes = stream.tell()
    stream.seek(0)
    head = stream.read(512)
    stream.seek(0)
    if head.startswith((_GZIP, *_ZIPS, _OLE, _PARQUET)):
        raise _other_format(filename, packing)
    refuse_other_formats(head, filename=filename)
    reason = N_("It was packed; the table inside was read.")
    return Opened(
        "text", stream, n_bytes, is_complete, (Decision("format", f"CSV ({packing})", reason),)
    )


def _archive(stream: IO[bytes], *, filename: str, is_complete: bool) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(stream)
    except ARCHIVE_ERRORS:
        if not is_complete:
            raise _incomplete(filename, "XLSX/ZIP") from None
        raise damaged(filename) from None


def damaged(filename: str, *, row: int | None = None) -> DataRefused:
    """The refusal of a packed file or workbook that cannot be unpacked."""
    return DataRefused(
        N_("%(filename)s is damaged or cut off. Save or export it again, then upload that."),
        code="damaged_file",
        row=row,
        filename=filename,
    )


def _is_workbook(archive: zipfile.ZipFile) -> bool:
    names = archive.namelist()
    return "[Content_Types].xml" in names and any(name == "xl/workbook.xml" for name in names)


def _only_member(archive: zipfile.ZipFile, filename: str) -> zipfile.ZipInfo:
    members = [info for info in archive.infolist() if not info.is_dir()]
    if "mimetype" in archive.namelist() or "[Content_Types].xml" in archive.namelist():
        raise _other_format(filename, "ODS/DOCX/XLSB")
    if len(members) != 1:
        raise DataRefused(
            N_("%(filename)s holds %(n)d files; upload the one that holds the table."),
            code="several_files",
            filename=filename,
            n=len(members),
        )
    if members[0].flag_bits & 1:
        raise DataRefused(
            N_("%(filename)s is protected by a password. Save it without one."),
            code="password",
            filename=filename,
        )
    return members[0]


class _Unpacking:
    """Writes unpacked bytes to a file, up to a limit that no table of ours reaches."""

    def __init__(
        self, target: IO[bytes], filename: str, limits: Limits, max_bytes: int | None
    ) -> None:
        self._target = target
        self._filename = filename
        self._limit = limits.max_unpacked_bytes
        self._max_bytes = max_bytes
        self._n_lines = 0

    def gzip(self, stream: IO[bytes], *, is_complete: bool) -> bool:
        """Unpack all members; returns whether everything was."""
        inflate = zlib.decompressobj(wbits=31)
        data = b""
        try:
            while data := data or stream.read(_CHUNK_BYTES):
                if not self._write(inflate.decompress(data, _CHUNK_BYTES)):
                    return False
                data = inflate.unconsumed_tail
                if inflate.eof:
                    data = inflate.unused_data.lstrip(b"\x00")
                    inflate = zlib.decompressobj(wbits=31) if data else inflate
            while not inflate.eof and (rest := inflate.decompress(b"", _CHUNK_BYTES)):
                self._write(rest)
        except zlib.error:
            raise damaged(self._filename, row=self._n_lines + 1) from None
        if not inflate.eof and is_complete:
            raise DataRefused(
                N_(
                    "The packed file ends in the middle, after row %(rows)d of the table. "
                    "Copy or export it again, then upload that."
                ),
                code="truncated",
                row=self._n_lines + 1,
                rows=self._n_lines,
            )
        return inflate.eof

    def member(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
        """Unpack one member of a ZIP; returns whether all of it was."""
        try:
            with archive.open(info) as packed:
                while chunk := packed.read(_CHUNK_BYTES):
                    if not self._write(chunk):
                        return False
        except ARCHIVE_ERRORS:
            raise damaged(self._filename, row=self._n_lines + 1) from None
        return True

    def _write(self, chunk: bytes) -> bool:
        self._target.write(chunk)
        self._n_lines += chunk.count(b"\n")
        n_bytes = self._target.tell()
        if n_bytes > self._limit:
            raise too_large_unpacked(self._filename, self._limit)
        return self._max_bytes is None or n_bytes < self._max_bytes


def too_large_unpacked(filename: str, limit: int) -> DataRefused:
    """The refusal of a file that unpacks to more than is taken (a "zip bomb", or a huge table)."""
    return DataRefused(
        N_("Unpacked, %(filename)s is larger than %(limit)d MB. Upload a part of the table."),
        code="too_large_unpacked",
        filename=filename,
        limit=limit >> 20,
    )
