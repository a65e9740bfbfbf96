"""``make bench``: plain, exact and default side by side, their fidelity, and other tools.

Each way runs in a process of its own, so that its peak memory is its own; the figures are medians
of the repeats. The plain way explains as many rows as fit into ``--seconds``, and fits 2 of 100
trees above 20,000 rows; what is extrapolated from that is marked. XGBoost and LightGBM take part
where they are installed (``pip install xgboost-cpu lightgbm``); fasttreeshap gets an environment of
its own. Figures mean something on a machine that does nothing else: the load before is noted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.engine.fidelity import fidelity
from benchmarks.engine.report import write_report
from benchmarks.engine.tables import Source, real, synthetic
from prodapp.ml.estimators import available_cpus

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "engine"
SIZES = (2_000, 10_000, 100_000, 1_000_000)
MAX_EXACT = 12_000
MAX_FIDELITY = 12_000
TOOL_SECONDS = 600
FASTTREESHAP = ROOT / ".tools" / "fasttreeshap"
FASTTREESHAP_NEEDS = ("fasttreeshap", "numpy<2", "scikit-learn<1.6", "scipy<1.14", "pandas<3")


def main() -> None:
    options = _options()
    sizes = options.sizes or (SIZES[:1] if options.quick else SIZES)
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        sources = [synthetic(n_rows, Path(folder)) for n_rows in sizes]
        first = sources[0]
        if not options.quick:
            sources += _real(options.data, Path(folder), notes)
        figures: dict[str, Any] = {"machine": _machine(), "tables": [], "tools": {}, "notes": notes}
        for source in sources:
            figures["tables"].append(_measure(source, options))
            write_report(figures, options.results)  # what is measured stays, whatever comes later
        if not options.no_tools:
            figures["tools"] = _tools(first)
        path = write_report(figures, options.results)
    print(path.read_text(encoding="utf-8"))
    print(f"Report: {path}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 rows only, one repeat")
    parser.add_argument("--sizes", type=int, nargs="+", help="rows of the made-up tables")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--repeats", type=int, help="of exact and default (3)")
    parser.add_argument("--seeds", type=int, help="plain forests to compare the order with (5)")
    parser.add_argument("--seconds", type=float, help="of the plain way's explanation (20)")
    parser.add_argument("--no-tools", action="store_true", help="leave other tools out")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the report goes")
    options = parser.parse_args()
    options.repeats = options.repeats or (1 if options.quick else 3)
    options.seeds = options.seeds or (2 if options.quick else 5)
    options.seconds = options.seconds or (3.0 if options.quick else 20.0)
    return options


def _real(data: Path, folder: Path, notes: list[str]) -> list[Source]:
    found = list(real(data))
    if not found:
        notes.append(f"No public data in {data}: they were left out.")
    for source in found:
        # Beside a copy, since a run writes its result next to the file.
        (folder / source.path.name).write_bytes(source.path.read_bytes())
    return [Source(s.name, folder / s.path.name, s.target, s.n_rows) for s in found]


def _measure(source: Source, options: argparse.Namespace) -> dict[str, Any]:
    print(f"{source.name} …", file=sys.stderr, flush=True)
    ways = {"plain": _run("plain", source, options.seconds)}
    if source.n_rows <= MAX_EXACT:
        ways["exact"] = _median(source, "exact", options)
    ways["default"] = _median(source, "default", options)
    table = {"name": source.name, "n_rows": source.n_rows, "ways": ways}
    if source.n_rows <= MAX_FIDELITY:
        table["fidelity"] = fidelity(source, n_seeds=options.seeds)
    return table


def _median(source: Source, way: str, options: argparse.Namespace) -> dict[str, Any]:
    repeats = [_run(way, source, options.seconds) for _ in range(options.repeats)]
    totals = [repeat["total"] for repeat in repeats]
    middle = min(repeats, key=lambda repeat: abs(repeat["total"] - statistics.median(totals)))
    return {**middle, "totals": totals}


def _run(way: str, source: Source, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.engine.ways", way, source.path, source.target]
    done = subprocess.run(
        [*command, "--seconds", str(seconds)], stdout=subprocess.PIPE, check=True, cwd=ROOT
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _tools(source: Source) -> dict[str, Any]:
    answers = {}
    for name in ("prodapp", "shap", "fasttreeshap", "xgboost", "lightgbm"):
        python = _fasttreeshap_python() if name == "fasttreeshap" else sys.executable
        script = [ROOT / "benchmarks" / "engine" / "foreign.py", source.path, source.target, name]
        answers[name] = _tool([python, *script], needs_prodapp=name == "prodapp")
    return answers


def _tool(command: list[Any], *, needs_prodapp: bool) -> dict[str, Any]:
    """What a tool took, or the reason why it is left out."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=TOOL_SECONDS,
            env={**os.environ, "PYTHONPATH": str(ROOT) if needs_prodapp else ""},
        )
    except subprocess.TimeoutExpired:
        return {"reason": f"not done after {TOOL_SECONDS} s"}
    except OSError as error:
        return {"reason": str(error)}
    if done.returncode != 0:
        return {"reason": (done.stderr.strip().splitlines() or ["it did not run"])[-1]}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _fasttreeshap_python() -> Path:
    """Its own environment: it is compiled for NumPy 1, and would take shap back to 0.45."""
    python = FASTTREESHAP / "bin" / "python"
    if not python.exists():
        uv = ROOT / ".tools" / "uv" / "bin" / "uv"
        for command in (
            [uv, "venv", "--quiet", "--python", sys.executable, FASTTREESHAP],
            [uv, "pip", "install", "--quiet", "--python", python, *FASTTREESHAP_NEEDS],
        ):
            subprocess.run(command, check=False)
    return python


def _machine() -> dict[str, str]:
    libraries = ("scikit-learn", "shap", "numba", "numpy")
    return {
        "when": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "processors": str(available_cpus()),
        "load before": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in libraries},
    }


if __name__ == "__main__":
    main()
