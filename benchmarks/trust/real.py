"""``make realdata``: what must be true of public data, checked on whole trainings.

The data sets are looked for in ``--data`` (``../shared/data``); one that is absent is skipped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prodapp.ml.columns import describe_column
from prodapp.ml.intake import Column, read_table
from prodapp.ml.specification import Specification
from prodapp.ml.training import TrainingResult, train

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def trained(
    frame: pd.DataFrame, columns: Sequence[Column], target: str, **specification: Any
) -> TrainingResult:
    spec = Specification(target=target, **specification)
    return train(frame, columns, spec, progress=lambda _stage, _share: None)


def rung(result: TrainingResult, code: str) -> set[str]:
    """The variables of all alarms of this code; the code itself for alarms on the whole."""
    alarms = [alarm for alarm in result.findings.alarms if alarm.code == code]
    return {name for alarm in alarms for name in alarm.variables or (code,)}


def grid_stability(folder: Path, n_rows: int) -> list[tuple[str, bool]]:
    table = read_table(folder / "grid_stability.csv")
    features = tuple(f"{letter}{k}" for letter in ("tau", "p", "g") for k in (1, 2, 3, 4))
    result = trained(table.frame[:n_rows], table.columns, "stab", features=features)
    assessment = result.findings.assessment
    if assessment is None:
        return [("grid_stability: no time was left to judge", False)]
    verdicts, ranks = assessment.verdicts, assessment.ranks
    taus = [ranks[f"tau{k}"] for k in (1, 2, 3, 4)]
    found = [verdicts[f"p{k}"].verdict for k in (1, 2, 3, 4)]
    return [
        (f"grid_stability: p1–p4 are {', '.join(found)}: none is real", "real" not in found),
        (
            f"grid_stability: tau1–tau4 are one tie: {taus}",
            max(r.first for r in taus) <= min(r.last for r in taus),
        ),
    ]


def steel_energy(folder: Path, n_rows: int) -> list[tuple[str, bool]]:
    table = read_table(folder / "steel_energy.csv")
    # Rows of the whole year: in the first months CO2 was written too coarsely to tell the energy.
    step = max(1, len(table.frame) // n_rows)
    frame = table.frame.iloc[::step].reset_index(drop=True)
    found = rung(trained(frame, table.columns, "Usage_kWh"), "leak_suspect")
    pair = {"Lagging_Current_Reactive.Power_kVarh", "Lagging_Current_Power_Factor"}
    return [
        ("steel_energy: CO2(tCO2) rings the leak alarm", "CO2(tCO2)" in found),
        ("steel_energy: so do reactive power and power factor together", pair <= found),
    ]


def machine_failures(folder: Path, _n_rows: int) -> list[tuple[str, bool]]:
    table = read_table(folder / "ai4i2020.csv")  # whole: failures are few
    found = rung(trained(table.frame, table.columns, "Machine_failure"), "leak_suspect")
    return [
        (f"ai4i2020: {sorted(found)} ring the leak alarm", {"TWF", "HDF", "PWF", "OSF"} == found)
    ]


def sound_tables(folder: Path, n_rows: int) -> list[tuple[str, bool]]:
    checks = []
    for name, target in (("ccpp", "PE"), ("concrete", "CMS"), ("diamonds", "price")):
        table = read_table(folder / f"{name}.csv")
        rows = np.sort(np.random.default_rng(0).permutation(len(table.frame))[:n_rows])
        frame = table.frame.iloc[rows].reset_index(drop=True)
        found = rung(trained(frame, table.columns, target), "leak_suspect")
        checks.append((f"{name}: no leak alarm {sorted(found)}", not found))
    return checks


def permuted_targets(folder: Path, n_rows: int) -> list[tuple[str, bool]]:
    table = read_table(folder / "ccpp.csv")
    n_said = 0
    for seed in range(5):
        frame = table.frame[: min(n_rows, 1000)].copy()
        frame["PE"] = np.random.default_rng(seed).permutation(frame["PE"])
        n_said += not trained(frame, table.columns, "PE", random_state=seed).metrics.explains
    return [(f"permuted targets of ccpp: {n_said} of 5 say “explains nothing”", n_said == 5)]


def random_walks(_folder: Path, n_rows: int) -> list[tuple[str, bool]]:
    n_rung = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        walks = rng.normal(size=(min(n_rows, 1000), 2)).cumsum(axis=0)
        frame = pd.DataFrame(walks, columns=["x", "y"])
        columns = [describe_column(frame[n], name=n, kind="number") for n in frame.columns]
        n_rung += bool(rung(trained(frame, columns, "y"), "order_leak"))
    return [(f"two random walks: {n_rung} of 5 ring the order alarm", n_rung == 5)]


CHECKS: tuple[Callable[[Path, int], list[tuple[str, bool]]], ...] = (
    *(random_walks, permuted_targets, steel_energy, machine_failures),
    *(sound_tables, grid_stability),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trust.real", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--rows", type=int, default=10_000, help="of each table, at most")
    options = parser.parse_args()
    n_wrong = 0
    for check in CHECKS:
        try:
            found = check(options.data, options.rows)
        except FileNotFoundError as error:
            print(f"skipped: {error}")
            continue
        for words, is_true in found:
            n_wrong += not is_true
            print(f"{'ok   ' if is_true else 'WRONG'} {words}", flush=True)
    sys.exit(bool(n_wrong))


if __name__ == "__main__":
    main()
