"""What else a variable could have been, given all others: the copies that a test puts in its place.

A variable that only goes along with a real one makes a model's answers worse when its values are
shuffled at random, since rows then hold combinations that never occur. So its values are shuffled
only as far as the other variables leave it free. Of a number, what a function of the others does
not tell (the residual) goes to another row; the function is additive but for the products of two
that show in the residual. Categories change places among rows for which the others suggest the
same one. Missing values stay where they are.

Conditional permutation: Strobl et al. 2008; as a test of conditional independence: Berrett et al.
2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.ml.table import Column
from prodapp.ml.trust.ridge import Ridge

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

_HINGES: Final = (0.1, 0.3, 0.5, 0.7, 0.9)
#: Values farther than this many spreads from the middle count as so far: a few must not bend it.
_FARTHEST: Final = 6.0
#: Of a category its most frequent values, of the others the most closely related variables.
_MAX_CATEGORIES: Final = 12
_MAX_OTHERS: Final = 30
_LEAST_VARIANCE: Final = 1e-9
#: Products of two others that are taken in: the clearest, from so many standard errors on.
_MAX_PRODUCTS: Final = 12
_PRODUCT_SCORE: Final = 3.0


@dataclass(frozen=True)
class Conditional:
    """What the others tell of one group of variables in every row.

    ``means`` and ``residuals`` are (rows, numbers of the group), NaN where missing; ``suggested``
    (rows, categories of the group) holds the category that the others suggest, by position.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    means: FloatArray
    residuals: FloatArray
    suggested: IntArray

    def copies(
        self, X: pd.DataFrame, rows: IntArray, *, n_copies: int, rng: np.random.Generator
    ) -> dict[str, Any]:
        """The group's columns for ``n_copies`` of the rows one after the other, by name.

        Members that are numbers move together, so that what they share stays whole.
        """
        moves = [self._move(X, rows, rng) for _ in range(n_copies)]
        found: dict[str, Any] = {}
        for place, name in enumerate(self.numbers):
            means, residuals = self.means[rows, place], self.residuals[rows, place]
            found[name] = np.concatenate([means + residuals[move] for move, _ in moves])
        for place, name in enumerate(self.categories):
            cells = X[name].to_numpy()[rows]
            found[name] = np.concatenate([cells[moved[place]] for _, moved in moves])
        return found

    def _move(
        self, X: pd.DataFrame, rows: IntArray, rng: np.random.Generator
    ) -> tuple[IntArray, list[IntArray]]:
        """Which row gives each row its residual, and its cell of each category."""
        together = rng.permutation(len(rows))
        if self.numbers:
            # Rows that miss some members give to rows that miss the same ones.
            missing = np.isnan(self.residuals[rows])
            patterns = np.unique(missing, axis=0, return_inverse=True)[1].ravel()
            together = _within(patterns, rng)
        moved = []
        for place, name in enumerate(self.categories):
            is_missing = pd.isna(X[name].to_numpy()[rows])
            strata = np.where(is_missing, -1, self.suggested[rows, place])
            moved.append(_within(strata, rng))
        return together, moved


@dataclass(frozen=True)
class Basis:
    """Additive functions of every variable: ``values`` (rows, functions), ``owners`` (functions,)
    the position of the variable that each is of, ``leading`` the first function of each variable;
    ``gram`` (functions, functions) the sums of their products, and ``kinship`` (variables,
    variables) how alike two variables are, 0 to 1."""

    values: FloatArray
    owners: IntArray
    leading: IntArray
    gram: FloatArray
    kinship: FloatArray

    @cached_property
    def ridge(self) -> Ridge:
        """Regressions on all functions, or on all but some."""
        return Ridge(self.values, self.gram)

    @cached_property
    def product_variances(self) -> FloatArray:
        """(variables, variables): of the products of their first functions."""
        squares = self.values[:, self.leading] ** 2
        means = self.gram[np.ix_(self.leading, self.leading)] / len(self.values)
        variances: FloatArray = (squares.T @ squares) / len(self.values) - means**2
        return variances

    def of(self, members: Sequence[int]) -> IntArray:
        """The positions of the functions of these variables."""
        return np.flatnonzero(np.isin(self.owners, members))

    def regression(self, members: Sequence[int], others: IntArray) -> tuple[Ridge, IntArray]:
        """Regressions on the ``others`` of ``members``, and what is to be left out of them.

        Where the others are all other variables, one factorisation serves every group of members.
        """
        if len(others) + len(members) == len(self.leading):
            return self.ridge, self.of(members)
        kept = self.of(others.tolist())
        return Ridge(self.values[:, kept], self.gram[np.ix_(kept, kept)]), kept[:0]


def build_basis(X: pd.DataFrame, columns: Sequence[Column]) -> Basis:
    """The basis over these variables: of a number z, z² and five hinges, of a category its values.

    Missing values stand at the middle, and a column of 0 and 1 says where.
    """
    parts = [_functions(X[column.name], column) for column in columns]
    widths = [part.shape[1] for part in parts]
    owners = np.repeat(np.arange(len(columns)), widths)
    leading = np.cumsum([0, *widths[:-1]])
    values = _standardized(np.hstack(parts))
    gram = values.T @ values
    return Basis(values, owners, leading, gram, _kinship(gram / len(values), leading))


