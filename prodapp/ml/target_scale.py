"""The target in spreads from its mean, and back without losing digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import StandardScaler


class TargetScale(StandardScaler):  # type: ignore[misc]
    """A standard scaler whose way back is in double precision.

    XGBoost answers in single precision, in which a number far from zero has few digits left.
    """

    def inverse_transform(self, X: Any, copy: bool | None = None) -> npt.NDArray[np.float64]:
        found: npt.NDArray[np.float64] = super().inverse_transform(
            np.asarray(X, dtype=np.float64), copy=copy
        )
        return found
