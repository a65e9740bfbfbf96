"""SHAP values of any model, estimated by asking it: for those that have no exact way.

The game is the interventional one: a set of known variables has the sample's values, the others
those of a background sample, and the set is worth the mean answer over the background samples. For
every background sample one order of the variables is drawn, they become known one after the other,
and each is credited with what the answer moves (Štrumbelj & Kononenko 2014); every second order is
the one before reversed, which cancels much of the error (Mitchell, Cooper, Frank & Holmes 2022).
Whatever the orders, the values of a sample add up to its answer less the mean answer of the
background samples.

The background samples are quantiles of the training samples by the model's answer, so that their
mean answer is near that of all.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
OnShare = Callable[[float], None]
Answer = Callable[[FloatArray], FloatArray]

#: Orders, and background samples, for each explained sample; even.
N_ORDERS: Final = 32
#: What the model may be asked in one explanation; it decides how many samples are explained.
MAX_ANSWERS: Final = 300_000
#: Parts of the orders whose differences tell how uncertain the estimates are.
N_PARTS: Final = 8
#: Questions at a time: some tenths of a second for a slow model.
_PORTION: Final = 2_000


@dataclass(frozen=True)
class SampledShap:
    """Estimated SHAP values (samples, variables): the mean of ``parts`` (``N_PARTS``, samples,
    variables), which are from different orders and background samples."""

    values: FloatArray
    parts: FloatArray
    expected_value: float


def importance_uncertainty(parts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How uncertain mean |SHAP| is by its orders: standard error and bias of each variable.

    The noise of estimates does not cancel in their sizes, so small importances come out too large.
    Both by the jackknife that leaves out one part at a time (Efron & Tibshirani 1993, chapter 11).
    """
    n = len(parts)
    importances = np.abs(parts.mean(axis=0)).mean(axis=0)
    without = [np.abs((parts.sum(axis=0) - part) / (n - 1)).mean(axis=0) for part in parts]
    middle = np.mean(without, axis=0)
    errors = np.sqrt((n - 1) / n * ((np.stack(without) - middle) ** 2).sum(axis=0))
    return errors, (n - 1) * (middle - importances)


def n_affordable(n_variables: int) -> int:
    """How many samples can be explained with the answers that are allowed."""
    return max(1, MAX_ANSWERS // (N_ORDERS * max(1, n_variables)))


def background_rows(answers: FloatArray) -> IntArray:
    """Positions of the background samples among samples of these answers."""
    places = (np.arange(N_ORDERS) + 0.5) / N_ORDERS * len(answers)
    return np.argsort(answers, kind="stable")[places.astype(np.intp)]


def shap_values(
    answer: Answer,
    X: FloatArray,
    background: FloatArray,
    sources: IntArray,
    *,
    n_variables: int,
    n_jobs: int,
    seed: tuple[int, ...],
    on_share: OnShare,
) -> SampledShap:
    """Explain the samples ``X`` (samples, encoded columns).

    ``background`` are ``N_ORDERS`` encoded samples; ``sources`` says for each encoded column to
    which variable it belongs: those of one variable become known together. The result does not
    depend on ``n_jobs``.
    """
    of_background, of_samples = answer(background), answer(X)
    parts = np.empty((N_PARTS, len(X), n_variables))
    step = max(1, _PORTION // (N_ORDERS * n_variables))

    def explain(start: int) -> FloatArray:
        rows = range(start, min(start + step, len(X)))
        ranks = np.stack([_ranks(n_variables, (*seed, row)) for row in rows])
        mixed = _mixed(X[rows.start : rows.stop], background, ranks[:, :, sources], n_variables)
        between = answer(mixed) if len(mixed) else mixed[:, 0]
        return _credited(of_background, between, of_samples[rows.start : rows.stop], ranks)

    with ThreadPoolExecutor(max_workers=n_jobs, thread_name_prefix="shap") as executor:
        starts = range(0, len(X), step)
        futures = [executor.submit(explain, start) for start in starts]
        try:
            for start, future in zip(starts, futures, strict=True):
                parts[:, start : start + step] = future.result()
                on_share(min(1.0, (start + step) / len(X)))
        finally:
            executor.shutdown(cancel_futures=True)
    return SampledShap(parts.mean(axis=0), parts, float(of_background.mean()))


def _ranks(n_variables: int, seed: tuple[int, ...]) -> IntArray:
    """(orders, variables): when each variable becomes known."""
    drawn = np.random.default_rng(seed).random((N_ORDERS // 2, n_variables))
    ranks = drawn.argsort(axis=1).argsort(axis=1)
    return np.stack([ranks, n_variables - 1 - ranks], axis=1).reshape(N_ORDERS, n_variables)


def _mixed(X: FloatArray, background: FloatArray, ranks: IntArray, n_variables: int) -> FloatArray:
    """Samples on their way from each background sample to each of ``X``, both ends left out.

    ``ranks`` is (samples, orders, encoded columns); the result has a row for each sample, order
    and number of known variables, in this order.
    """
    n_known = np.arange(1, n_variables)
    is_known = ranks[:, :, np.newaxis, :] < n_known[:, np.newaxis]
    mixed: FloatArray = np.where(
        is_known, X[:, np.newaxis, np.newaxis, :], background[np.newaxis, :, np.newaxis, :]
    )
    return mixed.reshape(-1, X.shape[1])


def _credited(
    of_background: FloatArray, between: FloatArray, of_samples: FloatArray, ranks: IntArray
) -> FloatArray:
    """The values of each part of the orders from the answers along them."""
    n_samples, n_orders, n_variables = ranks.shape
    path = np.empty((n_samples, n_orders, n_variables + 1))
    path[:, :, 0] = of_background
    path[:, :, 1:-1] = between.reshape(n_samples, n_orders, n_variables - 1)
    path[:, :, -1] = of_samples[:, np.newaxis]
    moved = np.take_along_axis(np.diff(path, axis=2), ranks, axis=2)
    # Orders 0, 1, 16, 17 are one part, and so on: an order stays with its reverse, and each part
    # has background samples of low and of high answers.
    parted = moved.reshape(n_samples, -1, N_PARTS, 2, n_variables)
    parts: FloatArray = parted.mean(axis=(1, 3)).transpose(1, 0, 2)
    return parts
