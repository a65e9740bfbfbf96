"""A table and a specification → the samples to learn from and those to judge by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from prodapp.exceptions import FieldError, InvalidInput, N_
from prodapp.ml.choice import chosen_features, group_column, left_out
from prodapp.ml.class_codes import NOT_LEARNED, ClassCodes, code_classes
from prodapp.ml.classes import check_enough, membership, named_class
from prodapp.ml.features.plan import first_ordered
from prodapp.ml.features.series import SeriesFeatures, series_features
from prodapp.ml.preprocessing import features_frame
from prodapp.ml.specification import Specification
from prodapp.ml.splits import IntArray, Plan, plan_validation
from prodapp.ml.table import Column, Remark
from prodapp.ml.timeline import Timeline, find_timeline
from prodapp.ml.trust.regimes import find_regimes, regime_names
from prodapp.ml.trust.segments import REGIMES, segment_frame

FloatArray = npt.NDArray[np.float64]


@dataclass
class Samples:
    """The rows with a target, in the order of time where there is one.

    ``rows`` are their positions in the table; ``train_rows`` and ``test_rows`` are positions in
    ``rows``, ``X`` and ``y``, whose index is the clock of
    :class:`~prodapp.ml.timeline.Timeline`; ``X`` holds the features of ``series`` already. Where
    there is a ``target_class``, ``y`` is 1 for it and 0 for others, and where one model learns all
    classes, ``classes`` holds them. ``parts`` are the columns that
    part the samples (:func:`~prodapp.ml.trust.segments.segment_frame`), ``time_column`` the one
    whose order they are in, None where their order is that of the file.
    """

    columns: list[Column]
    rows: IntArray
    X: pd.DataFrame
    y: FloatArray
    target_class: str | None
    classes: ClassCodes | None
    series: SeriesFeatures
    parts: pd.DataFrame
    time_column: str | None
    is_in_order: bool
    plan: Plan
    train_rows: IntArray
    test_rows: IntArray
    remarks: list[Remark]
    left_out: list[tuple[str, str]]

    @cached_property
    def X_train(self) -> pd.DataFrame:  # noqa: N802
        return self.X.iloc[self.train_rows]

    @cached_property
    def y_train(self) -> FloatArray:
        return self.y[self.train_rows]

    @cached_property
    def learned_target(self) -> FloatArray:
        """What the model learns: ``y_train``, or the codes of all classes."""
        if self.classes is None:
            return self.y_train
        return self.classes.codes[self.train_rows].astype(np.float64)

    @cached_property
    def X_test(self) -> pd.DataFrame:  # noqa: N802
        return self.X.iloc[self.test_rows]

    @cached_property
    def y_test(self) -> FloatArray:
        return self.y[self.test_rows]

    @cached_property
    def learning_plan(self) -> Plan:
        """How the training samples are parted further."""
        return self.plan.taken(self.train_rows)

    @cached_property
    def last_values(self) -> FloatArray:
        """For each held-out sample the target of the one before it, NaN for the very first."""
        before = np.concatenate([[np.nan], self.y[:-1]])
        return before[self.test_rows]


def gather_samples(frame: pd.DataFrame, columns: Sequence[Column], spec: Specification) -> Samples:
    """The samples of ``frame``, whose ``columns`` are those of its table.

    Raises as :meth:`Plan.hold_out` does, and ``InvalidInput`` where features are to look at earlier
    rows and rows are in no order.
    """
    names = chosen_features(spec, columns)
    chosen = [column for column in columns if column.name in names]
    timeline = find_timeline(
        frame,
        columns,
        time_column=spec.time_column,
        group_column=group_column(spec, columns),
    )
    target_class, y = _target(frame, columns, spec)
    is_usable = np.isfinite(y)[timeline.rows]
    rows = timeline.rows[is_usable]
    series = series_features(spec.engineering, chosen)
    _check_order(spec, timeline)
    plan = plan_validation(spec, frame.iloc[rows], columns, timeline, y=y[rows], reach=series.reach)
    train_rows, test_rows = plan.hold_out(
        len(rows), test_size=spec.test_size, random_state=spec.random_state
    )
    classes = None
    if target_class is not None:
        check_enough(y[rows][train_rows], target_class, column=spec.target)
        if spec.classes == "joint":
            classes = code_classes(frame[spec.target].iloc[rows], target_class, train_rows)
    if classes is not None:
        train_rows = train_rows[classes.codes[train_rows] != NOT_LEARNED]
    # Rows without a target are no samples, but they come before some.
    X = features_frame(frame.iloc[timeline.rows], chosen)
    X.index = pd.Index(timeline.clock)
    X = series.fit(X).transform(X)
    if not is_usable.all():
        X = X.iloc[np.flatnonzero(is_usable)]
    return Samples(
        columns=chosen,
        rows=rows,
        X=X,
        y=y[rows],
        target_class=target_class,
        classes=classes,
        series=series,
        parts=_parts(frame.iloc[rows], columns, spec, timeline, chosen),
        time_column=timeline.by,
        is_in_order=timeline.is_ordered,
        plan=plan,
        train_rows=train_rows,
        test_rows=test_rows,
        remarks=[
            *_missing_targets(int((~is_usable).sum()), spec.target),
            *([] if classes is None else classes.remarks(spec.target)),
        ],
        left_out=list(left_out(spec, columns)),
    )


def _parts(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    spec: Specification,
    timeline: Timeline,
    chosen: Sequence[Column],
) -> pd.DataFrame:
    """What parts the samples: columns, hours, and regimes where all rows follow each other."""
    parts = segment_frame(frame, columns, target=spec.target, time_column=timeline.by)
    if not timeline.is_ordered or group_column(spec, columns) is not None:
        return parts
    begins = find_regimes(frame, chosen)
    if begins:
        is_dated = timeline.by is not None and is_datetime64_any_dtype(frame[timeline.by])
        times = frame[timeline.by] if is_dated else None
        parts[REGIMES] = regime_names(begins, times, len(frame)).to_numpy()
    return parts


def _target(
    frame: pd.DataFrame, columns: Sequence[Column], spec: Specification
) -> tuple[str | None, FloatArray]:
    """The class to explain, if any, and the target as numbers, NaN where it is missing."""
    values = frame[spec.target]
    kind = next(column.kind for column in columns if column.name == spec.target)
    if kind == "number" and spec.target_class is None:
        return None, values.to_numpy(dtype=np.float64)
    name = named_class(
        values.dropna(),
        spec.target_class,
        column=spec.target,
        may_choose=spec.classes == "joint",
    )
    return name, membership(values, name)


def _check_order(spec: Specification, timeline: Timeline) -> None:
    place = first_ordered(spec.engineering)
    if place is None or timeline.is_ordered or spec.validation == "time":
        return
    message = N_(
        "This step looks at earlier rows, and these are in no order of time. Name a time column, "
        "or say that the rows stand in their order by choosing validation in time."
    )
    raise InvalidInput(message, fields=(FieldError(f"/engineering/{place}", message),))


def _missing_targets(n: int, target: str) -> list[Remark]:
    if n == 0:
        return []
    message = N_("Rows without a value of “%(column)s”, left out: %(n)d.")
    return [Remark("missing_target", "info", message, {"n": n, "column": target}, column=target)]
