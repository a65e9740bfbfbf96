"""Laboratory results joined to the production data by time.

One row a laboratory sample: the state of the machine as of the sample. Repeating a result over
all rows since the last one would multiply the samples without adding knowledge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from prodapp.exceptions import InvalidInput, N_
from prodapp.lazily import pd
from prodapp.ml.table import Remark

DIRECTIONS: Final = ("backward", "nearest")


@dataclass(frozen=True)
class Joined:
    """One row a sample that found a state of the machine, and what was found on the way.

    The columns are those of the production data, then those of the laboratory. ``n_unmatched``
    counts samples without a row near enough in time.
    """

    frame: pd.DataFrame
    remarks: tuple[Remark, ...]
    n_unmatched: int


def join_by_time(
    process: pd.DataFrame,
    laboratory: pd.DataFrame,
    *,
    time: str,
    laboratory_time: str,
    tolerance_minutes: float,
    direction: str = "backward",
    delay_minutes: float = 0.0,
) -> Joined:
    """Join each row of ``laboratory`` to the row of ``process`` that was current at its time.

    ``direction`` is "backward" (the last row at or before the sample) or "nearest";
    ``tolerance_minutes`` bounds the distance, ``delay_minutes`` is how long the material takes
    from the machine to where it is sampled. Raises ``InvalidInput`` for columns without times.
    """
    _check(process, laboratory, time, laboratory_time, tolerance_minutes, direction)
    left = laboratory.dropna(subset=[laboratory_time]).sort_values(laboratory_time, kind="stable")
    right = process.dropna(subset=[time]).sort_values(time, kind="stable")
    renamed = {str(name): f"{name} (lab)" for name in laboratory if name in process or name == _KEY}
    left = left.rename(columns=renamed)
    sampled = renamed.get(laboratory_time, laboratory_time)
    left[_KEY] = left[sampled] - pd.Timedelta(minutes=delay_minutes)
    right = right.assign(**{_KEY: right[time]})
    joined = pd.merge_asof(
        left,
        right,
        on=_KEY,
        direction="backward" if direction == "backward" else "nearest",
        tolerance=pd.Timedelta(minutes=tolerance_minutes),
    )
    is_matched = joined[time].notna()
    n_unmatched = len(laboratory) - int(is_matched.sum())
    columns = [*process.columns, *(name for name in left.columns if name != _KEY)]
    frame = joined.loc[is_matched, columns].reset_index(drop=True)
    remarks = _remarks(renamed, laboratory_time, n_unmatched, len(laboratory), tolerance_minutes)
    return Joined(frame, tuple(remarks), n_unmatched)


def _remarks(
    renamed: dict[str, str], time: str, n_unmatched: int, n_samples: int, tolerance_minutes: float
) -> list[Remark]:
    remarks = [
        Remark(
            "renamed_column",
            "info",
            N_("“%(old)s” of the laboratory is called “%(name)s”: the machine has that name too."),
            {"old": old, "name": name},
            column=name,
        )
        for old, name in renamed.items()
    ]
    if n_unmatched:
        message = N_(
            "Laboratory samples without production data within %(minutes)g minutes left out: %(n)d "
            "of %(total)d."
        )
        params = {"n": n_unmatched, "total": n_samples, "minutes": tolerance_minutes}
        remarks.append(Remark("unmatched_samples", "warning", message, params, column=time))
    return remarks


_KEY: Final = "\x00moment"


def _check(
    process: pd.DataFrame,
    laboratory: pd.DataFrame,
    time: str,
    laboratory_time: str,
    tolerance_minutes: float,
    direction: str,
) -> None:
    for frame, name in ((process, time), (laboratory, laboratory_time)):
        if name not in frame or frame[name].dtype.kind != "M":
            raise InvalidInput(N_("“%(column)s” holds no times."), column=name)
    if direction not in DIRECTIONS:
        raise InvalidInput(
            N_("“%(name)s” cannot be chosen; these can: %(known)s."),
            name=direction,
            known=", ".join(DIRECTIONS),
        )
    if not tolerance_minutes > 0:
        raise InvalidInput(N_("The tolerance must be more than 0 minutes."))
