"""The tables to rank: made-up ones of known size, and public ones where they are at hand."""

# ruff: noqa: N806  (X and y are the field's names)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

N_VARIABLES = 30
REAL = {
    "concrete.csv": "CMS",
    "ccpp.csv": "PE",
    "grid_stability.csv": "stab",
    "ai4i2020.csv": "Machine_failure",
    "steel_energy.csv": "Usage_kWh",
    "diamonds.csv": "price",
}


@dataclass(frozen=True)
class Source:
    """A CSV file and its target."""

    name: str
    path: Path
    target: str
    n_rows: int


def synthetic(n_rows: int, folder: Path) -> Source:
    """Thirty variables, ten of which act with falling strength: lines, waves, products, steps."""
    rng = np.random.default_rng(n_rows)
    X = rng.normal(size=(n_rows, N_VARIABLES))
    X[:, 10:14] += 0.8 * X[:, :4]  # four that copy the strongest, in part
    strengths = 3.0 * 0.8 ** np.arange(10)
    shapes = (
        X[:, 0],
        np.tanh(2 * X[:, 1]),
        X[:, 2] * X[:, 3],
        np.sin(2 * X[:, 4]),
        (X[:, 5] > 0.3).astype(float),
        np.abs(X[:, 6]),
        X[:, 7],
        X[:, 8] * X[:, 0],
        np.exp(0.5 * X[:, 9]),
        X[:, 3],
    )
    y = sum(strength * shape for strength, shape in zip(strengths, shapes, strict=True))
    frame = pd.DataFrame(X, columns=[f"v{index:02}" for index in range(N_VARIABLES)])
    frame["y"] = y + rng.normal(scale=1.5, size=n_rows)
    path = folder / f"synthetic_{n_rows}.csv"
    frame.to_csv(path, index=False, float_format="%.6g")
    return Source(f"synthetic {n_rows:,} × {N_VARIABLES}", path, "y", n_rows)


def real(folder: Path) -> Iterator[Source]:
    """The public tables in ``folder``."""
    for filename, target in REAL.items():
        path = folder / filename
        if path.exists():
            with path.open("rb") as file:
                n_rows = sum(1 for _ in file) - 1
            yield Source(filename, path, target, n_rows)
