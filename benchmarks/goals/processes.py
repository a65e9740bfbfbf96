"""Processes whose truth is known, to ask for goals: where levers help, and where nothing does.

Levers a, b, c, d; ``quality`` and ``humidity`` are observed. Nothing here is shared with the code
that seeks goals.
"""

# ruff: noqa: N803, N806  (X and y are the field's names)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
Truth = Callable[[pd.DataFrame], FloatArray]

LEVERS: Final = ("a", "b", "c", "d")
_STEADY: Final = 0.9


@dataclass(frozen=True)
class Process:
    """A table, and ``truth``: the mean of the target by the values of a row."""

    X: pd.DataFrame
    y: FloatArray
    truth: Truth
    is_ordered: bool = False


def made(shape: str, n_rows: int, rng: np.random.Generator) -> Process:
    """One table of a shape of :data:`SHAPES`."""
    rules, is_ordered = SHAPES[shape]
    draw = _steady if is_ordered else lambda n, rng: rng.normal(size=n)
    X = pd.DataFrame({name: draw(n_rows, rng) for name in (*LEVERS, "quality", "humidity")})
    if shape in ("confounded", "noise_confounded"):
        # Good material was run fast.
        X["a"] = 0.6 * X["quality"] + 0.8 * X["a"]
    if shape == "forbidden":
        X["b"] = -0.95 * X["a"] + 0.31 * X["b"]
    noise = draw(n_rows, rng) if is_ordered else rng.normal(size=n_rows)
    return Process(X, rules(X) + noise, rules, is_ordered)


def _steady(n_rows: int, rng: np.random.Generator) -> FloatArray:
    """An autoregressive series of unit variance."""
    steps = rng.normal(size=n_rows) * np.sqrt(1 - _STEADY**2)
    values = np.empty(n_rows)
    values[0] = rng.normal()
    for place in range(1, n_rows):
        values[place] = _STEADY * values[place - 1] + steps[place]
    return values


def _column(X: pd.DataFrame, name: str) -> FloatArray:
    values: FloatArray = X[name].to_numpy(dtype=np.float64)
    return values


def _straight(X: pd.DataFrame) -> FloatArray:
    return _column(X, "a") - 0.6 * _column(X, "b") + _column(X, "quality")


def _hill(X: pd.DataFrame) -> FloatArray:
    return -((_column(X, "a") - 0.5) ** 2) - 0.5 * _column(X, "b") ** 2 + _column(X, "quality")


def _together(X: pd.DataFrame) -> FloatArray:
    high = (_column(X, "a") > 0.3) & (_column(X, "b") > 0.3)
    return 2.0 * high + _column(X, "quality")


def _context(X: pd.DataFrame) -> FloatArray:
    return _column(X, "quality") + np.sin(2 * _column(X, "humidity"))


#: Shape → the truth, and whether rows follow each other. Those that begin with "noise" allow no
#: gain at all: whatever is promised there is wrong.
SHAPES: Final[dict[str, tuple[Truth, bool]]] = {
    "straight": (_straight, False),
    "hill": (_hill, False),
    "together": (_together, False),
    "confounded": (_straight, False),
    "forbidden": (lambda X: _column(X, "a") + _column(X, "b") + _column(X, "quality"), False),
    "ordered": (_straight, True),
    "noise": (_context, False),
    "noise_confounded": (_context, False),
    "noise_ordered": (_context, True),
}
