"""A table and a specification → how far each place in its ranking can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from prodapp.ml.fitting import answers_of
from prodapp.ml.profile.associations import association_matrix, find_groups
from prodapp.ml.progress import part_of
from prodapp.ml.specification import Specification
from prodapp.ml.splits import Plan
from prodapp.ml.table import Column
from prodapp.ml.trust.effects import Grid, draw_curves
from prodapp.ml.trust.prequential import measure_gains
from prodapp.ml.trust.ranks import RankInterval, rank_intervals
from prodapp.ml.trust.verdicts import REAL, Verdict, judge

FloatArray = npt.NDArray[np.float64]

_SHARE_OF_VERDICTS = 0.6
#: Rows over which each small forest draws the curves of the effects.
_DRAWN_OVER = 250


@dataclass(frozen=True)
class GroupAssessment:
    """Variables that go along with each other, judged as one.

    ``is_parted`` says whether a member is real beside the others: else the data do not tell which
    of them acts.
    """

    members: tuple[str, ...]
    verdict: Verdict
    is_parted: bool


@dataclass(frozen=True)
class Assessment:
    """By the name of each variable its verdict and the interval of its rank; and the groups.

    Dates are not judged. ``curves`` are those over the grids that were asked for, of each forest
    that was grown on another half of the rows.
    """

    verdicts: dict[str, Verdict]
    ranks: dict[str, RankInterval]
    groups: tuple[GroupAssessment, ...]
    curves: tuple[list[FloatArray], ...] = ()


def assess(
    spec: Specification,
    columns: Sequence[Column],
    X: pd.DataFrame,
    y: FloatArray,
    plan: Plan,
    *,
    n_jobs: int,
    on_share: Callable[[float], None],
    grids: Sequence[Grid] = (),
) -> Assessment:
    """Judge the variables, alone and in their groups, by random forests of the ``spec``'s seed.

    ``X`` (samples, variables) and ``y`` (samples,) are in the order of ``plan``: what it holds
    apart is held apart here too. Random forests are used whatever the algorithm: the verdict is
    on the data, and they find what most others find.
    """
    # Dates act through what is made of them; there is no telling what else a date could have been.
    columns = [column for column in columns if column.kind != "date"]
    names = [column.name for column in columns]
    groups = [group.names for group in find_groups(names, association_matrix(X, columns))]
    units = [[place] for place in range(len(names))]
    units += [[names.index(member) for member in group] for group in groups]
    rows = _in_order(plan, len(y), random_state=spec.random_state)
    X, y = X.iloc[rows][names], y[rows]
    is_ordered = plan.scheme != "shuffled"
    gains = measure_gains(
        spec,
        columns,
        X,
        y,
        units,
        is_ordered=is_ordered,
        n_jobs=n_jobs,
        on_share=part_of(on_share, 0.0, _SHARE_OF_VERDICTS),
    )
    judged = judge(
        gains.values, variance=float(y.var()), explained=gains.explained, is_ordered=is_ordered
    )
    curves: list[list[FloatArray]] = []

    def watch(pipeline: Pipeline, rest: pd.DataFrame) -> None:
        rest = rest.iloc[:_DRAWN_OVER]
        curves.append(draw_curves(grids, rest, lambda rows: answers_of(pipeline, rows)))

    ranks = rank_intervals(
        spec,
        columns,
        X,
        y,
        is_ordered=is_ordered,
        n_jobs=n_jobs,
        on_share=part_of(on_share, _SHARE_OF_VERDICTS, 1.0),
        watch=watch,
    )
    verdicts = dict(zip(names, judged[: len(names)], strict=True))
    return Assessment(
        verdicts=verdicts,
        ranks=dict(zip(names, ranks, strict=True)),
        groups=tuple(
            GroupAssessment(
                group, verdict, any(verdicts[member].verdict == REAL for member in group)
            )
            for group, verdict in zip(groups, judged[len(names) :], strict=True)
        ),
        curves=tuple(curves),
    )


def _in_order(plan: Plan, n_samples: int, *, random_state: int) -> npt.NDArray[np.intp]:
    """The samples' positions, those of a group side by side where there are groups."""
    rows = np.arange(n_samples, dtype=np.intp)
    if plan.groups is None:
        return rows
    places = np.random.default_rng(random_state).permutation(int(plan.groups.max()) + 1)
    return rows[np.argsort(places[plan.groups], kind="stable")]
