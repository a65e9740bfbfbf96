"""``make trust``: verdicts and rank intervals on simulated tables, scored against their truth.

Each judged table is a line of the results file; what is there already is not judged again, so a
long form may be ended and taken up. Seeds from 1,000,000 on are kept for the last word: nothing is
tuned on them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.trust.scoring import score, table
from benchmarks.trust.shapes import SHAPES
from benchmarks.trust.trial import Trial, carry_out
from prodapp.ml.estimators import available_cpus

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "trust"


def main() -> None:
    options = _options()
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / f"{options.rows}.jsonl"
    done = list(_read(path))
    judged = {Trial(r["shape"], r["n_rows"], r["seed"]) for r in done}
    wanted = [
        Trial(shape, options.rows, options.seed + number)
        for number in range(options.tables)
        for shape in options.shapes
    ]
    left = [trial for trial in wanted if trial not in judged]
    context = get_context("spawn")
    with (
        ProcessPoolExecutor(options.jobs, mp_context=context) as executor,
        path.open("a", encoding="utf-8") as file,
    ):
        for number, result in enumerate(executor.map(carry_out, left), start=1):
            file.write(json.dumps(result) + "\n")
            file.flush()
            done.append(result)
            print(f"\r{number} of {len(left)} tables", end="", flush=True)
    print()
    seeds = {trial.seed for trial in wanted}
    scores = [
        score(shape, [r for r in done if r["shape"] == shape and r["seed"] in seeds])
        for shape in options.shapes
    ]
    text = table(scores)
    (options.results / f"{options.rows}.md").write_text(text + "\n", encoding="utf-8")
    print(text)


def _read(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trust", description=__doc__)
    parser.add_argument(
        "--tables", type=int, default=50, help="of each shape (1000: the long form)"
    )
    parser.add_argument("--rows", type=int, default=1_000, help="rows of each table")
    parser.add_argument("--seed", type=int, default=0, help="of the first table")
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--jobs", type=int, default=available_cpus(), help="tables at a time")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the results")
    return parser.parse_args()


if __name__ == "__main__":
    main()
