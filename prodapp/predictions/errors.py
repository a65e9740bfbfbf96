"""How well a machine's predictions came true, as time went on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from prodapp.caller import Caller
from prodapp.exceptions import N_
from prodapp.extensions import db
from prodapp.formatting import sentence
from prodapp.models import ModelVersion, Prediction
from prodapp.predictions.versions import ServedVersion, version_in_use

if TYPE_CHECKING:
    from prodapp.ml.serving.errors import ErrorsOverTime, ErrorStep

#: The newest predictions with a true value, which are looked at.
N_COMPARED: Final = 5_000

_FINDINGS: Final[Mapping[str | None, str]] = {
    "larger": N_("The newest errors are larger than those before."),
    "smaller": N_("The newest errors are smaller than those before."),
    "none": N_("The newest errors are no larger than those before, as far as chance lets one see."),
    None: N_("Whether errors grow cannot be told yet: it takes 60 true values."),
}
_SIZE: Final = N_("Predictions missed the true value by %(size)s on average.")
_SIZES: Final = N_(
    "Predictions missed the true value by %(size)s on average; held-out samples of the training of "
    "version %(number)s were missed by %(expected)s."
)


@dataclass(frozen=True)
class MachineErrors:
    """``times`` are those of the errors; ``expected`` the mean error on held-out samples, of the
    version in use. Predictions of versions with another target do not count."""

    version: ServedVersion
    times: tuple[datetime, ...]
    expected: float | None
    found: ErrorsOverTime

    def span(self, step: ErrorStep) -> tuple[datetime, datetime]:
        """When the first and the last prediction of a step were made."""
        return self.times[step.first], self.times[step.last]


def errors_of(caller: Caller, machine_id: int) -> MachineErrors:
    """The errors of a machine's newest predictions. Raises as :func:`version_in_use` does."""
    import numpy as np

    from prodapp.ml.serving.errors import errors_over_time

    version = version_in_use(caller, machine_id)
    rows = db.session.execute(
        select(Prediction.occurred_at, Prediction.output, Prediction.actual, Prediction.details)
        .join(ModelVersion, ModelVersion.id == Prediction.version_id)
        .where(
            Prediction.machine_id == version.machine_id,
            Prediction.actual.is_not(None),
            ModelVersion.target == version.target,
        )
        .order_by(Prediction.occurred_at.desc(), Prediction.id.desc())
        .limit(N_COMPARED)
    ).all()
    # A probability is no guess of the number that came true: its error is of another kind.
    rows = [row for row in reversed(rows) if "class" not in row.details]
    errors = np.array([row.output - row.actual for row in rows], dtype=np.float64)
    metrics = db.session.scalar(select(ModelVersion.metrics).where(ModelVersion.id == version.id))
    return MachineErrors(
        version=version,
        times=tuple(row.occurred_at for row in rows),
        expected=(metrics or {}).get("mae"),
        found=errors_over_time(errors),
    )


def error_sentence(errors: MachineErrors) -> str:
    """What the errors say, in the reader's language."""
    params = {
        "size": errors.found.size,
        "expected": errors.expected,
        "number": errors.version.number,
    }
    size = sentence(_SIZE if errors.expected is None else _SIZES, params)
    return f"{size} {sentence(_FINDINGS[errors.found.change])}"


def errors_document(errors: MachineErrors) -> dict[str, Any]:
    """The same as programs get it."""
    spans = [errors.span(step) for step in errors.found.steps]
    return {
        "version_id": errors.version.id,
        "n_actuals": errors.found.n,
        "mean_abs_error": errors.found.size,
        "expected_abs_error": errors.expected,
        "change": errors.found.change,
        "steps": [
            {
                "first_at": first,
                "last_at": last,
                "n": step.n,
                "mean_abs_error": step.size,
                "low": step.low,
                "high": step.high,
                "mean_error": step.mean,
            }
            for step, (first, last) in zip(errors.found.steps, spans, strict=True)
        ],
    }
