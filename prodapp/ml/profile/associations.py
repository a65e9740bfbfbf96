"""How alike columns are, and the groups of those that carry the same information.

Numbers are compared by rank correlation (Spearman), a category with a number by the correlation
ratio of the number's ranks, two categories by Cramér's V, both corrected for chance (Bergsma
2013). Groups come from hierarchical clustering with complete linkage: in a group every pair is at
least as alike as the threshold, so a chain of half-related columns is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from prodapp.ml.table import Column

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

#: Columns at least this alike, each with each, form a group.
ALIKE: Final = 0.8
_MAX_ROWS: Final = 5_000
_MIN_ROWS: Final = 10


@dataclass(frozen=True)
class Group:
    """Columns that can hardly be told apart; ``weakest`` is the least association within (0–1)."""

    names: tuple[str, ...]
    weakest: float


def association_matrix(frame: pd.DataFrame, columns: Sequence[Column]) -> Floats:
    """Association of each pair of ``columns`` (numbers, categories, booleans), 0–1, symmetric."""
    sample = frame.iloc[:: max(1, len(frame) // _MAX_ROWS)]
    n = len(columns)
    result = np.eye(n)
    numbers = [place for place, column in enumerate(columns) if column.kind == "number"]
    words = [place for place, column in enumerate(columns) if column.kind != "number"]
    ranks, there = _ranks(sample, [columns[place].name for place in numbers])
    if numbers:
        result[np.ix_(numbers, numbers)] = _rank_correlations(ranks, there)
    codes = {
        place: pd.factorize(sample[columns[place].name])[0].astype(np.int64) for place in words
    }
    for place in words:
        if numbers:
            ratios = _correlation_ratios(codes[place], ranks, there)
            result[place, numbers] = result[numbers, place] = ratios
        for other in words:
            if other < place:
                result[place, other] = result[other, place] = _cramers_v(codes[place], codes[other])
    np.fill_diagonal(result, 1.0)
    return result


def find_groups(names: Sequence[str], association: Floats) -> list[Group]:
    """The groups of at least two of the columns ``names``, in the columns' order."""
    if len(names) < 2:
        return []
    distance = np.clip(1.0 - association, 0.0, 1.0)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), method="complete")
    labels = fcluster(tree, t=1.0 - ALIKE, criterion="distance")
    groups = []
    for label in dict.fromkeys(labels):
        members = np.flatnonzero(labels == label)
        if len(members) > 1:
            weakest = float(association[np.ix_(members, members)].min())
            groups.append(Group(tuple(names[int(place)] for place in members), weakest))
    return groups


def _ranks(sample: pd.DataFrame, names: list[str]) -> tuple[Floats, Floats]:
    """Centred ranks (0 where missing) and 1.0 where a value is there, one column a name."""
    values = sample[names].to_numpy(dtype=np.float64)
    there = (~np.isnan(values)).astype(np.float64)
    ranks = sample[names].rank().to_numpy(dtype=np.float64)
    counts = np.maximum(there.sum(axis=0), 1)
    ranks = np.nan_to_num(ranks - np.nansum(ranks, axis=0) / counts)
    return ranks, there


def _rank_correlations(ranks: Floats, there: Floats) -> Floats:
    """|Spearman| over the rows that a pair has in common (ranks are of each column's own rows)."""
    products = ranks.T @ ranks
    squares = (ranks**2).T @ there
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.abs(products) / np.sqrt(squares * squares.T)
    found[there.T @ there < _MIN_ROWS] = 0.0
    result: Floats = np.clip(np.nan_to_num(found), 0.0, 1.0)
    return result


def _correlation_ratios(codes: Codes, ranks: Floats, there: Floats) -> Floats:
    """How much of each number's ranks the categories explain: η, corrected for chance."""
    rows = codes >= 0
    k = int(codes.max(initial=-1)) + 1
    if k < 2 or rows.sum() < _MIN_ROWS:
        return np.zeros(ranks.shape[1])
    member = np.zeros((k, int(rows.sum())))
    member[codes[rows], np.arange(member.shape[1])] = 1.0
    counts, sums = member @ there[rows], member @ ranks[rows]
    n = counts.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums.sum(axis=0) / n
        between = np.nansum(np.where(counts > 0, sums**2 / counts, 0.0), axis=0) - n * mean**2
        total = ((ranks[rows] - mean) ** 2 * there[rows]).sum(axis=0)
        eta = 1.0 - (1.0 - between / total) * (n - 1) / (n - (counts > 0).sum(axis=0))
    result: Floats = np.sqrt(np.clip(np.nan_to_num(eta), 0.0, 1.0))
    return result


def _cramers_v(first: Codes, second: Codes) -> float:
    rows = (first >= 0) & (second >= 0)
    n = int(rows.sum())
    if n < _MIN_ROWS:
        return 0.0
    table = pd.crosstab(first[rows], second[rows]).to_numpy(dtype=np.float64)
    r, c = table.shape
    if min(r, c) < 2:
        return 0.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    phi = ((table - expected) ** 2 / expected).sum() / n
    phi = max(0.0, phi - (r - 1) * (c - 1) / (n - 1))
    least = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return float(np.sqrt(min(1.0, phi / least))) if least > 0 else 0.0
