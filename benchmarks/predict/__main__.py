"""``python -m benchmarks.predict``: speed beside a plain Flask view, and coverage on real data."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.predict import coverage, speed

RESULTS = Path(__file__).resolve().parent.parent / "results" / "predict"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", choices=("speed", "coverage"))
    parser.add_argument("--quick", action="store_true", help="Fewer requests and splits.")
    options = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    if options.only != "coverage":
        found = speed.measure(options.data / "ccpp.csv", seconds=3 if options.quick else 10)
        _write("speed", found)
    if options.only != "speed":
        _write("coverage", coverage.measure(options.data, n_splits=5 if options.quick else 20))


def _write(name: str, found: object) -> None:
    text = json.dumps(found, indent=2)
    print(text)
    (RESULTS / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
