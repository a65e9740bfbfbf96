"""Gains of the samples → a verdict on each variable: real, uncertain or noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import stats

FloatArray = npt.NDArray[np.float64]

REAL, UNCERTAIN, NOISE = "real", "uncertain", "noise"
#: The chance, at most, that any variable without a part of its own is called real.
FAMILY_ERROR: Final = 0.025
#: Of what the forests explain: a variable that is surely worth less is noise.
_NOISE_SHARE: Final = 0.01
_NOISE_CONFIDENCE: Final = 0.95
#: Of too few samples a forest learns nothing, and what it does not use would pass for noise.
_MIN_SAMPLES_FOR_NOISE: Final = 200
_MIN_BATCHES_FOR_NOISE: Final = 10
_BATCH: Final = 50
_MIN_BATCH: Final = 25
_MIN_BATCHES: Final = 8


@dataclass(frozen=True)
class Verdict:
    """What the data say of one unit.

    ``gain`` and its bounds (one-sided 97.5 and 95 %) are shares of the target's variance that the
    unit alone explains, given the others; ``p_value`` is one-sided and not adjusted.
    ``n_effective`` counts independent tests: samples, or batches of neighbours.
    """

    verdict: str
    gain: float
    low: float
    high: float
    p_value: float
    n_effective: int


def judge(
    gains: FloatArray, *, variance: float, explained: float, is_ordered: bool
) -> tuple[Verdict, ...]:
    """One verdict for each column of ``gains`` (samples, units).

    Real: a mean above zero, one-sided t, Holm's correction over all units at 2.5 %. Noise: both
    bounds lie within 1 % of what the forests explain, ``explained`` of the target's ``variance``.
    What a forest has not learned it cannot rule out; and where answers are better without a
    variable, the blocks are unlike each other, which says nothing of noise. Neighbours in ordered
    data are put together in batches first, whose means depend on each other less (Schmeiser 1982).
    """
    tests = _batches(gains) if is_ordered else gains
    n_tests = len(tests)
    if n_tests < 2 or variance <= 0:
        unknown = Verdict(UNCERTAIN, 0.0, float("-inf"), float("inf"), 1.0, n_tests)
        return tuple(unknown for _ in range(gains.shape[1]))
    means = tests.mean(axis=0)
    errors = tests.std(axis=0, ddof=1) / np.sqrt(n_tests)
    freedom = n_tests - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(errors > 0, means / errors, 0.0)
    p_values = stats.t.sf(scores, freedom)
    is_real = holm(p_values, level=FAMILY_ERROR) & (means > 0)
    low = means - stats.t.ppf(1 - FAMILY_ERROR, freedom) * errors
    high = means + stats.t.ppf(_NOISE_CONFIDENCE, freedom) * errors
    limit = _NOISE_SHARE * explained * variance
    least = _MIN_BATCHES_FOR_NOISE if is_ordered else _MIN_SAMPLES_FOR_NOISE
    is_noise = (-limit < low) & (high < limit) & (n_tests >= least)
    return tuple(
        Verdict(
            REAL if is_real[unit] else NOISE if is_noise[unit] else UNCERTAIN,
            float(means[unit] / variance),
            float(low[unit] / variance),
            float(high[unit] / variance),
            float(p_values[unit]),
            n_tests,
        )
        for unit in range(gains.shape[1])
    )


def holm(p_values: Sequence[float] | FloatArray, *, level: float) -> npt.NDArray[np.bool_]:
    """Which hypotheses fall, such that a true one falls with at most ``level`` (Holm 1979)."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    limits = level / (len(p) - np.arange(len(p)))
    n_fallen = int(np.argmin(np.append(p[order] <= limits, False)))
    fallen = np.zeros(len(p), dtype=np.bool_)
    fallen[order[:n_fallen]] = True
    return fallen


def _batches(gains: FloatArray) -> FloatArray:
    size = _BATCH if len(gains) >= _BATCH * _MIN_BATCHES else _MIN_BATCH
    n_batches = len(gains) // size
    if n_batches < 2:
        return gains[:0]
    batches: FloatArray = gains[: n_batches * size].reshape(n_batches, size, -1).mean(axis=1)
    return batches
