"""A long computation as one line of JSON a case: ended anywhere, it goes on with what is left."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from prodapp.ml.estimators import available_cpus

#: Which case: its name, the rows of its table, its seed.
Key = tuple[str, int, int]
RESULTS: Final = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "trust"


def carried_out(
    work: Callable[[Key], dict[str, Any]], wanted: Sequence[Key], path: Path, *, n_jobs: int
) -> list[dict[str, Any]]:
    """The results of ``wanted``, in their order, from ``path`` or by ``work`` in other processes.

    ``work`` returns plain values, its key under ``key``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = {tuple(result["key"]): result for result in map(json.loads, lines)}
    left = [key for key in wanted if key not in found]
    # Threads of a parent that has computed already do not survive a fork.
    context = get_context("spawn")
    with (
        ProcessPoolExecutor(n_jobs, mp_context=context) as executor,
        path.open("a", encoding="utf-8") as file,
    ):
        for number, result in enumerate(executor.map(work, left), start=1):
            file.write(json.dumps(result) + "\n")
            file.flush()
            found[tuple(result["key"])] = result
            print(f"\r{number} of {len(left)} in {path.name}", end="", flush=True)
    if left:
        print()
    return [found[key] for key in wanted]


def options_of(
    program: str, description: str | None, names: Sequence[str], *, n_rows: int
) -> argparse.ArgumentParser:
    """What every scorecard of tables takes; ``names`` are the cases, ``n_rows`` a usual table."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    parser.add_argument("--tables", type=int, default=50, help="of each case (1000: the long form)")
    parser.add_argument("--rows", type=int, default=n_rows, help="rows of each table")
    parser.add_argument("--seed", type=int, default=0, help="of the first table")
    parser.add_argument("--only", nargs="+", choices=names, default=list(names), metavar="CASE")
    parser.add_argument("--jobs", type=int, default=available_cpus(), help="tables at a time")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the results")
    return parser


def wanted_of(options: argparse.Namespace) -> list[Key]:
    """The first table of each case, then the second of each, so that what is there is even."""
    return [
        (name, options.rows, options.seed + number)
        for number in range(options.tables)
        for name in options.only
    ]


def publish(text: str, path: Path) -> None:
    """Keep a scorecard, and print it."""
    path.write_text(text + "\n", encoding="utf-8")
    print(text)
