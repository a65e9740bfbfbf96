"""What can be trained: names, words and hyperparameters, without loading the libraries."""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from prodapp.exceptions import FieldError, N_
from prodapp.ml import hyperparameters as tuned
from prodapp.ml.hyperparameters import Schemas


@dataclass(frozen=True)
class Package:
    """A package that may be missing, and the shared library in it that may not load."""

    module: str
    library: str


@dataclass(frozen=True)
class Algorithm:
    """One way to learn. ``label`` and ``hint`` are templates, for people."""

    label: str
    hint: str
    hyperparameters: Schemas = field(default_factory=dict)
    package: Package | None = None

    @property
    def is_available(self) -> bool:
        """Whether what it needs is installed here, with the system's libraries."""
        return self.package is None or _loads(self.package)

    @property
    def obstacle(self) -> FieldError | None:
        """Why it is not available, where it is not."""
        if self.package is None or self.is_available:
            return None
        return FieldError("/algorithm", NOT_AVAILABLE, {"module": self.package.module})


DEFAULT_ALGORITHM: Final = "random_forest"
#: Compares the candidates under one cross-validation, and takes the best.
AUTO: Final = "auto"
CANDIDATES: Final = ("random_forest", "extra_trees", "gradient_boosting", "xgboost", "ridge")
#: On a leaderboard: always answering the mean.
BASELINE: Final = "baseline"

NOT_AVAILABLE: Final = N_(
    "Not available here: the package %(module)s is not installed, or it lacks a library of the "
    "system (libgomp on Linux, libomp on macOS)."
)

ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    "random_forest": Algorithm(
        N_("Random forest"),
        N_("Finds curved relations and interactions. Right for nearly everything."),
        tuned.FOREST,
    ),
    "extra_trees": Algorithm(
        N_("Extra trees"),
        N_("A forest that splits at random: smoother, often as good, faster to fit."),
        tuned.FOREST,
    ),
    "gradient_boosting": Algorithm(
        N_("Gradient boosting"),
        N_("Trees that correct each other. Often the most accurate from some thousand rows on."),
        tuned.GRADIENT_BOOSTING,
    ),
    "xgboost": Algorithm(
        N_("XGBoost"),
        N_("Gradient boosting by another library, with more to tune."),
        tuned.XGBOOST,
        Package("xgboost", "libxgboost.*"),
    ),
    "lightgbm": Algorithm(
        N_("LightGBM"),
        N_("Gradient boosting that grows each tree where it helps most. Fast on many rows."),
        tuned.LIGHTGBM,
        Package("lightgbm", "lib_lightgbm.*"),
    ),
    "decision_tree": Algorithm(
        N_("Decision tree"),
        N_("One tree, to follow by eye. Less accurate, and changes with the data."),
        tuned.DECISION_TREE,
    ),
    "linear_regression": Algorithm(
        N_("Linear regression"), N_("Straight relations only. For few rows, or to compare.")
    ),
    "ridge": Algorithm(
        N_("Ridge regression"), N_("Linear, steadier where variables go together."), tuned.RIDGE
    ),
    "elastic_net": Algorithm(
        N_("Lasso and elastic net"),
        N_("Linear, and leaves out variables that add little. Finds its penalty by itself."),
        tuned.ELASTIC_NET,
    ),
    "k_neighbors": Algorithm(
        N_("Nearest neighbours"),
        N_("The mean of the rows most alike. For few variables; its SHAP values are estimates."),
        tuned.NEIGHBORS,
    ),
    "support_vectors": Algorithm(
        N_("Support vectors"),
        N_("Smooth curves through few rows; slow on many. Its SHAP values are estimates."),
        tuned.SUPPORT_VECTORS,
    ),
    "neural_network": Algorithm(
        N_("Neural network"),
        N_("Smooth relations from many rows. Its SHAP values are estimates."),
        tuned.NEURAL_NETWORK,
    ),
    AUTO: Algorithm(
        N_("Best of several"),
        N_("Compares several algorithms on the same folds and takes the best. Takes longer."),
    ),
}


@cache
def _loads(package: Package) -> bool:
    """Load nothing but the shared library: what is missing shows, and no package is imported."""
    found = importlib.util.find_spec(package.module)
    if found is None or found.origin is None:
        return False
    # A package of the system keeps its library elsewhere; then its presence has to do.
    for path in sorted(Path(found.origin).parent.rglob(package.library)):
        try:
            ctypes.CDLL(str(path))
        except OSError:
            return False
    return True


def optional_modules() -> tuple[str, ...]:
    """The packages of algorithms that are available here, to import before work begins."""
    packages = [item.package for item in ALGORITHMS.values() if item.is_available]
    return tuple(package.module for package in packages if package is not None)
