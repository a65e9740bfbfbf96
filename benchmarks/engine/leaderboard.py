"""``auto`` on the public tables: every algorithm beside the baseline, under one validation.

``python -m benchmarks.engine.leaderboard`` prints a table for each; ``--data`` names their folder,
``--only`` some of them. The figures are of folds of the training rows, parted as prodapp parts them
by itself; the last line of each table is the taken one on rows that no comparison saw.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from benchmarks.engine.tables import REAL, Source, real
from prodapp.ml import kernels
from prodapp.ml.algorithms import AUTO
from prodapp.ml.comparison import Contender
from prodapp.ml.intake import read_table
from prodapp.ml.progress import no_progress
from prodapp.ml.specification import Specification
from prodapp.ml.training import TrainingResult, train
from prodapp.ml.validation import Interval

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.engine.leaderboard", description=__doc__
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--only", nargs="*", default=list(REAL), metavar="FILE")
    parser.add_argument("--seconds", type=float, default=600, help="time budget of each (600)")
    options = parser.parse_args()
    kernels.warm_up()
    sources = [source for source in real(options.data) if source.path.name in options.only]
    if not sources:
        parser.error(f"no public tables in {options.data}")
    for source in sources:
        print(leaderboard(source, seconds=options.seconds), flush=True)


def leaderboard(source: Source, *, seconds: float) -> str:
    """The table of one file, in Markdown."""
    started = time.perf_counter()
    table = read_table(source.path)
    spec = Specification(target=source.target, algorithm=AUTO, time_budget_seconds=seconds)
    result = train(table.frame, table.columns, spec, progress=no_progress)
    comparison = result.comparison
    if comparison is None:
        raise RuntimeError("auto compares, always")
    lines = [
        f"**{source.name}**, `{source.target}`: {len(table.frame):,} rows, held out by "
        f"`{result.plan.scheme}`; {comparison.n_folds} folds of {comparison.n_samples:,} rows; "
        f"{time.perf_counter() - started:,.0f} s in all.",
        "",
        "| algorithm | R² | MAE | RMSE | s |",
        "|---|--:|--:|--:|--:|",
        *(_row(row, is_taken=row.algorithm == result.algorithm) for row in comparison.leaderboard),
        _held_out(result),
        *(f"\n{remark.message % remark.params}" for remark in comparison.remarks),
        "",
    ]
    return "\n".join(lines)


def _row(row: Contender, *, is_taken: bool) -> str:
    name = f"**{row.algorithm}**" if is_taken else row.algorithm
    cells = [name, _ranged(row.r2, row.r2_interval), f"{row.mae:.4g}", f"{row.rmse:.4g}"]
    return "| " + " | ".join([*cells, f"{row.seconds:,.1f}"]) + " |"


def _held_out(result: TrainingResult) -> str:
    found = result.metrics
    cells = [f"{result.algorithm}, held out", _ranged(found.r2, found.r2_interval)]
    cells += [f"{found.mae:.4g}", f"{found.rmse:.4g}", f"{result.stage_seconds['fitting']:,.1f}"]
    return "| " + " | ".join(cells) + " |"


def _ranged(value: float, interval: Interval) -> str:
    return f"{value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


if __name__ == "__main__":
    main()
