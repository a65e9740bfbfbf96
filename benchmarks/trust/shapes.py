"""Simulated tables whose truth is known, one shape for each way in which a judge can be fooled.

For each variable the truth is T = E[Var(f | the other variables)] / Var(y), f the function that
made y: the share of the target's variance that the variable alone explains, given all others.
Variables are standardised where no shape says otherwise, effects are scaled to the variance they
are given, and T follows from that by hand; the comment at each shape says how.

Nothing here is shared with the code that judges.
"""

# ruff: noqa: N803, N806  (X and y are the field's names)

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

FloatArray = npt.NDArray[np.float64]

N_VARIABLES: Final = 20
_STEADY: Final = 0.9  # of an autoregressive series


@dataclass(frozen=True)
class Simulated:
    """A table and its truth.

    ``shares`` holds T of every variable that has a part in y; ``proxies`` (no part of their own,
    but related to one that has) the variable that each goes along with; all others are null.
    ``sizes`` is the mean |SHAP| of the function that made y, of every variable that acts: of
    effects that add up over independent variables, the mean size of the variable's own. Empty
    where variables depend on each other, for then it is a matter of how SHAP values are defined.
    """

    X: pd.DataFrame
    y: FloatArray
    shares: Mapping[str, float]
    proxies: Mapping[str, str]
    is_ordered: bool = False
    sizes: Mapping[str, float] = field(default_factory=dict)

    @property
    def nulls(self) -> list[str]:
        """Variables that have nothing to do with y, nor with any that has."""
        return [
            name for name in self.X.columns if name not in self.shares and name not in self.proxies
        ]


#: Effects of unit variance on a standard normal variable.
_EFFECTS: Final[tuple[Callable[[FloatArray], FloatArray], ...]] = (
    lambda x: x,
    lambda x: -x,
    lambda x: (x**2 - 1) / np.sqrt(2),
    lambda x: np.sign(x),
    lambda x: np.sqrt(2 / (1 - np.exp(-8))) * np.sin(2 * x),
    lambda x: (np.abs(x) - np.sqrt(2 / np.pi)) / np.sqrt(1 - 2 / np.pi),
)
_MIDDLE: Final = np.sqrt(2 / np.pi)  # the mean size of a standard normal variable
#: The mean size of each of them: E|Z|; 4 φ(1) / √2; 1; by the Fourier series of |sin|; and twice
#: what |Z| is below its mean on average.
_MEAN_SIZES: Final = (
    float(_MIDDLE),
    float(_MIDDLE),
    float(2 * np.sqrt(2) * stats.norm.pdf(1)),
    1.0,
    float(np.sqrt(2 / (1 - np.exp(-8))) * (2 - 4 * np.exp(-8) / 3) / np.pi),
    float(
        (
            2 * _MIDDLE * (2 * stats.norm.cdf(_MIDDLE) - 1)
            - 4 * (stats.norm.pdf(0) - stats.norm.pdf(_MIDDLE))
        )
        / np.sqrt(1 - 2 / np.pi)
    ),
)
#: Shares of variance of the variables that act, in turn.
_SHARES: Final = (0.25, 0.15, 0.12, 0.08, 0.06, 0.04)


def independent(n: int, rng: np.random.Generator) -> Simulated:
    """Six variables act, each in its own way, fourteen do nothing. T is the share given."""
    X = rng.normal(size=(n, N_VARIABLES))
    return _additive(X, rng)


def correlated_groups(n: int, rng: np.random.Generator) -> Simulated:
    """Five groups of four at correlation 0.9; one member of each of the first two acts, linearly.

    Given the rest of its group, a member has the variance 1 − R², R² = k ρ² / (1 + (k−1) ρ) of its
    k = 3 fellows; T is the share times that.
    """
    k, rho = 3, 0.9
    common = np.repeat(rng.normal(size=(n, 5)), 4, axis=1)
    X = np.sqrt(rho) * common + np.sqrt(1 - rho) * rng.normal(size=(n, N_VARIABLES))
    left = 1 - k * rho**2 / (1 + (k - 1) * rho)
    shares = {"x0": 0.5, "x4": 0.2}
    y = sum(np.sqrt(share) * X[:, int(name[1:])] for name, share in shares.items())
    y = y + np.sqrt(1 - 0.7) * rng.normal(size=n)
    proxies = {f"x{g * 4 + m}": f"x{g * 4}" for g in (0, 1) for m in (1, 2, 3)}
    return Simulated(_frame(X), y, {name: share * left for name, share in shares.items()}, proxies)