def condition(
    X: pd.DataFrame, columns: Sequence[Column], members: Sequence[int], basis: Basis
) -> Conditional:
    """What the other variables tell of ``members`` (positions in ``columns``)."""
    others = _others(basis, members)
    ridge, without = basis.regression(members, others)
    numbers = [columns[m] for m in members if columns[m].kind == "number"]
    categories = [columns[m] for m in members if columns[m].kind != "number"]
    means = np.full((len(X), len(numbers)), np.nan)
    residuals = means.copy()
    for place, column in enumerate(numbers):
        values = X[column.name].to_numpy(dtype=np.float64)
        present = ~np.isnan(values)
        known = np.where(present, values, values[present].mean() if present.any() else 0.0)
        fitted = ridge.fitted(known[:, np.newaxis], without=without)[:, 0]
        products = _products(basis, others, known - fitted)
        if products.shape[1]:
            richer = ridge.fitted(known[:, np.newaxis], without=without, further=products)
            fitted = richer[:, 0]
        means[present, place] = fitted[present]
        residuals[present, place] = (values - fitted)[present]
    suggested = np.zeros((len(X), len(categories)), dtype=np.intp)
    for place, column in enumerate(categories):
        flags = _flags(X[column.name])
        suggested[:, place] = ridge.fitted(flags, without=without).argmax(axis=1)
    return Conditional(
        tuple(c.name for c in numbers),
        tuple(c.name for c in categories),
        means,
        residuals,
        suggested,
    )


def _functions(series: pd.Series, column: Column) -> FloatArray:
    if column.kind != "number":
        return _flags(series)
    values = series.to_numpy(dtype=np.float64)
    present = ~np.isnan(values)
    if not present.any():
        return np.zeros((len(values), 1))
    known = values[present]
    low, middle, high = np.quantile(known, (0.16, 0.5, 0.84))
    spread = (high - low) / 2 or known.std() or 1.0
    z = np.where(present, np.clip((values - middle) / spread, -_FARTHEST, _FARTHEST), 0.0)
    hinges = np.unique(np.quantile(z[present], _HINGES))
    parts = [z, z**2, *(np.maximum(z - hinge, 0.0) for hinge in hinges)]
    if not present.all():
        parts.append((~present).astype(np.float64))
    return np.column_stack(parts)


def _flags(series: pd.Series) -> FloatArray:
    codes, values = pd.factorize(series.astype(object), use_na_sentinel=False)
    counts = np.bincount(codes, minlength=len(values))
    kept = np.argsort(-counts, kind="stable")[:_MAX_CATEGORIES]
    flags: FloatArray = (codes[:, np.newaxis] == kept).astype(np.float64)
    return flags


def _standardized(values: FloatArray) -> FloatArray:
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0)
    standardized: FloatArray = centred / np.where(spread > 0, spread, 1.0)
    return standardized


def _kinship(correlations: FloatArray, leading: IntArray) -> FloatArray:
    by_row = np.maximum.reduceat(np.abs(correlations), leading, axis=0)
    kinship: FloatArray = np.maximum.reduceat(by_row, leading, axis=1)
    return kinship


def _products(basis: Basis, others: IntArray, residuals: FloatArray) -> FloatArray:
    """The products of two other variables that go along with what additive functions leave."""
    Z = basis.values[:, basis.leading[others]]
    n_rows, n_others = Z.shape
    spread = residuals.std()
    first, second = np.triu_indices(n_others, k=1)
    if spread == 0 or not len(first):
        return Z[:, :0]
    sums = (Z * residuals[:, np.newaxis]).T @ Z
    variances = basis.product_variances[np.ix_(others, others)]
    scores = np.abs(sums[first, second]) / np.sqrt(
        n_rows * spread**2 * np.maximum(variances[first, second], _LEAST_VARIANCE)
    )
    chosen = np.argsort(-scores, kind="stable")[:_MAX_PRODUCTS]
    chosen = chosen[scores[chosen] > _PRODUCT_SCORE]
    return _standardized(Z[:, first[chosen]] * Z[:, second[chosen]])


def _others(basis: Basis, members: Sequence[int]) -> IntArray:
    closeness: FloatArray = basis.kinship[list(members)].max(axis=0)
    closeness[list(members)] = -1.0
    nearest: IntArray = np.argsort(-closeness, kind="stable")[:_MAX_OTHERS]
    return nearest[closeness[nearest] >= 0]


def _within(strata: npt.NDArray[Any], rng: np.random.Generator) -> IntArray:
    """A permutation that leaves every row in its stratum."""
    n_rows = len(strata)
    order = np.lexsort((rng.random(n_rows), strata))
    homes = np.argsort(strata, kind="stable")
    move = np.empty(n_rows, dtype=np.intp)
    move[homes] = order
    return move
