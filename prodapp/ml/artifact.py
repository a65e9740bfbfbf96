"""A fitted pipeline ↔ bytes, without ever running what the bytes say."""

from __future__ import annotations

import zipfile
from typing import Final

import skops.io
from sklearn.pipeline import Pipeline

from prodapp.exceptions import DataRefused, N_

#: Types beyond those skops itself knows to be harmless that our pipelines hold.
ALLOWED_TYPES: Final = ("numpy.dtype", "sklearn.tree._tree.Tree")


def dump_pipeline(pipeline: Pipeline) -> bytes:
    """The pipeline in skops' format."""
    data: bytes = skops.io.dumps(pipeline, compression=zipfile.ZIP_DEFLATED, compresslevel=1)
    return data


def load_pipeline(data: bytes) -> Pipeline:
    """The pipeline of ``data``; ``DataRefused`` when it holds anything but allowed types."""
    try:
        untrusted = set(skops.io.get_untrusted_types(data=data)) - set(ALLOWED_TYPES)
        loaded = None if untrusted else skops.io.loads(data, trusted=list(ALLOWED_TYPES))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise DataRefused(
            N_("The model file is damaged or not one of ours. Train the model again."),
            code="artifact_damaged",
        ) from error
    if untrusted:
        raise DataRefused(
            N_("The model file holds parts that are not allowed: %(types)s."),
            code="artifact_refused",
            types=", ".join(sorted(untrusted)),
        )
    if not isinstance(loaded, Pipeline):
        raise DataRefused(
            N_("The model file is damaged or not one of ours. Train the model again."),
            code="artifact_damaged",
        )
    return loaded
