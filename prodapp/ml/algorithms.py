"""What can be trained, and how it can be tuned: names, words and bounds, without the libraries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from prodapp.exceptions import N_


@dataclass(frozen=True)
class Hyperparameter:
    """The schema of one hyperparameter: whole numbers if ``is_integer``, else fractions too.

    ``label`` and ``meaning`` are templates, for people. None, where ``is_optional``, sets no limit.
    """

    label: str
    meaning: str
    default: float | int | None
    minimum: float
    maximum: float
    is_integer: bool
    is_optional: bool = False


@dataclass(frozen=True)
class Algorithm:
    """One way to learn. ``label`` and ``hint`` are templates, for people."""

    label: str
    hint: str
    hyperparameters: Mapping[str, Hyperparameter]


DEFAULT_ALGORITHM: Final = "random_forest"
#: Compares the candidates under one cross-validation, and takes the best.
AUTO: Final = "auto"
CANDIDATES: Final = ("random_forest", "extra_trees", "gradient_boosting", "ridge")
#: On a leaderboard: always answering the mean.
BASELINE: Final = "baseline"

_N_TREES: Final = Hyperparameter(
    N_("Trees"), N_("More are steadier and slower."), 100, 1, 2000, is_integer=True
)
_MAX_DEPTH: Final = Hyperparameter(
    N_("Greatest depth"),
    N_("Questions in a row that a tree may ask; empty: as many as it takes."),
    None,
    1,
    100,
    is_integer=True,
    is_optional=True,
)
_MIN_LEAF: Final = N_("Fewest rows in a leaf")
_MIN_LEAF_MEANING: Final = N_("More make the model coarser, and steadier where data are noisy.")
_MAX_FEATURES: Final = Hyperparameter(
    N_("Share of variables tried"),
    N_("At each split. Below 1, importance spreads over variables that go together."),
    1.0,
    0.01,
    1.0,
    is_integer=False,
)


def _min_leaf(default: int) -> Hyperparameter:
    return Hyperparameter(_MIN_LEAF, _MIN_LEAF_MEANING, default, 1, 10_000, is_integer=True)


# Leaves of 3 samples cost no accuracy that held-out data can see and halve the trees; all features
# are tried at each split, since trying a third of them spreads importance over correlated variables
# and reorders the top of the ranking.
_FOREST: Final = {
    "n_estimators": _N_TREES,
    "max_depth": _MAX_DEPTH,
    "min_samples_leaf": _min_leaf(3),
    "max_features": _MAX_FEATURES,
}

ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    "random_forest": Algorithm(
        N_("Random forest"),
        N_("Finds curved relations and interactions. Right for nearly everything."),
        _FOREST,
    ),
    "extra_trees": Algorithm(
        N_("Extra trees"),
        N_("A forest that splits at random: smoother, often as good, faster to fit."),
        _FOREST,
    ),
    "gradient_boosting": Algorithm(
        N_("Gradient boosting"),
        N_("Trees that correct each other. Often the most accurate from some thousand rows on."),
        {
            "max_iter": Hyperparameter(
                N_("Trees"),
                N_("With more, lower the learning rate."),
                200,
                1,
                2000,
                is_integer=True,
            ),
            "learning_rate": Hyperparameter(
                N_("Learning rate"),
                N_("How much each tree corrects the ones before."),
                0.1,
                0.001,
                1.0,
                is_integer=False,
            ),
            "max_leaf_nodes": Hyperparameter(
                N_("Most leaves in a tree"),
                N_("More follow finer detail, and noise."),
                31,
                2,
                1000,
                is_integer=True,
            ),
            "min_samples_leaf": _min_leaf(20),
            "l2_regularization": Hyperparameter(
                N_("Regularization"),
                N_("Pulls the values of leaves towards zero."),
                0.0,
                0.0,
                1000.0,
                is_integer=False,
            ),
        },
    ),
    "decision_tree": Algorithm(
        N_("Decision tree"),
        N_("One tree, to follow by eye. Less accurate, and changes with the data."),
        {"max_depth": _MAX_DEPTH, "min_samples_leaf": _min_leaf(10)},
    ),
    "linear_regression": Algorithm(
        N_("Linear regression"), N_("Straight relations only. For few rows, or to compare."), {}
    ),
    "ridge": Algorithm(
        N_("Ridge regression"),
        N_("Linear, steadier where variables go together."),
        {
            "alpha": Hyperparameter(
                N_("Penalty"),
                N_("Pulls coefficients towards zero; 0 is plain linear regression."),
                1.0,
                0.0,
                1_000_000.0,
                is_integer=False,
            )
        },
    ),
    "elastic_net": Algorithm(
        N_("Lasso and elastic net"),
        N_("Linear, and leaves out variables that add little. Finds its penalty by itself."),
        {
            "l1_ratio": Hyperparameter(
                N_("Share of lasso"),
                N_("1 leaves out the most variables."),
                0.5,
                0.05,
                1.0,
                is_integer=False,
            )
        },
    ),
    AUTO: Algorithm(
        N_("Best of several"),
        N_("Compares four algorithms on the same folds and takes the best. Takes longer."),
        {},
    ),
}
