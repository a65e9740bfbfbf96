"""Where the time of a default run goes, and the most memory that it takes.

``python -m benchmarks.engine.profiling --rows 10000`` makes a table of that many rows × 30, reads
it, trains with the defaults and stores the model, in a process of its own. It prints the seconds of
each stage (by the clock, and of the processors) with the peak memory so far, and which functions of
prodapp the training was inside of, by looking a hundred times a second.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.engine.tables import synthetic
from prodapp.ml import kernels
from prodapp.ml.artifact import dump_pipeline
from prodapp.ml.estimators import available_cpus
from prodapp.ml.intake import read_table
from prodapp.ml.specification import Specification
from prodapp.ml.training import train

PEAK_UNIT = 2**20 if sys.platform == "darwin" else 2**10
N_FUNCTIONS = 12


@dataclass
class Steps:
    """Prints each step when it ends: seconds, seconds of the processors, peak memory so far."""

    step: str = ""
    begun: tuple[float, float] = (0.0, 0.0)
    total: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def enter(self, step: str) -> None:
        if step == self.step:
            return
        now = time.perf_counter(), time.process_time()
        if self.step:
            spent = [after - before for before, after in zip(self.begun, now, strict=True)]
            self.total = [old + new for old, new in zip(self.total, spent, strict=True)]
            self._print(self.step, spent)
        self.step, self.begun = step, now

    def leave(self) -> None:
        self.enter("")
        self._print("all", self.total)

    def _print(self, step: str, spent: list[float]) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / PEAK_UNIT
        print(f"| {step} | {spent[0]:,.2f} | {spent[1]:,.2f} | {peak:,.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.engine.profiling", description=__doc__
    )
    parser.add_argument("--rows", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = synthetic(options.rows, Path(folder))
        # The table was made in this process; a child starts with a clean peak.
        child = os.fork()
        if child == 0:
            os.execv(
                sys.executable,
                [sys.executable, "-c", _CHILD, str(source.path)],
            )
        os.waitpid(child, 0)


_CHILD = "import sys; from benchmarks.engine.profiling import measure; measure(sys.argv[1])"


class Sampler:
    """Counts by function of prodapp how often the thread that trains was inside of it."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_details: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(0.01):
            frames = sys._current_frames()
            for thread in threading.enumerate():
                frame = frames.get(thread.ident or 0) if thread.name == "work" else None
                while frame is not None and "/prodapp/" not in frame.f_code.co_filename:
                    frame = frame.f_back
                if frame is not None:
                    module = Path(frame.f_code.co_filename).stem
                    self.seen[f"{module}.{frame.f_code.co_name}"] += 1

    def lines(self) -> list[str]:
        """The functions that took most, in Markdown."""
        total = sum(self.seen.values()) or 1
        rows = [
            f"| `{name}` | {count / total:.0%} |"
            for name, count in self.seen.most_common(N_FUNCTIONS)
        ]
        return ["| function | of the training |", "|---|--:|", *rows]


def measure(path: str) -> None:
    """Print what one default run of this file takes."""
    kernels.warm_up()
    size = Path(path).stat().st_size / 2**20
    print(f"{Path(path).name}, {size:,.1f} MiB; {available_cpus()} processors, load ", end="")
    print(f"{os.getloadavg()[0]:.1f}\n")
    print("| step | s | processor s | peak MiB |\n|---|--:|--:|--:|")
    steps = Steps()
    steps.enter("file to table")
    table = read_table(Path(path))
    with Sampler() as sampler:
        result = train(
            table.frame,
            table.columns,
            Specification(target="y"),
            progress=lambda stage, _share: steps.enter(stage),
        )
    steps.enter("storing the model")
    n_bytes = len(dump_pipeline(result.pipeline))
    steps.leave()
    print(f"\nmodel {n_bytes / 2**20:,.1f} MiB; {result.n_explained:,} rows explained\n")
    print("\n".join(sampler.lines()))


if __name__ == "__main__":
    main()
