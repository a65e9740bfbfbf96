"""Reports as files: HTML that needs nothing else, PDF, and XLSX."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from flask import Response, render_template

from prodapp.formatting import locale_tag
from prodapp.models import ModelVersion
from prodapp.spreadsheets import neutral
from prodapp.storage import storage
from prodapp.versions.drawing import svg_of
from prodapp.versions.report import Grid, Report, check_kind, report_of

MIMETYPES: Final[Mapping[str, str]] = {
    "html": "text/html",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_PAGE: Final = Path(__file__).with_name("report.typ")
_MAX_SHEET_NAME: Final = 31


def file_of(report: Report, kind: str) -> bytes:
    """The report as a file of ``kind``: ``html``, ``pdf`` or ``xlsx``."""
    return _WRITERS[kind](report)


def report_answer(version: ModelVersion, kind: str) -> Response:
    """The report as a download. Raises :class:`NotFound` for another ``kind``."""
    content = file_of(report_of(version), check_kind(kind))
    name = f"report-{version.machine_id}-{version.number}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype=MIMETYPES[kind], headers=headers)


def _html(report: Report) -> bytes:
    drawn = [(picture, svg_of(picture)) for picture in report.pictures]
    page = render_template("versions/report.html", report=report, drawn=drawn, tag=locale_tag())
    return page.encode()


def _pdf(report: Report) -> bytes:
    # Loads 30 MB of compiled code: only where it is needed.
    import typst

    with tempfile.TemporaryDirectory(dir=storage().scratch) as name:
        folder = Path(name)
        told: dict[str, Any] = asdict(report) | {"language": locale_tag().partition("-")[0]}
        told["pictures"] = []
        for picture in report.pictures:
            (folder / f"{picture.key}.svg").write_text(svg_of(picture), "utf-8")
            told["pictures"].append({"file": f"{picture.key}.svg", "finding": picture.finding})
        # Texts go through a document of data, so that nothing in them is markup.
        (folder / "report.json").write_text(json.dumps(told), "utf-8")
        (folder / "report.typ").write_text(_PAGE.read_text("utf-8"), "utf-8")
        made: bytes = typst.compile(
            str(folder / "report.typ"), format="pdf", ignore_system_fonts=True
        )
    return made


def _xlsx(report: Report) -> bytes:
    import xlsxwriter

    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        first = book.add_worksheet(_sheet_name(report.facts.title))
        first.set_column(0, 0, 32)
        first.set_column(1, 1, 90)
        lines = [(report.title, report.machine), ("", report.verdict)]
        lines += [("!", warning) for warning in report.warnings]
        for place, (name, text) in enumerate((*lines, *report.facts.rows)):
            first.write_string(place, 0, neutral(name), bold)
            first.write_string(place, 1, neutral(text), wrapped)
        for grid in (report.ranking, report.figures):
            _sheet(book, grid, bold, wrapped)
        for picture in report.pictures:
            _numbers(book, picture, bold)
    return file.getvalue()


def _sheet(book: Any, grid: Grid, bold: Any, wrapped: Any) -> None:
    sheet = book.add_worksheet(_sheet_name(grid.title))
    sheet.freeze_panes(1, 0)
    for column, header in enumerate(grid.headers):
        sheet.write_string(0, column, header, bold)
        longest = max([len(header), *(len(row[column]) for row in grid.rows)])
        sheet.set_column(column, column, min(70, longest + 2))
    for place, row in enumerate(grid.rows, start=1):
        for column, text in enumerate(row):
            sheet.write_string(place, column, neutral(text), wrapped)


def _numbers(book: Any, picture: Any, bold: Any) -> None:
    sheet = book.add_worksheet(_sheet_name(picture.key))
    sheet.write_string(0, 0, neutral(picture.title), bold)
    sheet.write_string(1, 0, neutral(picture.finding))
    for column, header in enumerate(picture.headers):
        sheet.write_string(3, column, neutral(header), bold)
    for place, row in enumerate(picture.rows, start=4):
        for column, value in enumerate(row):
            sheet.write_number(place, column, value)


def _sheet_name(text: str) -> str:
    kept = "".join(letter for letter in text if letter not in "[]:*?/\\'")
    return kept[:_MAX_SHEET_NAME]


_WRITERS: Final[Mapping[str, Callable[[Report], bytes]]] = {
    "html": _html,
    "pdf": _pdf,
    "xlsx": _xlsx,
}
