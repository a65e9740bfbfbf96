"""How long reading takes, and how much memory, beside pandas told the right dialect.

``make intake`` writes a file of 900,000 × 27 (``;`` and decimal commas, about 200 MB), reads it by
turns in fresh processes, and prints seconds, CPU seconds and peak memory. It also times the
preview of a file of 1 MB, and both readers of workbooks. ``INTAKE_ARGS="--rows 90000"`` is quick.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

N_COLUMNS = 27
MB = 1 << 20


def write_table(path: Path, *, n_rows: int) -> None:
    """A column of minutes and 26 of three decimals, as a logger of a pt-BR office writes them."""
    rng = np.random.default_rng(0)
    times = pd.date_range("2024-01-01", periods=n_rows, freq="min")
    with path.open("w", encoding="utf-8") as file:
        file.write("data;" + ";".join(f"var {i}" for i in range(N_COLUMNS - 1)) + "\n")
        for start in range(0, n_rows, 50_000):
            part = times[start : start + 50_000]
            columns: dict[str, Any] = {"data": part.strftime("%d/%m/%Y %H:%M")}
            for number in range(N_COLUMNS - 1):
                columns[f"var {number}"] = rng.normal(500, 100, len(part)).round(3)
            frame = pd.DataFrame(columns)
            frame.to_csv(file, sep=";", decimal=",", header=False, index=False)


def read_with_pandas(path: Path) -> object:
    return pd.read_csv(path, sep=";", decimal=",", parse_dates=["data"], dayfirst=True)


def read_with_intake(path: Path) -> object:
    from prodapp.ml.intake import read_table

    return read_table(path)


def preview_with_intake(path: Path) -> object:
    from prodapp.ml.intake import preview_file

    with path.open("rb") as stream:
        return preview_file(stream, filename=path.name)


def read_with_openpyxl(path: Path) -> object:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    return [list(row) for row in book.active.iter_rows(values_only=True)]


READERS = {
    "pandas": read_with_pandas,
    "intake": read_with_intake,
    "preview": preview_with_intake,
    "openpyxl": read_with_openpyxl,
}


def measure_here(reader: str, path: Path, *, repeats: int) -> dict[str, float]:
    """Seconds (the best of ``repeats``), CPU seconds and peak memory of this process."""
    import prodapp.ml.intake  # noqa: F401 - what is imported is no part of reading

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds, cpu = [], []
    for _ in range(repeats):
        start, start_cpu = time.perf_counter(), time.process_time()
        READERS[reader](path)
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": min(seconds), "cpu": min(cpu), "peak": peak, "grown": peak - before}


def measure(reader: str, path: Path, *, repeats: int = 1) -> dict[str, float]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.intake", "--measure", reader, str(path)]
    command += ["--repeats", str(repeats)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(found.stdout)
    return result


def compare(folder: Path, *, n_rows: int, rounds: int) -> None:
    """Read the large file by turns and print the medians."""
    path = folder / "table.csv"
    write_table(path, n_rows=n_rows)
    size = path.stat().st_size / MB
    print(f"{n_rows:,} x {N_COLUMNS}, {size:.0f} MB, {rounds} rounds by turns")
    found: dict[str, list[dict[str, float]]] = {"pandas": [], "intake": []}
    for _ in range(rounds):
        for reader in found:
            found[reader].append(measure(reader, path))
    medians = {
        reader: {key: statistics.median(one[key] for one in ones) for key in ones[0]}
        for reader, ones in found.items()
    }
    for reader, one in medians.items():
        print(
            f"  {reader}: {one['seconds']:.2f} s, CPU {one['cpu']:.2f} s, "
            f"peak {one['peak']:.0f} MB "
            f"({one['peak'] / size:.1f} times the file)"
        )
    ratios = [medians["intake"][key] / medians["pandas"][key] for key in ("seconds", "cpu")]
    print(f"  intake takes {ratios[0]:.2f} times the seconds, {ratios[1]:.2f} the CPU")


def time_preview(folder: Path) -> None:
    path = folder / "small.csv"
    write_table(path, n_rows=4_700)
    one = measure("preview", path, repeats=9)
    size = path.stat().st_size / MB
    print(
        f"preview of {size:.2f} MB: {1000 * one['seconds']:.0f} ms, CPU {1000 * one['cpu']:.0f} ms"
    )


def time_workbooks(folder: Path, *, n_rows: int) -> None:
    path = folder / "table.xlsx"
    rng = np.random.default_rng(0)
    pd.DataFrame(rng.normal(size=(n_rows, N_COLUMNS)).round(3)).to_excel(path, index=False)
    for reader in ("openpyxl", "intake"):
        one = measure(reader, path)
        print(
            f"workbook of {n_rows:,} x {N_COLUMNS}, {reader}: {one['seconds']:.2f} s, "
            f"CPU {one['cpu']:.2f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=900_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=2, metavar=("READER", "PATH"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        reader, path = arguments.measure
        json.dump(measure_here(reader, Path(path), repeats=arguments.repeats), sys.stdout)
        return
    with tempfile.TemporaryDirectory() as folder:
        time_preview(Path(folder))
        time_workbooks(Path(folder), n_rows=20_000)
        compare(Path(folder), n_rows=arguments.rows, rounds=arguments.rounds)


if __name__ == "__main__":
    main()
