"""``make goals``: goals asked of simulated processes, scored against their truth.

For each table all goals are asked: as good as possible upwards and downwards, and values half a
spread and a whole one above the mean. *Wrong*: a sure gain was promised of a region that has none
or a loss. *Covered*: the true change of the promised region lies in its interval. *Reached*: where
the answer was "sure", the true mean with the settings promised is at the value asked for. The true
change is the mean of the true function over the rows compared with settings drawn from the rows in
the region, minus that of the rows as they were; *of the best* is the promised region's true change
as a share of the largest among all regions that were compared and kept.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.goals.processes import SHAPES
from benchmarks.goals.trial import carry_out

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "goals"


def main() -> None:
    parser = argparse.ArgumentParser(prog="goals", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--tables", type=int, default=40, help="of each shape")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--shapes", nargs="*", default=list(SHAPES))
    options = parser.parse_args()
    trials = [
        (shape, options.rows, options.seed + number)
        for shape in options.shapes
        for number in range(options.tables)
    ]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as executor:
        found = []
        for number, result in enumerate(executor.map(carry_out, trials), start=1):
            found.append(result)
            print(f"\r{number} of {len(trials)} tables", end="", flush=True)
    print()
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{options.rows}.json"
    path.write_text(json.dumps(found) + "\n", encoding="utf-8")
    text = table(found, options.shapes)
    path.with_suffix(".md").write_text(text + "\n", encoding="utf-8")
    print(text)


def table(found: Sequence[dict[str, Any]], shapes: Sequence[str]) -> str:
    """The figures by shape, as Markdown."""
    lines = [
        "| shape | tables | regions | promises | wrong (tables) | covered | reached | of the best "
        "| s fitting | s regions |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for shape in shapes:
        mine = [result for result in found if result["shape"] == shape]
        answers = [a for result in mine for a in result["answers"] if "promised" in a]
        n_wrong = sum(any(a.get("is_wrong") for a in result["answers"]) for result in mine)
        sure = [a["is_reached"] for a in answers if a["is_reached"] is not None]
        shares = [
            a["of_best"] for a in answers if a["of_best"] is not None and a["code"] == "better"
        ]
        n_asked = sum(len(result["answers"]) for result in mine)
        cells = [
            shape,
            len(mine),
            f"{np.mean([result['n_regions'] for result in mine]):.0f}",
            f"{len(answers)} of {n_asked}",
            n_wrong,
            _share([a["is_covered"] for a in answers]),
            _share(sure),
            f"{np.mean(shares):.2f}" if shares else "–",
            f"{np.mean([result['fitting_seconds'] for result in mine]):.1f}",
            f"{np.mean([result['seconds'] for result in mine]):.1f}",
        ]
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def _share(flags: Sequence[bool]) -> str:
    return f"{sum(flags)} of {len(flags)}" if flags else "–"


if __name__ == "__main__":
    main()
