"""Intake's findings as the plain document that the database keeps and the API serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from prodapp.ml.intake import Preview, Table


def preview_document(preview: Preview) -> dict[str, Any]:
    """What was decided and seen in the bounded first part of a file."""
    return {
        **_findings(preview),
        "rows": [list(row) for row in preview.rows],
        "n_rows": preview.n_rows,
        "is_complete": preview.is_complete,
    }


def table_document(table: Table, *, rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    """What was decided and seen in the whole file; ``rows`` are the first ones, as previewed."""
    return {
        **_findings(table),
        "rows": [list(row) for row in rows],
        "n_rows": len(table.frame),
        "is_complete": True,
    }


def _findings(source: Preview | Table) -> dict[str, Any]:
    return {
        "dialect": asdict(source.dialect),
        "decisions": [asdict(decision) for decision in source.decisions],
        "remarks": [asdict(remark) for remark in source.remarks],
        "columns": [asdict(column) for column in source.columns],
    }
