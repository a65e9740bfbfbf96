"""Every file of the corpus becomes its table or gets its refusal; ``-s`` prints the figures."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prodapp.exceptions import DataRefused
from prodapp.ml.intake import Table, preview_file, read_table
from tests.corpus import (
    damage,
    dates,
    dialects,
    encodings,
    formats,
    headings,
    limits,
    missing,
    numbers,
)
from tests.corpus.case import Case

MODULES = (encodings, dialects, numbers, missing, headings, dates, formats, limits, damage)
ALL = [
    pytest.param(case, id=f"{module.__name__.rpartition('.')[2]}: {case.name}")
    for module in MODULES
    for case in module.CASES
]


def test_the_corpus_is_large_and_names_each_file_once() -> None:
    names = Counter(param.id for param in ALL)
    assert len(names) == len(ALL) >= 120
    figures = ", ".join(f"{m.__name__.rpartition('.')[2]} {len(m.CASES)}" for m in MODULES)
    print(f"\ncorpus: {len(ALL)} files ({figures})")  # noqa: T201


@pytest.mark.parametrize("case", ALL)
def test_a_file_becomes_its_table_or_gets_its_refusal(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(case.bytes())
    if case.refusal is not None:
        _assert_refused(case, path)
        return
    table = read_table(path, overrides=case.overrides, filename=case.filename, limits=case.limits)
    _assert_equal(table, case)
    codes = {remark.code for remark in table.remarks}
    warnings = {remark.code for remark in table.remarks if remark.severity == "warning"}
    assert warnings <= set(case.remarks)
    assert not case.remarks or codes & set(case.remarks)
    decided = {decision.name: decision.value for decision in table.decisions}
    assert {name: decided.get(name) for name in case.decisions} == case.decisions
    units = {column.name: column.unit for column in table.columns if column.name in case.units}
    assert units == case.units
    with path.open("rb") as stream:
        preview = preview_file(
            stream, filename=case.filename, overrides=case.overrides, limits=case.limits
        )
    assert [column.name for column in preview.columns] == list(table.frame)
    assert preview.rows


def test_nested_entities_of_a_workbook_are_not_expanded(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(formats.nested_entities())
    with contextlib.suppress(DataRefused):
        table = read_table(path)
        assert max(map(len, table.frame)) < 100


def _assert_refused(case: Case, path: Path) -> None:
    with pytest.raises(DataRefused) as refused:
        read_table(path, overrides=case.overrides, filename=case.filename, limits=case.limits)
    error = refused.value
    assert error.error_code == case.refusal
    assert case.row is None or error.row == case.row
    assert error.message % error.params  # every place of the template is filled
    # A preview refuses as well, unless the fault lies beyond what it sees.
    with path.open("rb") as stream, contextlib.suppress(DataRefused):
        preview_file(stream, filename=case.filename, overrides=case.overrides, limits=case.limits)


def _assert_equal(table: Table, case: Case) -> None:
    assert case.table is not None
    assert list(table.frame) == list(case.table)
    for name, expected in case.table.items():
        found = table.frame[name]
        if isinstance(found.dtype, np.dtype) and found.dtype.kind == "f":
            wanted = np.array([np.nan if v is None else v for v in expected], dtype=float)
            np.testing.assert_allclose(found, wanted, rtol=1e-12, err_msg=name)
        elif isinstance(found.dtype, np.dtype) and found.dtype.kind == "M":
            times = pd.to_datetime(pd.Series(expected), format="ISO8601")
            assert found.isna().tolist() == times.isna().tolist()
            assert found.dropna().tolist() == times.dropna().tolist(), name
        else:
            assert [None if v != v else v for v in found.astype(object)] == list(expected), name
