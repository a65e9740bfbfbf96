"""Model files: signed when they are stored, and opened only if they are what was signed.

A file is named by its content, so other bytes are noticed by their SHA-256. That alone would trust
whoever can write to the database: a signature with a key that is neither there nor in the storage
ties the file to the run that made it.
"""

from __future__ import annotations

import hashlib
import hmac
import io
from importlib import metadata
from typing import TYPE_CHECKING, Final

from flask import current_app

from prodapp.exceptions import DataRefused, N_
from prodapp.extensions import settings_of
from prodapp.models import ModelVersion
from prodapp.storage import StoredFile, storage

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

#: Those whose releases decide whether a model file can be opened.
_DECISIVE: Final = ("scikit-learn", "skops", "numpy", "xgboost", "xgboost-cpu", "lightgbm")

CHANGED: Final = N_(
    "The model file is not what it was when it was stored. Bring it back from a backup "
    "(flask doctor --fix), or train the model again."
)
UNSIGNED: Final = N_(
    "The model file is not signed: it was made by an earlier release. An administrator can sign it "
    "(flask version sign --unsigned), or train the model again."
)
FORGED: Final = N_(
    "The signature of the model file does not fit: the file or its row was changed, or the "
    "installation's SECRET_KEY was. If the key was changed, sign anew (flask version sign); if "
    "not, tell the administrator and train the model again."
)
OUTDATED: Final = N_(
    "The model file was made with %(then)s and cannot be opened with %(now)s. Train the model "
    "again with the same data and specification."
)


def store_artifact(data: bytes, *, run_id: int) -> tuple[StoredFile, str]:
    """Store a model file; returns it and its signature."""
    stored = storage().put(io.BytesIO(data))
    return stored, signature_of(run_id, stored.key)


def open_artifact(version: ModelVersion) -> Pipeline:
    """The fitted pipeline of ``version``.

    Raises :class:`NotFound` where the file is missing, and :class:`DataRefused` with a code of its
    own where it is not the one that was stored (``artifact_changed``), is not signed
    (``artifact_unsigned``) or signed for something else (``artifact_forged``), holds what is not
    allowed (``artifact_refused``), or cannot be opened with the libraries of today
    (``artifact_outdated``).
    """
    # The training stack takes seconds to import: only where it is needed.
    from prodapp.ml.artifact import load_pipeline

    data = checked_bytes(version)
    try:
        return load_pipeline(data)
    except DataRefused as error:
        then, now = library_changes(version)
        if error.error_code != "artifact_damaged" or not then:
            raise
        raise DataRefused(
            OUTDATED, code="artifact_outdated", then=", ".join(then), now=", ".join(now)
        ) from error


def checked_bytes(version: ModelVersion) -> bytes:
    """The model file's bytes, once they are known to be those that were signed."""
    if version.artifact_signature is None:
        raise DataRefused(UNSIGNED, code="artifact_unsigned")
    if not is_signed(version):
        raise DataRefused(FORGED, code="artifact_forged")
    return bytes_of(version)


def bytes_of(version: ModelVersion) -> bytes:
    """The bytes that the version's row speaks of, whoever signed them."""
    with storage().open(version.artifact_key) as file:
        data = file.read()
    if hashlib.sha256(data).hexdigest() != version.artifact_key:
        raise DataRefused(CHANGED, code="artifact_changed")
    return data


def is_signed(version: ModelVersion) -> bool:
    """Whether the signature is of this run and file, by the present key or the one before it."""
    settings = settings_of(current_app)
    keys = [settings.secret_key, *filter(None, [settings.secret_key_before])]
    signature = version.artifact_signature or ""
    return any(
        hmac.compare_digest(signature, _sign(key, version.run_id, version.artifact_key))
        for key in keys
    )


def signature_of(run_id: int, key: str) -> str:
    """The signature by the present key of a model file that a run made."""
    return _sign(settings_of(current_app).secret_key, run_id, key)


def library_changes(version: ModelVersion) -> tuple[list[str], list[str]]:
    """The libraries that decide whether its file can be opened and are of another release today:
    as they were, and as they are."""
    then, now = [], []
    for name in _DECISIVE:
        made_with = version.library_versions.get(name)
        try:
            present = metadata.version(name)
        except metadata.PackageNotFoundError:
            present = "–"
        if made_with is not None and made_with != present:
            then.append(f"{name} {made_with}")
            now.append(f"{name} {present}")
    return then, now


def _sign(secret_key: str, run_id: int, key: str) -> str:
    # A key of its own: what signs cookies and tokens must not also sign files.
    own = hmac.digest(secret_key.encode(), b"prodapp model file", hashlib.sha256)
    return hmac.new(own, f"{run_id}:{key}".encode(), hashlib.sha256).hexdigest()
