from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.extensions import command
from prodapp.models import ModelVersion
from prodapp.versions.report import report_of
from prodapp.versions.report_files import file_of

pytestmark = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
Versions = list[ModelVersion]
HOSTILE = '=<script>"x"</script> #image("y") $z$'


def change(version: ModelVersion, **values: Any) -> None:
    with command() as session:
        for name, value in values.items():
            setattr(version, name, value)
        session.add(version)


def name_first_variable(version: ModelVersion, name: str) -> None:
    with command() as session:
        version.ranking[0].feature = name
        session.add(version)


def test_a_report_says_the_verdict_the_figures_and_how_it_was_made(versions: Versions) -> None:
    change(versions[0], notes="Shown to the board.")
    report = report_of(versions[0])
    assert report.title == "What drives yield?"
    assert report.verdict.startswith("heat drives yield most")
    assert report.figures.rows[0][0] == "Explained variation, R²"
    assert all(" to " in row[2] for row in report.figures.rows)
    assert [row[2] for row in report.ranking.rows] == [v.feature for v in versions[0].ranking]
    assert ("Notes", "Shown to the board.") in report.facts.rows
    grids = (report.figures, report.ranking, report.facts)
    assert all(len(row) == len(grid.headers) for grid in grids for row in grid.rows)


def test_a_page_stands_alone_and_names_stay_text(versions: Versions) -> None:
    name_first_variable(versions[0], HOSTILE)
    page = file_of(report_of(versions[0]), "html").decode()
    assert page.startswith("<!DOCTYPE html>")
    assert "<script" not in page
    assert not re.search(r"(src|href)=", page)
    assert page.count("<svg") == len(report_of(versions[0]).pictures)


def test_a_document_is_made_whatever_the_names_hold(versions: Versions) -> None:
    name_first_variable(versions[0], HOSTILE)
    made = file_of(report_of(versions[0]), "pdf")
    assert made.startswith(b"%PDF")
    assert len(made) > 10_000


def test_a_workbook_holds_ranking_figures_and_data_and_no_formula(versions: Versions) -> None:
    name_first_variable(versions[0], HOSTILE)
    report = report_of(versions[0])
    book = openpyxl.load_workbook(io.BytesIO(file_of(report, "xlsx")))
    assert book.sheetnames[:3] == [
        "How it was made",
        "Ranking of 4 variables",
        report.figures.title,
    ]
    assert {"predicted", "residuals", "folds"} <= set(book.sheetnames)
    rows = list(book["Ranking of 4 variables"].values)
    assert rows[1][2] == "'" + HOSTILE
    assert all(cell.data_type != "f" for sheet in book for row in sheet.rows for cell in row)
    drawn = list(book["predicted"].values)[4:]
    assert drawn[0] == tuple(report.pictures[0].rows[0])


def test_a_report_of_what_explains_nothing_withholds_the_order(versions: Versions) -> None:
    change(versions[0], metrics={**versions[0].metrics, "explains": False})
    report = report_of(versions[0])
    assert report.is_withheld
    assert report.warnings
    assert report.ranking.title not in file_of(report, "html").decode()


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_reports_are_downloaded_by_page_and_api(
    filled: Flask, versions: Versions, owner: Caller, language: str
) -> None:
    client: FlaskClient = filled.test_client()
    auth.create_user(owner, username="vera", role="viewer")
    key = auth.create_key(owner, username="vera", name="test").secret
    headers = {"Authorization": f"Bearer {key}", "Accept-Language": language}
    url = f"/api/v1/versions/{versions[0].id}/report"
    page = client.get(f"{url}?format=html", headers=headers)
    assert page.mimetype == "text/html"
    assert f'lang="{language}"' in page.text
    assert ("What drives yield?" in page.text) is (language == "en")
    assert page.headers["Content-Disposition"].endswith('-1.html"')
    assert client.get(f"{url}?format=docx", headers=headers).status_code == 422
    assert client.get(url, headers=headers).data.startswith(b"%PDF")


def test_a_report_is_written_by_the_command(
    filled: Flask, versions: Versions, tmp_path: Path
) -> None:
    runner = filled.test_cli_runner()
    file = tmp_path / "report.xlsx"
    done = runner.invoke(args=["version", "report", str(versions[0].id), str(file)])
    assert done.exit_code == 0, done.output
    assert file.read_bytes().startswith(b"PK")
    wrong = runner.invoke(args=["version", "report", str(versions[0].id), "report.docx"])
    assert wrong.exit_code == 3
    assert "html, pdf, xlsx" in wrong.output
