"""How much a model's answers lose, on samples that it has never seen, without one variable.

Rows are parted into five blocks. For each block but the first a forest learns from the blocks
before it and is tested on the block. Each test is thus made by a model that knows nothing of the
tested samples or of those after them: the sum of the gains is a martingale, and their mean over
its standard error is normal where there is nothing to find (Dawid 1984 on prequential validity).
Folds that train each other, and out-of-bag samples, have no such thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from prodapp.ml.estimators import build_pipeline
from prodapp.ml.fitting import fit_pipeline
from prodapp.ml.preprocessing import source_positions
from prodapp.ml.progress import part_of
from prodapp.ml.specification import Specification
from prodapp.ml.table import Column
from prodapp.ml.trust.conditional import Conditional, build_basis, condition
from prodapp.ml.trust.swapping import answers_with_copies

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
OnShare = Callable[[float], None]

_N_BLOCKS: Final = 5
_N_TREES: Final = 50
#: Copies of each variable, in two halves that know nothing of each other.
_N_COPIES: Final = 10
#: Units whose copies are encoded together: more would only take memory.
_UNITS_AT_ONCE: Final = 32
#: More samples make the test slower, and hardly sharper where it matters.
MAX_SAMPLES: Final = 10_000
#: Residuals beyond this many spreads count as so large (Huber 1964), in median deviations.
_CLIP: Final = 1.345 * 1.4826
#: Rows between what was learned and what is tested, where neighbours are alike: a share of a block.
_GAP: Final = 0.05
_STRETCH: Final = 100


@dataclass(frozen=True)
class Gains:
    """``values`` (tested samples, units): what each unit gives the model at each sample.

    In the target's unit squared. The mean of a unit estimates E[Var(f | the other variables)], f
    what the forest has learned, and is 0 for one that adds nothing to the others. ``explained`` is
    the share of the squared error of the mean learned that the forests took away, at least 0.
    ``rows`` are the samples' positions in the table, in the order of the test.
    """

    values: FloatArray
    explained: float
    rows: IntArray


def measure_gains(
    spec: Specification,
    columns: Sequence[Column],
    X: pd.DataFrame,
    y: FloatArray,
    units: Sequence[Sequence[int]],
    *,
    is_ordered: bool,
    n_jobs: int,
    on_share: OnShare,
) -> Gains:
    """The gains of ``units``: variables, or groups of them, by position in ``columns``.

    ``X`` (samples, variables) and ``y`` (samples,) are in the order of the table; ``is_ordered``
    keeps it, with a gap before each tested block.
    """
    rng = np.random.default_rng(spec.random_state)
    blocks = part(len(y), is_ordered=is_ordered, rng=rng)
    rows = np.concatenate(blocks)
    # Of a million rows the basis alone would take gigabytes: only those that take part have one.
    X, y = X.iloc[rows], y[rows]
    blocks = np.array_split(np.arange(len(rows)), len(blocks))
    basis = build_basis(X, columns)
    conditionals = [condition(X, columns, members, basis) for members in units]
    gains: list[FloatArray] = []
    left = at_first = 0.0
    for number in range(1, len(blocks)):
        learned, tested = np.concatenate(blocks[:number]), blocks[number]
        if is_ordered:
            learned = learned[: len(learned) - int(_GAP * len(tested))]
        n_tests = len(blocks) - 1
        share_of_block = part_of(on_share, (number - 1) / n_tests, number / n_tests)
        pipeline = _fit(
            spec,
            columns,
            X.iloc[learned],
            y[learned],
            n_jobs=n_jobs,
            on_share=part_of(share_of_block, 0.0, 0.5),
        )
        answers, values = _gains_of_block(
            pipeline,
            X,
            y,
            tested,
            units,
            conditionals,
            rng=rng,
            n_jobs=n_jobs,
            on_share=part_of(share_of_block, 0.5, 1.0),
        )
        gains.append(values)
        left += float(((y[tested] - answers) ** 2).sum())
        at_first += float(((y[tested] - y[learned].mean()) ** 2).sum())
    explained = max(0.0, 1 - left / at_first) if at_first > 0 else 0.0
    return Gains(np.concatenate(gains), explained, rows[len(blocks[0]) :])


def random_forest(spec: Specification, *, n_trees: int) -> Specification:
    """What judges: a random forest on the variables as they are, of no more trees than ``spec``
    has, so that who asked for a quick model gets a quick judgement."""
    asked_for = spec.resolved_hyperparameters().get("n_estimators", n_trees)
    return Specification(
        target=spec.target,
        hyperparameters={"n_estimators": min(n_trees, asked_for)},
        random_state=spec.random_state,
    )


def part(n_samples: int, *, is_ordered: bool, rng: np.random.Generator) -> list[IntArray]:
    """Positions of the samples in five blocks: in their order, or drawn at random.

    Of more than ``MAX_SAMPLES`` some are drawn; ordered ones in stretches, since thinning would
    part the neighbours.
    """
    if n_samples <= MAX_SAMPLES:
        rows = np.arange(n_samples) if is_ordered else rng.permutation(n_samples)
    elif is_ordered:
        n_stretches = MAX_SAMPLES // _STRETCH
        starts = np.linspace(0, n_samples - _STRETCH, n_stretches).astype(np.intp)
        rows = np.unique(starts[:, np.newaxis] + np.arange(_STRETCH))
    else:
        rows = rng.permutation(n_samples)[:MAX_SAMPLES]
    return [block.astype(np.intp) for block in np.array_split(rows, _N_BLOCKS)]


def _fit(
    spec: Specification,
    columns: Sequence[Column],
    X: pd.DataFrame,
    y: FloatArray,
    *,
    n_jobs: int,
    on_share: OnShare,
) -> Pipeline:
    forest = random_forest(spec, n_trees=_N_TREES)
    pipeline = build_pipeline(forest, columns, n_samples=len(y), n_jobs=n_jobs)
    fit_pipeline(pipeline, X, y, on_share=on_share)
    return pipeline


def _gains_of_block(
    pipeline: Pipeline,
    X: pd.DataFrame,
    y: FloatArray,
    tested: IntArray,
    units: Sequence[Sequence[int]],
    conditionals: Sequence[Conditional],
    *,
    rng: np.random.Generator,
    n_jobs: int,
    on_share: OnShare,
) -> tuple[FloatArray, FloatArray]:
    """The answers (samples,) and the gains (samples, units)."""
    truth = y[tested]
    gains = np.empty((len(tested), len(units)))
    for batch in _disjoint(units):
        answers, changed = _without(
            pipeline,
            X,
            tested,
            units[batch],
            conditionals[batch],
            rng=rng,
            n_jobs=n_jobs,
            on_share=part_of(on_share, batch.start / len(units), batch.stop / len(units)),
        )
        errors = truth - answers
        limit = _CLIP * float(np.median(np.abs(errors - np.median(errors)))) or np.inf
        first, second = (
            changed.reshape(len(tested), 2, _N_COPIES // 2, -1).mean(axis=2).swapaxes(0, 1)
        )
        # One mean in both factors would count its own noise as a loss.
        of_first = np.clip(truth[:, np.newaxis] - first, -limit, limit)
        of_second = np.clip(truth[:, np.newaxis] - second, -limit, limit)
        answered = answers[:, np.newaxis]
        gains[:, batch] = 0.5 * (of_first * (answered - second) + of_second * (answered - first))
    return answers, gains


def _disjoint(units: Sequence[Sequence[int]]) -> Iterator[slice]:
    """Runs of units that share no variable, so that one table holds the copies of all of them."""
    start = 0
    seen: set[int] = set()
    for place, members in enumerate(units):
        if seen.intersection(members) or place - start == _UNITS_AT_ONCE:
            yield slice(start, place)
            start, seen = place, set()
        seen.update(members)
    yield slice(start, len(units))


def _without(
    pipeline: Pipeline,
    X: pd.DataFrame,
    tested: IntArray,
    units: Sequence[Sequence[int]],
    conditionals: Sequence[Conditional],
    *,
    rng: np.random.Generator,
    n_jobs: int,
    on_share: OnShare,
) -> tuple[FloatArray, FloatArray]:
    """The answers (samples,), and those (samples, copies, units) with copies of each unit."""
    samples = X.iloc[tested]
    copied: dict[str, Any] = {}
    for conditional in conditionals:
        copied |= conditional.copies(X, tested, n_copies=_N_COPIES, rng=rng)
    repeated = pd.concat([samples] * _N_COPIES, ignore_index=True).assign(**copied)
    preprocessing = pipeline[0]
    encoded = preprocessing.transform(repeated).astype(np.float32)
    by_sample = encoded.reshape(_N_COPIES, len(tested), -1).swapaxes(0, 1)
    sources = source_positions(preprocessing, list(X.columns))
    return answers_with_copies(
        pipeline[-1],
        np.ascontiguousarray(preprocessing.transform(samples), dtype=np.float32),
        np.ascontiguousarray(by_sample),
        [np.flatnonzero(np.isin(sources, members)) for members in units],
        n_jobs=n_jobs,
        on_share=on_share,
    )
