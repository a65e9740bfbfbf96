"""The held-out samples of a version and its answers for them, as a file of some kilobytes.

Kept so that versions can be compared sample by sample later, without loading any model.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from prodapp.exceptions import DataRefused, N_

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

MAX_KEPT: Final = 20_000


@dataclass(frozen=True)
class HeldOut:
    """``rows`` are positions in the table that the run was trained on, in the order of time where
    the samples are in one (``is_ordered``); ``groups`` numbers the groups that are held out
    whole."""

    rows: IntArray
    actual: FloatArray
    predicted: FloatArray
    is_ordered: bool
    groups: IntArray | None = None

    def taken(self, positions: npt.NDArray[np.intp]) -> HeldOut:
        """Some of the samples."""
        return HeldOut(
            self.rows[positions],
            self.actual[positions],
            self.predicted[positions],
            self.is_ordered,
            None if self.groups is None else self.groups[positions],
        )

    def thinned(self) -> HeldOut:
        """At most :data:`MAX_KEPT` samples: of the same rows always the same ones, so that what two
        versions keep of one table overlaps as far as it can."""
        if len(self.rows) <= MAX_KEPT:
            return self
        kept = np.argsort(_scattered(self.rows), kind="stable")[:MAX_KEPT]
        return self.taken(np.sort(kept))


def shared(first: HeldOut, second: HeldOut) -> tuple[HeldOut, HeldOut]:
    """The samples of both that are the same rows, in the order of the first; both must come from
    the same table."""
    places = {int(row): place for place, row in enumerate(second.rows)}
    pairs = [(mine, places[int(row)]) for mine, row in enumerate(first.rows) if int(row) in places]
    mine, theirs = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    return first.taken(mine), second.taken(theirs)


def dump_held_out(held_out: HeldOut) -> bytes:
    """The samples as bytes; the same samples give the same bytes."""
    arrays = {
        "rows": held_out.rows.astype(np.int64),
        "actual": held_out.actual,
        "predicted": held_out.predicted,
        "is_ordered": np.array(held_out.is_ordered),
    }
    if held_out.groups is not None:
        arrays["groups"] = held_out.groups.astype(np.int64)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(array), allow_pickle=False)
            # Without the hour, which a file of numpy's would hold.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    return packed.getvalue()


def load_held_out(data: bytes) -> HeldOut:
    """What :func:`dump_held_out` wrote. Raises ``DataRefused`` for anything else."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return HeldOut(
                rows=arrays["rows"].astype(np.intp),
                actual=arrays["actual"].astype(np.float64),
                predicted=arrays["predicted"].astype(np.float64),
                is_ordered=bool(arrays["is_ordered"]),
                groups=arrays["groups"].astype(np.intp) if "groups" in arrays else None,
            )
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, OSError) as error:
        raise DataRefused(
            N_("The file of the held-out samples is damaged. Train the model again."),
            code="artifact_damaged",
        ) from error


def _scattered(rows: IntArray) -> npt.NDArray[np.uint64]:
    """A number for each row that has nothing to do with its place (Fibonacci hashing)."""
    mixed: npt.NDArray[np.uint64] = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return mixed ^ (mixed >> np.uint64(29))
