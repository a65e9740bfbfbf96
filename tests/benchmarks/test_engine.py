"""What the engine's benchmark makes of its figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.engine.fidelity import inversions, tau
from benchmarks.engine.report import write_report
from benchmarks.engine.tables import real, synthetic

FIGURES: dict[str, Any] = {
    "machine": {"processors": "2"},
    "tables": [
        {
            "name": "synthetic 2,000 × 30",
            "n_rows": 2_000,
            "ways": {
                "plain": {
                    "total": 90.0,
                    "processors": 80.0,
                    "n_trees": 100,
                    "n_explained": 50,
                    "n_rows": 2_000,
                },
                "exact": {
                    "total": 1.5,
                    "processors": 1.0,
                    "trust": None,
                    "largest_difference": 2e-7,
                },
                "default": {
                    "total": 0.5,
                    "processors": 0.4,
                    "trust": 1.5,
                    "trust_processors": 1.4,
                    "n_explained": 400,
                    "peak_mib": 300.0,
                },
            },
            "fidelity": {"tau": 0.95, "tau_between_seeds": 0.96, "inversions": 0},
        }
    ],
    "tools": {
        "shap": {"n_nodes": 9, "milliseconds_a_sample": 30.0, "nanoseconds_a_node": 100.0},
        "absent": {"reason": "No module named 'absent'"},
    },
    "notes": ["No public data."],
}


def test_the_report_says_ratios_targets_and_what_is_extrapolated(tmp_path: Path) -> None:
    text = write_report(FIGURES, tmp_path).read_text(encoding="utf-8")
    assert (
        "| ~90 (80) | 1.50 (1.00) | 60× (80×), of 60 | 0.50 (0.40) | 180× (200×), of 150 "
        "| 1.5 (1.4), 3.5× | 400 | 300 |"
    ) in text
    assert "| 0.950 | 0.960 | 0 | 2.0e-07 |" in text
    assert "No module named" in text
    assert json.loads((tmp_path / "engine.json").read_text(encoding="utf-8")) == FIGURES
    ElementTree.fromstring((tmp_path / "engine.svg").read_text(encoding="utf-8"))  # noqa: S314


def test_tau_looks_at_the_first_ten_of_the_reference() -> None:
    reference = np.arange(20.0)[::-1]
    other = reference.copy()
    other[10:] = other[10:][::-1]
    assert tau(reference, other) == pytest.approx(1)
    assert tau(reference, -reference) == pytest.approx(-1)


def test_inversions_count_pairs_that_are_apart_in_both() -> None:
    reference = np.array([1.0, 0.8, 0.5])
    assert inversions(reference, np.array([0.8, 1.0, 0.5])) == 1
    assert inversions(reference, np.array([0.99, 1.0, 0.5])) == 0


def test_made_up_tables_are_the_same_each_time(tmp_path: Path) -> None:
    first = synthetic(50, tmp_path).path.read_bytes()
    assert synthetic(50, tmp_path).path.read_bytes() == first
    assert list(real(tmp_path)) == []
