"""Requests whose files wait on the disk where they will be stored, not in the system's memory."""

from __future__ import annotations

import tempfile
from typing import IO, Any, cast

from flask import Request

from prodapp.storage import storage

MEMORY_BYTES = 512 * 1024


class UploadRequest(Request):
    """Uploaded files are spooled into the scratch folder; a nameless file, so nothing is left."""

    def _get_file_stream(self, *_about: Any, **_file: Any) -> IO[bytes]:
        folder = str(storage().scratch)
        spool = tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES, dir=folder)  # noqa: SIM115
        return cast(IO[bytes], spool)
