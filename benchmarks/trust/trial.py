"""One simulated table, judged: what is kept of it for the scorecard."""

# ruff: noqa: N806  (X and y are the field's names)

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from pandas.api.types import is_numeric_dtype

from benchmarks.trust.shapes import SHAPES
from prodapp.ml.columns import describe_column
from prodapp.ml.preprocessing import features_frame
from prodapp.ml.specification import Specification
from prodapp.ml.trust.prequential import measure_gains
from prodapp.ml.trust.ranks import rank_intervals
from prodapp.ml.trust.verdicts import judge


@dataclass(frozen=True)
class Trial:
    """Which table: everything that it is made from."""

    shape: str
    n_rows: int
    seed: int


def carry_out(trial: Trial) -> dict[str, Any]:
    """The verdicts and intervals on one table, as plain values, with the seconds they took."""
    simulated = SHAPES[trial.shape](trial.n_rows, np.random.default_rng((trial.seed, 20_261)))
    names = [str(name) for name in simulated.X.columns]
    columns = [
        describe_column(
            simulated.X[name],
            name=name,
            kind="number" if is_numeric_dtype(simulated.X[name]) else "category",
        )
        for name in names
    ]
    X = features_frame(simulated.X, columns)
    spec = Specification(target="y", random_state=trial.seed)
    how = {"is_ordered": simulated.is_ordered, "n_jobs": 1, "on_share": lambda _: None}
    started = time.perf_counter()
    units = [[place] for place in range(len(names))]
    gains = measure_gains(spec, columns, X, simulated.y, units, **how)
    verdicts = judge(
        gains.values,
        variance=float(simulated.y.var()),
        explained=gains.explained,
        is_ordered=simulated.is_ordered,
    )
    after_verdicts = time.perf_counter()
    ranks = rank_intervals(spec, columns, X, simulated.y, **how)
    return {
        **asdict(trial),
        "shares": dict(simulated.shares),
        "proxies": dict(simulated.proxies),
        "verdicts": {name: verdict.verdict for name, verdict in zip(names, verdicts, strict=True)},
        "p_values": {name: v.p_value for name, v in zip(names, verdicts, strict=True)},
        "ranks": {name: [r.first, r.last] for name, r in zip(names, ranks, strict=True)},
        "seconds": {
            "verdicts": after_verdicts - started,
            "ranks": time.perf_counter() - after_verdicts,
        },
    }