def linear_proxies(n: int, rng: np.random.Generator) -> Simulated:
    """Four of the null variables go along with the four strongest at correlation 0.9.

    T of the effect of a variable with a copy is below its share, and not by hand for curves, so the
    four act linearly: share times 1 − 0.81.
    """
    X = rng.normal(size=(n, N_VARIABLES))
    X[:, 10:14] = 0.9 * X[:, :4] + np.sqrt(1 - 0.81) * rng.normal(size=(n, 4))
    effects = (_EFFECTS[0],) * 4 + _EFFECTS[4:]
    simulated = _additive(X, rng, effects=effects)
    shares = {
        name: share * (0.19 if int(name[1:]) < 4 else 1.0)
        for name, share in simulated.shares.items()
    }
    return Simulated(simulated.X, simulated.y, shares, {f"x{10 + i}": f"x{i}" for i in range(4)})


def curved_proxies(n: int, rng: np.random.Generator) -> Simulated:
    """Functions of acting variables, with some noise: a square, a size, an exponential, a product.

    What is left of an acting variable, given them, is not known by hand: T is given as the share,
    which it cannot exceed.
    """
    X = rng.normal(size=(n, N_VARIABLES))
    noise = rng.normal(size=(n, 4))
    X[:, 10] = X[:, 0] ** 2 + 0.3 * noise[:, 0]
    X[:, 11] = np.abs(X[:, 1]) + 0.2 * noise[:, 1]
    X[:, 12] = np.exp(0.7 * X[:, 2]) + 0.2 * noise[:, 2]
    X[:, 13] = X[:, 0] * X[:, 1] + 0.5 * noise[:, 3]
    simulated = _additive(X, rng)
    proxies = {"x10": "x0", "x11": "x1", "x12": "x2", "x13": "x0"}
    return Simulated(simulated.X, simulated.y, simulated.shares, proxies)


def autocorrelated(n: int, rng: np.random.Generator) -> Simulated:
    """Stationary series of coefficient 0.9, errors included; six act. T is the share given."""
    X = np.column_stack([_series(n, rng) for _ in range(N_VARIABLES)])
    simulated = _additive(X, rng, errors=_series(n, rng))
    return replace(simulated, is_ordered=True)


def heavy_tails(n: int, rng: np.random.Generator) -> Simulated:
    """Variables and errors by Student's t with three degrees of freedom; linear effects. T is the
    share given (the variance of t₃ is 3)."""
    X = rng.standard_t(3, size=(n, N_VARIABLES)) / np.sqrt(3)
    errors = rng.standard_t(3, size=n) / np.sqrt(3)
    # The mean size of t₃ is 2 √3 / π.
    return _additive(X, rng, effects=(_EFFECTS[0],) * 6, mean_sizes=(2 / np.pi,) * 6, errors=errors)


def missing(n: int, rng: np.random.Generator) -> Simulated:
    """A fifth of all cells is missing at random, after y was made. T is at most the share; a cell
    that is missing moves nothing."""
    simulated = independent(n, rng)
    holes = rng.random(simulated.X.shape) < 0.2
    sizes = {name: 0.8 * size for name, size in simulated.sizes.items()}
    return replace(simulated, X=simulated.X.mask(holes), sizes=sizes)


