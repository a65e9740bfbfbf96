"""``flask predict …``."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from flask import Flask
from sqlalchemy import select

from prodapp.extensions import db
from prodapp.models import ModelVersion
from tests.factories import make_csv

pytestmark = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)


def _run(app: Flask, *arguments: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["predict", *arguments])
    return result.exit_code, result.output


def _machine() -> str:
    return str(db.session.scalars(select(ModelVersion)).one().machine_id)


def test_one_row_is_predicted_listed_and_told(filled: Flask) -> None:
    machine = _machine()
    code, text = _run(filled, "one", machine, "heat=1.5", "shift=day", "--contributions")
    assert code == 0, text
    assert "% sure" in text
    assert "adds" in text
    code, text = _run(filled, "history", "--machine", machine, "--json")
    newest = json.loads(text)[0]
    assert (newest["inputs"]["heat"], newest["channel"]) == (1.5, "cli")
    code, text = _run(filled, "actual", newest["id"], "53")
    assert (code, "came out 53" in text) == (0, True)
    code, text = _run(filled, "history", "--machine", machine)
    assert newest["id"] in text


def test_wrong_inputs_end_the_command_with_their_names(filled: Flask) -> None:
    code, text = _run(filled, "one", _machine(), "heat=hot", "colour=red")
    assert code == 1
    assert "record/heat: This must be a number or null." in text
    assert "record/colour" in text
    assert _run(filled, "one", _machine(), "--version", "99")[0] == 3


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_a_file_is_answered_here(filled: Flask, tmp_path: Path, kind: str) -> None:
    source, output = tmp_path / "rows.csv", tmp_path / f"out.{kind}"
    source.write_bytes(make_csv(n_rows=8, seed=2))
    code, text = _run(filled, "file", _machine(), str(source), str(output), "--here")
    assert code == 0, text
    assert "8 rows answered" in text
    read = {"csv": pd.read_csv, "parquet": pd.read_parquet}.get(kind)
    if read is not None:
        assert len(read(output)["predicted"]) == 8


def test_inputs_are_listed(filled: Flask) -> None:
    code, text = _run(filled, "inputs", _machine())
    assert code == 0
    assert "day, night" in text or "night, day" in text
