"""A fitted pipeline and held-out samples → SHAP values of the variables, as many as it takes.

Samples are explained in portions, 1,000 first and then twice as many, until every two neighbours
in the ranking that matter are told apart or known to tie, or all allowed samples are used.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from prodapp.ml import boosters, treeshap
from prodapp.ml.booster_trees import collect_booster, compared_by_booster
from prodapp.ml.budget import MIN_EXPLAINED, Clock, remark_fewer_explained
from prodapp.ml.ensembles import collect_forest, compared, explained_output
from prodapp.ml.explainers import Explainer
from prodapp.ml.preprocessing import encoded_columns, sum_by_source
from prodapp.ml.progress import part_of
from prodapp.ml.table import Column, Remark

FloatArray = npt.NDArray[np.float64]
OnShare = Callable[[float], None]

_FIRST: Final = 1000
#: Two importances closer than this share of the larger tie: their order means nothing.
TIE_BAND: Final = 0.05
#: Standard errors of a difference that tell two importances apart.
_ERRORS: Final = 2.5
#: Variables with less than this share of all importance need not be told apart.
_MATTERS: Final = 0.01
#: Interactions: of the first variables, on so many samples, the strongest pairs.
_N_PARTNERED: Final = 4
_N_INTERACTING_SAMPLES: Final = 200
_MAX_PAIRS: Final = 5
_MAX_ENCODED: Final = 4


@dataclass(frozen=True)
class Interaction:
    """Two variables that act together: ``strength`` is the mean |joint part| of the answers, in
    the target's unit."""

    first: str
    second: str
    strength: float


@dataclass(frozen=True)
class Attribution:
    """SHAP values (samples, variables) of the samples at ``rows``, and what belongs to them.

    ``native`` are the estimator's own importances; ``ties`` are runs of neighbours in the ranking
    that these samples do not tell apart; ``scale`` is the explainer's.
    """

    rows: npt.NDArray[np.intp]
    values: FloatArray
    native: FloatArray
    ties: tuple[tuple[str, ...], ...]
    interactions: tuple[Interaction, ...]
    remarks: tuple[Remark, ...]
    scale: str


