"""Intervals of 90 %: how often do they hold the truth of rows that nothing was made of?

For each split a third part of the rows is set aside before training; the run holds out its own
samples from the rest, as every run does. Passed where the mean of the splits lies within 2 points
and two standard errors of 90 %.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from prodapp.ml.estimators import build_pipeline
from prodapp.ml.fitting import answers_of
from prodapp.ml.intake import read_table
from prodapp.ml.joint import HeldOutAnswers
from prodapp.ml.samples import gather_samples
from prodapp.ml.serving.predictor import Predictor
from prodapp.ml.serving.reference import make_reference
from prodapp.ml.specification import Specification

LEVEL = 0.9
MAX_ROWS = 4_000
#: The file, and how the name of its target begins (else the last column is it).
SETS = (
    ("concrete.csv", "CMS"),
    ("ccpp.csv", "PE"),
    ("diamonds.csv", "price"),
    ("steel_energy.csv", "Usage_kWh"),
    ("grid_stability.csv", "stab"),
    ("ai4i2020.csv", "Torque"),
)


def measure(folder: Path, *, n_splits: int) -> list[dict[str, Any]]:
    """The coverage on each data set that is there."""
    found = []
    for name, target in SETS:
        path = folder / name
        if not path.exists():
            print(f"{name} is not in {folder}")
            continue
        table = read_table(path)
        names = [column.name for column in table.columns]
        known = next((n for n in names if n.lower().startswith(target.lower())), names[-1])
        spec = Specification.from_json({"target": known, "validation": "shuffled"})
        shares, widths, kinds = [], [], set()
        for split in range(n_splits):
            share, width, kind = _one(table.frame, table.columns, spec, seed=split)
            shares.append(share)
            widths.append(width)
            kinds.add(kind)
        error = float(np.std(shares, ddof=1) / np.sqrt(len(shares)))
        mean = float(np.mean(shares))
        found.append(
            {
                "data": name,
                "target": known,
                "coverage": mean,
                "standard_error": error,
                "passed": bool(abs(mean - LEVEL) <= 0.02 + 2 * error),
                "width_in_target_spreads": float(np.mean(widths)),
                "difficulty": sorted(kinds),
                "splits": len(shares),
            }
        )
        print(found[-1])
    return found


def _one(
    frame: pd.DataFrame, columns: Any, spec: Specification, *, seed: int
) -> tuple[float, float, str]:
    rng = np.random.default_rng(seed)
    rows = rng.permutation(np.flatnonzero(frame[spec.target].notna()))[:MAX_ROWS]
    n_fresh = len(rows) // 3
    fresh, used = frame.iloc[rows[:n_fresh]], frame.iloc[rows[n_fresh:]].reset_index(drop=True)
    spec = replace(spec, random_state=seed)
    samples = gather_samples(used, columns, spec)
    pipeline: Pipeline = build_pipeline(spec, samples.columns, n_samples=len(samples.y_train))
    pipeline.fit(samples.X_train, samples.y_train)
    predicted = answers_of(pipeline, samples.X_test)
    reference = make_reference(
        pipeline, samples, HeldOutAnswers(predicted, None), random_state=seed
    )
    predictor = Predictor(pipeline, reference)
    names = [variable.name for variable in predictor.variables]
    inputs = fresh[names].astype({v.name: object for v in predictor.variables if not v.is_number})
    values, spreads = predictor.values_of_frame(inputs.reset_index(drop=True))
    low, high = predictor.bounds(values, spreads, level=LEVEL)
    actual = fresh[spec.target].to_numpy(dtype=float)
    return (
        float(np.mean((low <= actual) & (actual <= high))),
        float(np.mean(high - low) / np.std(actual)),
        "none" if reference.calibration is None else reference.calibration.difficulty,
    )
