"""Fixtures of the core's tests: real files where they are at hand, tables of known truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.columns import describe_column
from prodapp.ml.intake import Table, read_table
from prodapp.ml.table import Column

DATA_FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture(scope="session")
def real_file() -> Callable[[str], Path]:
    """The path of a public data set beside the repository, or a skip."""

    def path(name: str) -> Path:
        found = DATA_FOLDER / name
        if not found.exists():
            pytest.skip(f"the public data set {name} is not in ../shared/data")
        return found

    return path


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Table]:
    """Read bytes (or text, as UTF-8) the way an uploaded file is read."""

    def _read(content: bytes | str, **options: object) -> Table:
        path = tmp_path / "upload.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path, **options)  # type: ignore[arg-type]

    return _read


def describe(frame: pd.DataFrame) -> list[Column]:
    """The columns of a frame made by a test: numbers, or categories for everything else."""
    return [
        describe_column(
            frame[name],
            name=name,
            kind="number" if frame[name].dtype == np.float64 else "category",
        )
        for name in frame.columns
    ]
