"""What is remembered of a machine when its next file comes, and that file read by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Final

from prodapp.exceptions import DataRefused, InvalidInput, N_
from prodapp.extensions import db
from prodapp.ml import intake
from prodapp.ml.assembly import Remembered
from prodapp.ml.table import Preview, Remark, Table
from prodapp.models import Dataset, Machine
from prodapp.variables import figures_from, remembered_variables, settings_from

#: Said of a file that cannot be read as the one before; a person should look at it.
DOES_NOT_FIT: Final = Remark(
    "remembered_choices_left",
    "warning",
    N_("This file cannot be read by what was chosen for the last one, so it was read anew."),
)


@dataclass(frozen=True)
class Memory:
    """How the machine's last confirmed file was read (``overrides``), where its values lay
    (``figures``), and which column was its target."""

    overrides: Mapping[str, str] = field(default_factory=dict)
    figures: tuple[Remembered, ...] = ()
    target: str | None = None


def memory_of(machine_id: int) -> Memory:
    """What is remembered of a machine."""
    machine = db.session.get_one(Machine, machine_id)
    variables = remembered_variables(db.session(), machine_id)
    target = settings_from(variables).target
    return Memory(machine.overrides or {}, figures_from(variables), target)


def target_of(dataset: Dataset, memory: Memory) -> str | None:
    """The target that was chosen for a data set, else the one that is remembered."""
    return (dataset.settings or {}).get("target") or memory.target


@dataclass(frozen=True)
class FirstLook:
    """The beginning of a file, read by ``overrides``; ``remarks`` are about these."""

    preview: Preview
    head: Table
    overrides: Mapping[str, str]
    remarks: tuple[Remark, ...] = ()


def look_at(
    source: IO[bytes],
    *,
    filename: str,
    overrides: Mapping[str, str] | None,
    memory: Memory,
) -> FirstLook:
    """Read the beginning of ``source`` by ``overrides``, or else as the last file was read.

    Raises as :func:`preview_file`. Choices that are only remembered never refuse a file that can
    be read without them.
    """
    chosen = dict(overrides or memory.overrides)
    try:
        found = intake.preview_and_head(source, filename=filename, overrides=chosen)
    except (DataRefused, InvalidInput):
        if overrides or not chosen:
            raise
    else:
        return FirstLook(*found, chosen)
    found = intake.preview_and_head(source, filename=filename)
    return FirstLook(*found, {}, (DOES_NOT_FIT,))
