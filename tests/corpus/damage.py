"""Columns on several scales, and heavy tails that are none."""

from __future__ import annotations

import numpy as np

from tests.corpus.case import Case, text


def column(values: list[str]) -> bytes:
    return text("a;b\n" + "".join(f"{value};{'xy'[i % 2]}\n" for i, value in enumerate(values)))


def of(values: list[float]) -> dict[str, list[float] | list[str]]:
    return {"a": values, "b": ["xy"[i % 2] for i in range(len(values))]}


def plain(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


CLEAN = [round(float(v), 3) for v in np.random.default_rng(4).uniform(300, 600, 200)]
#: What a spreadsheet of the other locale makes of 557.434; it leaves 306.4 alone.
EATEN = [plain(v).replace(".", "") if len(plain(v)) == 7 else plain(v) for v in CLEAN]
LOST = [plain(v).replace(".", "") for v in CLEAN]
COUNTS = [int(v) for v in np.random.default_rng(5).uniform(500, 3000, 200)]
THOUSANDS = [f"{v // 1000}.{v % 1000:03}" if v > 999 else str(v) for v in COUNTS]
TAIL = [round(float(v), 2) for v in np.random.default_rng(6).lognormal(2, 2, 500)]
PARETO = [round(float(v), 1) for v in 10 * (1 + np.random.default_rng(7).pareto(1, 500))]

CASES = [
    Case(
        "points eaten by a spreadsheet",
        column(EATEN),
        of([float(v) for v in EATEN]),
        remarks=("several_scales",),
    ),
    Case(
        "points eaten, repaired",
        column(EATEN),
        of(CLEAN),
        remarks=("repaired_scale",),
        overrides={"repair:a": "1000"},
    ),
    Case(
        "points eaten, left as they are",
        column(EATEN),
        of([float(v) for v in EATEN]),
        overrides={"repair:a": "no"},
    ),
    Case(
        "all points lost", column(LOST), of([float(v) for v in LOST]), remarks=("several_scales",)
    ),
    Case(
        "thousands beside decimals of another column",
        text("a;c\n" + "".join(f"{v};{i}.25\n" for i, v in enumerate(THOUSANDS))),
        {
            "a": [v / 1000 if v > 999 else float(v) for v in COUNTS],
            "c": [i + 0.25 for i in range(200)],
        },
        remarks=("several_scales", "ambiguous_decimals"),
    ),
    Case(
        "thousands read as decimals, repaired",
        text("a;c\n" + "".join(f"{v};{i}.25\n" for i, v in enumerate(THOUSANDS))),
        {"a": [float(v) for v in COUNTS], "c": [i + 0.25 for i in range(200)]},
        remarks=("repaired_scale", "ambiguous_decimals"),
        overrides={"repair:a": "1000"},
    ),
    Case("a lognormal tail", column([str(v) for v in TAIL]), of(TAIL)),
    Case("a Pareto tail", column([str(v) for v in PARETO]), of(PARETO)),
    Case(
        "a machine that is off or on",
        column([plain(v / 600) if i % 2 else plain(v) for i, v in enumerate(CLEAN)]),
        of([round(v / 600, 3) if i % 2 else v for i, v in enumerate(CLEAN)]),
    ),
]
