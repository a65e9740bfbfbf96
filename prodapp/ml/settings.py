"""What can be set for a run beside the algorithm: names, words, bounds for form, API, command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from prodapp.exceptions import N_


@dataclass(frozen=True)
class Setting:
    """A number: whole if ``is_integer``. ``default`` None means that it is found.

    ``label`` and ``meaning`` are templates, for people; ``part`` is where forms show it.
    """

    label: str
    meaning: str
    default: float | int | None
    minimum: float
    maximum: float
    is_integer: bool
    part: str


@dataclass(frozen=True)
class Choice:
    """One of several ways. ``label`` and ``hint`` are templates, for people."""

    label: str
    hint: str


#: How samples are held out.
VALIDATIONS: Final[Mapping[str, Choice]] = {
    "auto": Choice(
        N_("What fits the data"),
        N_("In time where a column tells it, by group where one has that role, else at random."),
    ),
    "shuffled": Choice(
        N_("Rows at random"),
        N_("Flatters where rows are like their neighbours: near-copies are on both sides."),
    ),
    "time": Choice(
        N_("The last in time"),
        N_("Learns from the past, with a gap, and is judged by what came after."),
    ),
    "group": Choice(
        N_("Whole groups"),
        N_("Batches, products or shifts that the model has never met."),
    ),
}

#: What a target of three or more classes becomes.
CLASSES: Final[Mapping[str, Choice]] = {
    "joint": Choice(
        N_("All together"),
        N_("One model answers with the probability of every class; up to 20 classes."),
    ),
    "one_vs_rest": Choice(
        N_("One against all others"),
        N_("The model knows the class that is explained, and the rest as one."),
    ),
}

#: How the hyperparameters that are not given are searched.
TUNINGS: Final[Mapping[str, Choice]] = {
    "none": Choice(N_("None"), N_("The settings as they are given.")),
    "halving": Choice(
        N_("Many quickly, the best thoroughly"),
        N_("All on few rows, the better third on three times as many, until all rows are used."),
    ),
    "random": Choice(N_("Some at random"), N_("As many combinations as said, drawn at random.")),
    "grid": Choice(
        N_("Every combination"), N_("Of all values worth trying, as far as the time budget goes.")
    ),
}

SETTINGS: Final[Mapping[str, Setting]] = {
    "test_size": Setting(
        N_("Share held out"),
        N_("The share of samples held out to judge by."),
        0.2,
        0.05,
        0.5,
        is_integer=False,
        part="validation",
    ),
    "n_folds": Setting(
        N_("Folds"),
        N_("The model is also judged in so many folds; empty: small models in three."),
        None,
        2,
        20,
        is_integer=True,
        part="validation",
    ),
    "gap_rows": Setting(
        N_("Rows in the gap"),
        N_("Left out between past and future; empty: as many as the target remembers."),
        None,
        0,
        1_000_000,
        is_integer=True,
        part="validation",
    ),
    "n_candidates": Setting(
        N_("Configurations tried"),
        N_("By a search that draws them."),
        20,
        2,
        500,
        is_integer=True,
        part="tuning",
    ),
    "time_budget_seconds": Setting(
        N_("Time budget in seconds"),
        N_("When it runs short, fewer samples are explained, then fewer trees grown."),
        600,
        1,
        86_400,
        is_integer=False,
        part="budget",
    ),
    "memory_budget_megabytes": Setting(
        N_("Memory budget in megabytes"),
        N_("For the model; when it is too small, trees learn from fewer samples each."),
        4000,
        10,
        1_000_000,
        is_integer=True,
        part="budget",
    ),
    "max_explained_samples": Setting(
        N_("Most samples explained"),
        N_("Fewer are taken once the order of the variables is clear."),
        4000,
        10,
        1_000_000,
        is_integer=True,
        part="budget",
    ),
    "random_state": Setting(
        N_("Seed of chance"),
        N_("The same number gives the same result."),
        0,
        0,
        2**32 - 1,
        is_integer=True,
        part="budget",
    ),
}
