"""The steps of feature engineering: names, words and bounds, without loading the libraries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from prodapp.exceptions import N_

#: Kinds of columns that a step can take.
NUMBERS: Final = ("number",)
CATEGORIES: Final = ("category", "boolean")
DATES: Final = ("date",)


@dataclass(frozen=True)
class Parameter:
    """The schema of one parameter; ``label`` and ``meaning`` are templates, for people.

    ``kind``: "integers" (a list of whole numbers, each within the bounds), "integer", "number",
    "choice" (one of ``options``), "choices" (some of them) or "flag".
    """

    label: str
    meaning: str
    kind: str
    default: Any
    minimum: float | None = None
    maximum: float | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One way to make features; ``takes`` are kinds of columns, all of them unless some are named.

    ``is_pair``: it takes exactly two columns, which must be named. ``needs_order``: only where rows
    follow each other in time.
    """

    label: str
    hint: str
    takes: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    is_pair: bool = False
    needs_order: bool = False


def _rows(label: str, meaning: str, default: list[int], minimum: int) -> Parameter:
    return Parameter(label, meaning, "integers", default, minimum, 1000)


STEPS: Final[Mapping[str, Step]] = {
    "lags": Step(
        N_("Earlier values"),
        N_("What the variable was some rows before: a cause that takes time to act."),
        NUMBERS,
        {"lags": _rows(N_("Rows back"), N_("As in: 1, 2, 5."), [1], 1)},
        needs_order=True,
    ),
    "rolling": Step(
        N_("Rolling statistics"),
        N_("Of the last rows, this one included: a state that builds up."),
        NUMBERS,
        {
            "windows": _rows(N_("Rows in the window"), N_("As in: 5, 60."), [5], 2),
            "statistics": Parameter(
                N_("Statistics"),
                N_("What to take of each window."),
                "choices",
                ["mean"],
                options={
                    "mean": N_("Mean"),
                    "std": N_("Standard deviation"),
                    "min": N_("Minimum"),
                    "max": N_("Maximum"),
                },
            ),
        },
        needs_order=True,
    ),
    "differences": Step(
        N_("Differences"),
        N_("How far the variable moved since some rows before."),
        NUMBERS,
        {"lags": _rows(N_("Rows back"), N_("As in: 1, 2, 5."), [1], 1)},
        needs_order=True,
    ),
    "calendar": Step(
        N_("Parts of dates"),
        N_("Hour, weekday or season, where they matter."),
        DATES,
        {
            "parts": Parameter(
                N_("Parts"),
                N_("What to take of each date."),
                "choices",
                ["hour", "weekday"],
                options={
                    "hour": N_("Hour"),
                    "weekday": N_("Weekday"),
                    "day": N_("Day of the month"),
                    "month": N_("Month"),
                    "quarter": N_("Quarter"),
                },
            )
        },
    ),
    "ratio": Step(
        N_("Ratio of two"),
        N_("The first over the second, as of flow and pressure."),
        NUMBERS,
        {},
        is_pair=True,
    ),
    "product": Step(
        N_("Product of two"),
        N_("As of speed and torque. Its importance is shared equally by both."),
        NUMBERS,
        {},
        is_pair=True,
    ),
    "polynomial": Step(
        N_("Powers"),
        N_("Lets straight-line algorithms follow curves."),
        NUMBERS,
        {
            "degree": Parameter(
                N_("Highest power"), N_("2 adds squares, 3 also cubes."), "integer", 2, 2, 4
            )
        },
    ),
    "transform": Step(
        N_("Transform"),
        N_("Draws values together that spread over many sizes."),
        NUMBERS,
        {
            "method": Parameter(
                N_("Method"),
                N_("The logarithm keeps the sign; Yeo-Johnson finds its own power."),
                "choice",
                "log",
                options={"log": N_("Logarithm"), "yeo_johnson": N_("Yeo-Johnson")},
            )
        },
    ),
    "imputation": Step(
        N_("Missing values"),
        N_("What stands in for them; else the median, and a mark."),
        NUMBERS,
        {
            "strategy": Parameter(
                N_("Stands in"),
                N_("A constant is given below."),
                "choice",
                "median",
                options={
                    "median": N_("Median"),
                    "most_frequent": N_("Most frequent"),
                    "constant": N_("Constant"),
                },
            ),
            "fill_value": Parameter(
                N_("Constant"), N_("For “constant” only."), "number", 0.0, -1e12, 1e12
            ),
            "indicator": Parameter(
                N_("Mark what was missing"), N_("That may tell something itself."), "flag", True
            ),
        },
    ),
    "encoding": Step(
        N_("Categories as numbers"),
        N_("Else one column for each category."),
        CATEGORIES,
        {
            "method": Parameter(
                N_("Method"),
                N_("By the target: the mean of other rows of the category, never of its own row."),
                "choice",
                "target",
                options={
                    "one_hot": N_("One column each"),
                    "ordinal": N_("Numbered"),
                    "target": N_("By the target"),
                },
            )
        },
    ),
}