def categorical(n: int, rng: np.random.Generator) -> Simulated:
    """Four categories beside sixteen numbers: one acts, one goes along with an acting number, one
    with the acting category, one does nothing. The acting category's T is its share times the
    chance that its companion, which tells it three times in four, leaves it open: at most that."""
    X = rng.normal(size=(n, N_VARIABLES))
    simulated = _additive(X, rng)
    kinds = rng.integers(0, 4, size=n)
    weights = np.array([-1.0, -0.4, 0.4, 1.0])
    weights /= weights.std()
    y = simulated.y + np.sqrt(0.1) * weights[kinds]
    follows = np.where(rng.random(n) < 0.75, kinds, rng.integers(0, 4, size=n))
    frame = simulated.X.drop(columns=["x16", "x17", "x18", "x19"])
    frame["c0"] = _words(kinds)
    frame["c1"] = _words(np.digitize(X[:, 0] + 0.5 * rng.normal(size=n), [-1, 0, 1]))
    frame["c2"] = _words(follows)
    frame["c3"] = _words(rng.integers(0, 6, size=n))
    shares = {name: share / 1.1 for name, share in simulated.shares.items()} | {"c0": 0.1 / 1.1}
    return Simulated(frame, y, shares, {"c1": "x0", "c2": "c0"})


def interactions(n: int, rng: np.random.Generator) -> Simulated:
    """Products of two variables, without effects of their own. T of each is the product's share,
    since one of two factors, given the other, makes it vary as a whole; its SHAP value is half of
    the product."""
    X = rng.normal(size=(n, N_VARIABLES))
    y = np.sqrt(0.4) * X[:, 0] * X[:, 1] + np.sqrt(0.2) * X[:, 2] * X[:, 3]
    y += np.sqrt(0.1) * X[:, 4] + np.sqrt(0.3) * rng.normal(size=n)
    shares = {"x0": 0.4, "x1": 0.4, "x2": 0.2, "x3": 0.2, "x4": 0.1}
    halves = {name: np.sqrt(shares[name]) * _MIDDLE**2 / 2 for name in ("x0", "x1", "x2", "x3")}
    sizes = halves | {"x4": np.sqrt(0.1) * _MIDDLE}
    return Simulated(_frame(X), y, shares, {}, sizes=sizes)


def low_signal(n: int, rng: np.random.Generator) -> Simulated:
    """The effects of the independent shape, a tenth of the variance in all. T is the share."""
    X = rng.normal(size=(n, N_VARIABLES))
    return _additive(X, rng, total=0.1)


def pure_noise(n: int, rng: np.random.Generator) -> Simulated:
    """Nothing acts."""
    return Simulated(_frame(rng.normal(size=(n, N_VARIABLES))), rng.normal(size=n), {}, {})


SHAPES: Final[Mapping[str, Callable[[int, np.random.Generator], Simulated]]] = {
    shape.__name__: shape
    for shape in (
        independent,
        correlated_groups,
        linear_proxies,
        curved_proxies,
        autocorrelated,
        heavy_tails,
        missing,
        categorical,
        interactions,
        low_signal,
        pure_noise,
    )
}


def _additive(
    X: FloatArray,
    rng: np.random.Generator,
    *,
    effects: tuple[Callable[[FloatArray], FloatArray], ...] = _EFFECTS,
    mean_sizes: tuple[float, ...] = _MEAN_SIZES,
    errors: FloatArray | None = None,
    total: float = sum(_SHARES),
) -> Simulated:
    """The first variables act with the shares ``_SHARES``, scaled to ``total``; Var(y) is 1."""
    shares = np.array(_SHARES) * total / sum(_SHARES)
    errors = rng.normal(size=len(X)) if errors is None else errors
    y = np.sqrt(1 - total) * errors
    for place, (share, effect) in enumerate(zip(shares, effects, strict=True)):
        y = y + np.sqrt(share) * effect(X[:, place])
    sizes = np.sqrt(shares) * mean_sizes
    names = [f"x{place}" for place in range(len(shares))]
    return Simulated(
        _frame(X),
        y,
        dict(zip(names, shares.tolist(), strict=True)),
        {},
        sizes=dict(zip(names, sizes.tolist(), strict=True)),
    )


def _series(n: int, rng: np.random.Generator) -> FloatArray:
    """A first-order autoregressive series of variance 1, from its stationary state."""
    steps = np.sqrt(1 - _STEADY**2) * rng.normal(size=n)
    series = np.empty(n)
    series[0] = rng.normal()
    for i in range(1, n):
        series[i] = _STEADY * series[i - 1] + steps[i]
    return series


def _frame(X: FloatArray) -> pd.DataFrame:
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])


def _words(codes: npt.NDArray[np.int64]) -> pd.Series:
    return pd.Series([f"type {code}" for code in codes], dtype="object")
