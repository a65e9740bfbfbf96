"""One simulated table, judged: what is kept of it for the scorecards."""

# ruff: noqa: N806  (X and y are the field's names)

from __future__ import annotations

import time
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from benchmarks.trust.resumable import Key
from benchmarks.trust.shapes import SHAPES, Simulated
from prodapp.ml.columns import describe_column
from prodapp.ml.intake import Column
from prodapp.ml.preprocessing import features_frame
from prodapp.ml.specification import Specification
from prodapp.ml.trust.prequential import measure_gains
from prodapp.ml.trust.ranks import rank_intervals
from prodapp.ml.trust.verdicts import judge

_JUDGED: Final = 20_261
_HOW: Final[dict[str, Any]] = {"n_jobs": 1, "on_share": lambda _: None}


def simulated_table(key: Key, *, purpose: int = _JUDGED) -> Simulated:
    """The table of a key; another ``purpose`` gives others that have nothing to do with it."""
    shape, n_rows, seed = key
    return SHAPES[shape](n_rows, np.random.default_rng((seed, purpose)))


def variables_of(simulated: Simulated) -> tuple[list[Column], pd.DataFrame]:
    """The variables as a training takes them."""
    columns = [
        describe_column(
            simulated.X[name],
            name=str(name),
            kind="number" if is_numeric_dtype(simulated.X[name]) else "category",
        )
        for name in simulated.X.columns
    ]
    return columns, features_frame(simulated.X, columns)


def judged(key: Key) -> dict[str, Any]:
    """The verdicts on one table, with the seconds they took."""
    simulated = simulated_table(key)
    columns, X = variables_of(simulated)
    started = time.perf_counter()
    gains = measure_gains(
        Specification(target="y", random_state=key[2]),
        *(columns, X, simulated.y),
        [[place] for place in range(len(columns))],
        is_ordered=simulated.is_ordered,
        **_HOW,
    )
    verdicts = judge(
        gains.values,
        variance=float(simulated.y.var()),
        explained=gains.explained,
        is_ordered=simulated.is_ordered,
    )
    found = {column.name: verdict for column, verdict in zip(columns, verdicts, strict=True)}
    return {
        "key": list(key),
        "shares": dict(simulated.shares),
        "proxies": dict(simulated.proxies),
        "verdicts": {name: verdict.verdict for name, verdict in found.items()},
        "p_values": {name: verdict.p_value for name, verdict in found.items()},
        "seconds": time.perf_counter() - started,
    }


def ranked(key: Key) -> dict[str, Any]:
    """The intervals of the ranks on one table, with the seconds they took."""
    simulated = simulated_table(key)
    columns, X = variables_of(simulated)
    spec = Specification(target="y", random_state=key[2])
    started = time.perf_counter()
    ranks = rank_intervals(spec, columns, X, simulated.y, is_ordered=simulated.is_ordered, **_HOW)
    return {
        "key": list(key),
        "ranks": {c.name: [r.first, r.last] for c, r in zip(columns, ranks, strict=True)},
        "seconds": time.perf_counter() - started,
    }