@dataclass
class Attributor:
    """What it takes to explain samples of one pipeline."""

    pipeline: Pipeline
    columns: Sequence[Column]
    X_train: pd.DataFrame
    n_jobs: int
    remarks: list[Remark] = field(default_factory=list)

    def attribute(
        self, X: pd.DataFrame, *, limit: int, random_state: int, clock: Clock, on_share: OnShare
    ) -> Attribution:
        """Explain at most ``limit`` of the samples ``X``, drawn at random."""
        explainer = Explainer(self.pipeline, self.columns, self.X_train, self.n_jobs, random_state)
        limit = explainer.n_affordable(limit)
        order = np.random.default_rng(random_state).permutation(len(X))[:limit]
        encoded = self.pipeline[0].transform(X.iloc[order])
        values = self._grow(
            explainer, encoded, clock=clock, on_share=lambda share: on_share(0.8 * share)
        )
        rows = order[: len(values)]
        interactions = self._interactions(
            explainer, encoded, values, on_share=lambda share: on_share(0.8 + 0.2 * share)
        )
        in_order = np.argsort(rows)
        return Attribution(
            rows=rows[in_order],
            values=values[in_order],
            native=explainer.native(),
            ties=_ties(values, [column.name for column in self.columns]),
            interactions=interactions,
            remarks=(*self.remarks, *explainer.remarks()),
            scale=explainer.scale,
        )

    def _grow(
        self, explainer: Explainer, encoded: FloatArray, *, clock: Clock, on_share: OnShare
    ) -> FloatArray:
        values = np.empty((0, len(self.columns)))
        n_next = min(_FIRST if clock.allows(1.0) else MIN_EXPLAINED, len(encoded))
        while True:
            started, n_done = time.monotonic(), len(values)

            def share_of_all(share: float, n_done: int = n_done, n_next: int = n_next) -> None:
                on_share((n_done + share * (n_next - n_done)) / len(encoded))

            part = explainer.explain(encoded[n_done:n_next], on_share=share_of_all)
            values = np.concatenate([values, part])
            if n_next == len(encoded) or _is_settled(values):
                return values
            pace = (time.monotonic() - started) / len(part)
            if not clock.allows(pace * n_next):
                self.remarks.append(remark_fewer_explained(n_next))
                return values
            n_next = min(2 * n_next, len(encoded))

    def _interactions(
        self, explainer: Explainer, encoded: FloatArray, values: FloatArray, *, on_share: OnShare
    ) -> tuple[Interaction, ...]:
        """The strongest pairs among those of the first variables, strongest first."""
        estimator = explainer.estimator
        is_booster = boosters.is_booster(estimator)
        if not treeshap.is_available() or not (explainer.has_trees or is_booster):
            return ()
        if explainer.scale == "log_ratio":  # those of one class's score alone mean little
            return ()
        importances = np.abs(values).mean(axis=0)
        sources = explainer.sources
        some = encoded[:_N_INTERACTING_SAMPLES]
        if is_booster:
            forest, samples = collect_booster(estimator), compared_by_booster(estimator, some)
        else:
            forest = collect_forest(estimator, output=explained_output(estimator))
            samples = compared(estimator, some)
        strengths: dict[tuple[int, int], float] = {}
        partnered = np.argsort(-importances, kind="stable")[:_N_PARTNERED]
        for n_done, variable in enumerate(partnered.tolist()):
            of_variable = encoded_columns(sources, variable, len(self.columns))
            if len(of_variable) > _MAX_ENCODED:  # a category of many values: too dear
                continue
            joint = np.zeros((len(samples), len(sources)))
            for place, (column, share) in enumerate(of_variable):
                done = (n_done + place / len(of_variable)) / len(partnered)
                after = (n_done + (place + 1) / len(of_variable)) / len(partnered)
                joint += share * treeshap.interaction_values(
                    forest,
                    samples,
                    column,
                    n_jobs=self.n_jobs,
                    on_share=part_of(on_share, done, after),
                )
            by_variable = np.abs(2 * sum_by_source(joint, sources, len(self.columns))).mean(axis=0)
            for other in np.flatnonzero(by_variable > _MATTERS * importances.sum()).tolist():
                if other != variable:
                    pair = (min(variable, other), max(variable, other))
                    strengths.setdefault(pair, float(by_variable[other]))
        strongest = sorted(strengths.items(), key=lambda item: (-item[1], item[0]))[:_MAX_PAIRS]
        return tuple(
            Interaction(self.columns[first].name, self.columns[second].name, strength)
            for (first, second), strength in strongest
        )


def _gaps(values: FloatArray) -> tuple[npt.NDArray[np.intp], FloatArray, FloatArray, FloatArray]:
    """Variables in order; of each two neighbours the difference and its error; importances."""
    sizes = np.abs(values)
    importances = sizes.mean(axis=0)
    order = np.argsort(-importances, kind="stable")
    differences = sizes[:, order[:-1]] - sizes[:, order[1:]]
    errors = differences.std(axis=0, ddof=1) / np.sqrt(max(len(values), 2))
    return order, differences.mean(axis=0), errors, importances[order]


def _is_settled(values: FloatArray) -> bool:
    """Whether all neighbours that matter are apart, or closer than the tie band."""
    _, differences, errors, importances = _gaps(values)
    matters = importances[:-1] > _MATTERS * importances.sum()
    is_apart = differences > _ERRORS * errors
    is_tie = differences + _ERRORS * errors < TIE_BAND * importances[:-1]
    return bool(np.all(is_apart | is_tie | ~matters))


def _ties(values: FloatArray, names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    order, differences, errors, importances = _gaps(values)
    is_tied = (differences <= _ERRORS * errors) | (differences < TIE_BAND * importances[:-1])
    groups: list[list[str]] = [[names[order[0]]]]
    for place, tied in enumerate(is_tied.tolist(), start=1):
        if tied and importances[place - 1] > 0:
            groups[-1].append(names[order[place]])
        else:
            groups.append([names[order[place]]])
    return tuple(tuple(group) for group in groups if len(group) > 1)
