"""What each algorithm can be tuned by: words, bounds, and the values worth searching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from prodapp.exceptions import N_

Value = float | int | None


@dataclass(frozen=True)
class Hyperparameter:
    """The schema of one hyperparameter: whole numbers if ``is_integer``, else fractions too.

    ``label`` and ``meaning`` are templates, for people. None, where ``is_optional``, sets no limit
    or leaves the choice to the algorithm. ``search`` are the values that tuning tries, in order.
    """

    label: str
    meaning: str
    default: Value
    minimum: float
    maximum: float
    is_integer: bool
    is_optional: bool = False
    search: tuple[Value, ...] = ()


Schemas = Mapping[str, Hyperparameter]

_LEARNING_RATE: Final = Hyperparameter(
    N_("Learning rate"),
    N_("How much each tree corrects the ones before."),
    0.1,
    0.001,
    1.0,
    is_integer=False,
    search=(0.03, 0.05, 0.1, 0.2),
)
_MAX_DEPTH: Final = Hyperparameter(
    N_("Greatest depth"),
    N_("Questions in a row that a tree may ask; empty: as many as it takes."),
    None,
    1,
    100,
    is_integer=True,
    is_optional=True,
    search=(None, 5, 10, 20),
)


def _n_trees(meaning: str, default: int, search: tuple[int, ...] = ()) -> Hyperparameter:
    return Hyperparameter(N_("Trees"), meaning, default, 1, 2000, is_integer=True, search=search)


_N_BOOSTED: Final = _n_trees(N_("With more, lower the learning rate."), 200, (100, 200, 400))


def _min_leaf(default: int, search: tuple[int, ...]) -> Hyperparameter:
    return Hyperparameter(
        N_("Fewest rows in a leaf"),
        N_("More make the model coarser, and steadier where data are noisy."),
        default,
        1,
        10_000,
        is_integer=True,
        search=search,
    )


def _max_leaves(default: int) -> Hyperparameter:
    return Hyperparameter(
        N_("Most leaves in a tree"),
        N_("More follow finer detail, and noise."),
        default,
        2,
        1000,
        is_integer=True,
        search=(7, 15, 31, 63),
    )


def _share_of_variables(meaning: str, search: tuple[float, ...]) -> Hyperparameter:
    label = N_("Share of variables tried")
    return Hyperparameter(label, meaning, 1.0, 0.01, 1.0, is_integer=False, search=search)


def _regularization(default: float, search: tuple[float, ...]) -> Hyperparameter:
    return Hyperparameter(
        N_("Regularization"),
        N_("Pulls the values of leaves towards zero."),
        default,
        0.0,
        1000.0,
        is_integer=False,
        search=search,
    )


_PER_TREE: Final = N_("In each tree. Below 1, importance spreads over variables that go together.")

# Leaves of 3 samples cost no accuracy that held-out data can see and halve the trees; all features
# are tried at each split, since trying a third of them spreads importance over correlated variables
# and reorders the top of the ranking.
FOREST: Final[Schemas] = {
    "n_estimators": _n_trees(N_("More are steadier and slower."), 100),
    "max_depth": _MAX_DEPTH,
    "min_samples_leaf": _min_leaf(3, (1, 3, 5, 10, 20)),
    "max_features": _share_of_variables(
        N_("At each split. Below 1, importance spreads over variables that go together."),
        (0.33, 0.5, 1.0),
    ),
}

GRADIENT_BOOSTING: Final[Schemas] = {
    "max_iter": _N_BOOSTED,
    "learning_rate": _LEARNING_RATE,
    "max_leaf_nodes": _max_leaves(31),
    "min_samples_leaf": _min_leaf(20, (5, 10, 20, 50)),
    "l2_regularization": _regularization(0.0, (0.0, 1.0, 10.0)),
}

XGBOOST: Final[Schemas] = {
    "n_estimators": _N_BOOSTED,
    "learning_rate": _LEARNING_RATE,
    "max_depth": Hyperparameter(
        N_("Greatest depth"),
        N_("Questions in a row that a tree may ask."),
        6,
        1,
        20,
        is_integer=True,
        search=(3, 4, 6, 8),
    ),
    "min_child_weight": Hyperparameter(
        N_("Least weight of a leaf"),
        N_("In rows, for a target of numbers. More are steadier where data are noisy."),
        1.0,
        0.0,
        10_000.0,
        is_integer=False,
        search=(1.0, 3.0, 10.0),
    ),
    "colsample_bytree": _share_of_variables(_PER_TREE, (0.5, 0.8, 1.0)),
    "reg_lambda": _regularization(1.0, (0.1, 1.0, 10.0)),
}

LIGHTGBM: Final[Schemas] = {
    "n_estimators": _N_BOOSTED,
    "learning_rate": _LEARNING_RATE,
    "num_leaves": _max_leaves(31),
    "min_child_samples": _min_leaf(20, (5, 10, 20, 50)),
    "colsample_bytree": _share_of_variables(_PER_TREE, (0.5, 0.8, 1.0)),
    "reg_lambda": _regularization(0.0, (0.0, 1.0, 10.0)),
}

DECISION_TREE: Final[Schemas] = {
    "max_depth": _MAX_DEPTH,
    "min_samples_leaf": _min_leaf(10, (3, 5, 10, 20, 50)),
}

RIDGE: Final[Schemas] = {
    "alpha": Hyperparameter(
        N_("Penalty"),
        N_("Pulls coefficients towards zero; 0 is plain linear regression."),
        1.0,
        0.0,
        1_000_000.0,
        is_integer=False,
        search=(0.01, 0.1, 1.0, 10.0, 100.0, 1000.0),
    )
}

ELASTIC_NET: Final[Schemas] = {
    "l1_ratio": Hyperparameter(
        N_("Share of lasso"),
        N_("1 leaves out the most variables."),
        0.5,
        0.05,
        1.0,
        is_integer=False,
        search=(0.1, 0.5, 0.9, 1.0),
    )
}

NEIGHBORS: Final[Schemas] = {
    "n_neighbors": Hyperparameter(
        N_("Neighbours"),
        N_("More make the answer smoother."),
        10,
        1,
        1000,
        is_integer=True,
        search=(3, 5, 10, 20, 40),
    ),
    "p": Hyperparameter(
        N_("Distance"),
        N_("1 adds up the differences of all variables; 2 is the straight line."),
        2,
        1,
        2,
        is_integer=True,
        search=(1, 2),
    ),
}

SUPPORT_VECTORS: Final[Schemas] = {
    "C": Hyperparameter(
        N_("Cost of errors"),
        N_("More follow finer detail, and noise."),
        1.0,
        0.001,
        10_000.0,
        is_integer=False,
        search=(0.1, 1.0, 10.0, 100.0),
    ),
    "gamma": Hyperparameter(
        N_("Narrowness"),
        N_("How near a row must be to count; empty: from the spread of the variables."),
        None,
        0.00001,
        100.0,
        is_integer=False,
        is_optional=True,
        search=(None, 0.01, 0.1),
    ),
}

NEURAL_NETWORK: Final[Schemas] = {
    "n_layers": Hyperparameter(
        N_("Layers"), N_("Hidden ones."), 2, 1, 4, is_integer=True, search=(1, 2)
    ),
    "n_units": Hyperparameter(
        N_("Units in a layer"),
        N_("More follow finer detail, and noise."),
        50,
        1,
        500,
        is_integer=True,
        search=(20, 50, 100),
    ),
    "alpha": Hyperparameter(
        N_("Penalty"),
        N_("Pulls weights towards zero."),
        0.001,
        0.0,
        1_000.0,
        is_integer=False,
        search=(0.0001, 0.001, 0.01, 0.1),
    ),
}
