"""Has what a version is asked moved away from what it learned, and do its intervals hold?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from prodapp.extensions import db
from prodapp.models import Prediction
from prodapp.predictions.predictors import predictor_of
from prodapp.predictions.versions import ServedVersion

if TYPE_CHECKING:
    from prodapp.ml.serving.drift import Drift

#: The newest predictions of a version, which are compared with its training.
N_COMPARED: Final = 1_000


def drift_of(version: ServedVersion) -> Drift:
    """The drift of a version's newest predictions. Raises as :func:`predictor_of` does."""
    from prodapp.ml.serving.drift import find_drift
    from prodapp.ml.serving.variables import row_of

    predictor = predictor_of(version)
    kept = db.session.execute(
        select(
            Prediction.inputs,
            Prediction.output,
            Prediction.low,
            Prediction.high,
            Prediction.level,
            Prediction.actual,
        )
        .where(Prediction.version_id == version.id)
        .order_by(Prediction.occurred_at.desc())
        .limit(N_COMPARED)
    ).all()
    rows = [row_of(predictor.variables, inputs) for inputs, *_ in kept]
    told = [item for item in kept if item.actual is not None and item.low is not None]
    if predictor.reference.target_class is not None:
        told = []  # the interval of a probability holds shares, not what came true
    return find_drift(
        predictor.variables,
        predictor.reference.rows,
        [row for row, errors in rows if not errors],
        n_actuals=len(told),
        n_outside=sum(not item.low <= item.actual <= item.high for item in told),
        expected_share=sum(1 - item.level for item in told) / len(told) if told else 0.1,
    )


def drift_document(version: ServedVersion) -> dict[str, Any]:
    """The same as programs get it."""
    found = drift_of(version)
    return {
        "version_id": version.id,
        "n_rows": found.n_rows,
        "rings": found.rings,
        "variables": found.variables,
        "errors": found.errors,
    }
