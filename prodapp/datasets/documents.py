"""Intake's findings as the plain document that the database keeps and the API serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from prodapp.datasets.memory import FirstLook, Memory
from prodapp.exceptions import N_
from prodapp.ml import intake, profile
from prodapp.ml.assembly import compare
from prodapp.ml.table import Decision, Table

REMEMBERED: Final = N_("As it was chosen for the last file of this machine.")
_TARGET_KINDS: Final = ("number", "boolean", "category")


def preview_document(look: FirstLook, memory: Memory, *, target: str | None) -> dict[str, Any]:
    """What was decided and seen in the bounded first part of a file.

    ``remembered`` names the choices that were not made for this file but for the last one.
    """
    preview, head = look.preview, look.head
    remembered = [
        key for key, value in look.overrides.items() if memory.overrides.get(key) == value
    ]
    return {
        **_findings(head, remembered),
        "remarks": [asdict(remark) for remark in (*look.remarks, *preview.remarks)],
        "profile": _profile(head, target),
        "differences": _differences(head, memory, look.overrides),
        "rows": [list(row) for row in preview.rows],
        "n_rows": preview.n_rows,
        "is_complete": preview.is_complete,
    }


def table_document(
    table: Table,
    memory: Memory,
    *,
    target: str | None,
    preview: Mapping[str, Any],
    overrides: Mapping[str, str],
    compared: Table | None = None,
) -> dict[str, Any]:
    """What was decided and seen in the whole table.

    ``preview`` is the document of before the import, ``overrides`` how the file was read; what is
    ``compared`` with the last file is the table, unless another is given.
    """
    return {
        **_findings(table, preview.get("remembered", ())),
        "profile": _profile(table, target),
        "differences": _differences(compared or table, memory, overrides),
        "rows": [list(row) for row in intake.first_rows(table.frame)],
        "n_rows": len(table.frame),
        "is_complete": True,
    }


def _profile(table: Table, target: str | None) -> dict[str, Any]:
    """``asdict`` of the profile; of a target only where this table has it."""
    kinds = {column.name: column.kind for column in table.columns}
    usable = target if kinds.get(target or "") in _TARGET_KINDS else None
    return asdict(profile.profile_table(table.frame, table.columns, target=usable))


def _differences(
    table: Table, memory: Memory, overrides: Mapping[str, str]
) -> list[dict[str, Any]]:
    """From the last confirmed file; the first one differs from none."""
    if not memory.figures:
        return []
    return [
        asdict(one)
        for one in compare(memory.figures, table.frame, table.columns, overrides=overrides)
    ]


def _findings(table: Table, remembered: Sequence[str]) -> dict[str, Any]:
    return {
        "dialect": asdict(table.dialect),
        "decisions": [asdict(_told(decision, remembered)) for decision in table.decisions],
        "remembered": list(remembered),
        "remarks": [asdict(remark) for remark in table.remarks],
        "columns": [asdict(column) for column in table.columns],
    }


def _told(decision: Decision, remembered: Sequence[str]) -> Decision:
    key = decision.name if decision.column is None else f"{decision.name}:{decision.column}"
    return replace(decision, reason=REMEMBERED, params={}) if key in remembered else decision
