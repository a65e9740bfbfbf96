"""What a forest answers where the values of some variables are taken from copies.

A row meets few of the variables on its way down a tree. Where it does not meet a variable, the
answer of the tree stays; where it does, only the way from the first split on it is gone again, once
for each copy. That is a fraction of asking the forest about every copy of every row anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from prodapp.ml import treeshap
from prodapp.ml.ensembles import collect_forest
from prodapp.ml.treeshap import Forest

FloatArray = npt.NDArray[np.float64]
SingleArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
OnShare = Callable[[float], None]

#: Rows that a thread takes at a time, so that they stay in the processor's cache.
_PORTION: Final = 256


def answers_with_copies(
    forest: Any,
    X: SingleArray,
    copies: SingleArray,
    units: Sequence[IntArray],
    *,
    n_jobs: int,
    on_share: OnShare,
) -> tuple[FloatArray, FloatArray]:
    """The answers (rows,) of a fitted forest of averaged trees for ``X`` (rows, columns), and those
    (rows, copies, units) with the columns of one of the ``units`` taken from ``copies`` (rows,
    copies, columns), which no two units share.

    Compiled where numba is; without it the forest is asked about every copy.
    """
    portions = [slice(at, at + _PORTION) for at in range(0, len(X), _PORTION)]
    answers = np.zeros(len(X))
    changed = np.zeros((len(X), copies.shape[1], len(units)))
    work = (_compiled if treeshap.is_available() else _plain)(forest, X, copies, units)
    with ThreadPoolExecutor(max_workers=n_jobs, thread_name_prefix="swapping") as executor:
        futures = [executor.submit(work, p, answers[p], changed[p]) for p in portions]
        try:
            for n_done, future in enumerate(futures, start=1):
                future.result()
                on_share(n_done / len(portions))
        finally:
            executor.shutdown(cancel_futures=True)
    return answers, changed


def _compiled(
    forest: Any, X: SingleArray, copies: SingleArray, units: Sequence[IntArray]
) -> Callable[[slice, FloatArray, FloatArray], None]:
    trees: Forest = collect_forest(forest)
    return _loop(trees, X, copies, units)


def _loop(
    trees: Forest, X: SingleArray, copies: SingleArray, units: Sequence[IntArray]
) -> Callable[[slice, FloatArray, FloatArray], None]:
    # Imported here: it imports numba, which takes a second.
    from prodapp.ml.trust.swapping_kernel import add_up

    unit_of = np.full(X.shape[1], -1, dtype=np.int64)
    for number, columns in enumerate(units):
        unit_of[columns] = number
    tree = (
        *(trees.left.astype(np.int32), trees.right.astype(np.int32)),
        *(trees.features.astype(np.int32), trees.thresholds),
        *(trees.missing_left, trees.values),
    )

    def work(portion: slice, answers: FloatArray, changed: FloatArray) -> None:
        add_up(trees.roots, tree, X[portion], copies[portion], unit_of, answers, changed)
        answers += trees.offset
        changed += answers[:, np.newaxis, np.newaxis]

    return work


def _plain(
    forest: Any, X: SingleArray, copies: SingleArray, units: Sequence[IntArray]
) -> Callable[[slice, FloatArray, FloatArray], None]:
    def work(portion: slice, answers: FloatArray, changed: FloatArray) -> None:
        rows = X[portion]
        answers[:] = forest.predict(rows)
        for number, columns in enumerate(units):
            asked = np.repeat(rows[:, np.newaxis], copies.shape[1], axis=1)
            asked[:, :, columns] = copies[portion][:, :, columns]
            found = forest.predict(asked.reshape(-1, rows.shape[1]))
            changed[:, :, number] = found.reshape(changed.shape[:2])

    return work


def warm_up() -> None:
    """Compile the loop for its types and leave it in numba's cache."""
    X = np.ones((1, 1), dtype=np.float32)
    work = _loop(treeshap.one_split(), X, X[:, :, np.newaxis], [np.zeros(1, dtype=np.int64)])
    work(slice(0, 1), np.zeros(1), np.zeros((1, 1, 1)))
