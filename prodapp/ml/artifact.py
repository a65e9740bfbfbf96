"""A fitted pipeline ↔ bytes, without ever running what the bytes say."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from pathlib import PurePosixPath
from typing import Any, Final

import skops.io
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import Pipeline

from prodapp.exceptions import DataRefused, N_

#: Types beyond those skops itself knows to be harmless that our pipelines hold.
ALLOWED_TYPES: Final = (
    "numpy.dtype",
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "prodapp.ml.target_scale.TargetScale",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "prodapp.ml.features.rowwise.CalendarParts",
    "prodapp.ml.features.rowwise.OfTwo",
    "prodapp.ml.features.rowwise.Powers",
    "prodapp.ml.features.rowwise.SignedLog",
    "prodapp.ml.features.series.SeriesFeatures",
    "sklearn.model_selection._split.KFold",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "xgboost.sklearn.XGBRegressor",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "collections.OrderedDict",
)
#: What comes up where bytes are no file of ours, or one whose parts the libraries no longer have.
_UNREADABLE: Final = (
    zipfile.BadZipFile,
    AttributeError,
    ImportError,
    KeyError,
    TypeError,
    ValueError,
)
_SCHEMA: Final = "schema.json"


def dump_pipeline(pipeline: Pipeline) -> bytes:
    """The pipeline in skops' format; equal pipelines give equal bytes."""
    return _canonical(skops.io.dumps(pipeline, compression=zipfile.ZIP_STORED))


def _canonical(data: bytes) -> bytes:
    """skops' file with objects numbered in order instead of by address, and without the hour."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target,
    ):
        numbers: dict[str, int] = {}
        schema = _renumbered(json.loads(source.read(_SCHEMA)), numbers)
        files = [(_file_name(name, numbers), name) for name in source.namelist() if name != _SCHEMA]
        for new_name, name in sorted(files):
            target.writestr(zipfile.ZipInfo(new_name), source.read(name), target.compression)
        text = json.dumps(schema, indent=2)
        target.writestr(zipfile.ZipInfo(_SCHEMA), text, target.compression)
    return packed.getvalue()


def _renumbered(node: Any, numbers: dict[str, int]) -> Any:
    if isinstance(node, list):
        return [_renumbered(item, numbers) for item in node]
    if not isinstance(node, dict):
        return node
    renumbered: dict[str, Any] = {}
    for key, value in node.items():
        if key == "__id__":
            renumbered[key] = numbers.setdefault(str(value), len(numbers))
        elif key == "file" and isinstance(value, str):
            renumbered[key] = _file_name(value, numbers)
        else:
            renumbered[key] = _renumbered(value, numbers)
    return renumbered


def _file_name(name: str, numbers: dict[str, int]) -> str:
    path = PurePosixPath(name)
    return f"{numbers.setdefault(path.stem, len(numbers))}{path.suffix}"


def _untrusted_in(data: bytes) -> set[str]:
    return set(skops.io.get_untrusted_types(data=data)) - set(ALLOWED_TYPES)


def _loaded(data: bytes) -> Any:
    with warnings.catch_warnings():
        # Which releases made the file is known and shown; that they differ need not matter.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        return skops.io.loads(data, trusted=list(ALLOWED_TYPES))


def load_pipeline(data: bytes) -> Pipeline:
    """The pipeline of ``data``; ``DataRefused`` when it holds anything but allowed types."""
    try:
        untrusted = _untrusted_in(data)
        loaded = None if untrusted else _loaded(data)
    except _UNREADABLE as error:
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
