"""All compiled loops at once: a job must find them ready."""

from __future__ import annotations

from prodapp.ml import growing, treeshap
from prodapp.ml.serving import forest
from prodapp.ml.trust import swapping


def warm_up() -> None:
    """Compile every kernel for its types and leave it in numba's cache; nothing without numba."""
    if treeshap.is_available():
        for module in (treeshap, forest, swapping, growing):
            module.warm_up()


if __name__ == "__main__":
    warm_up()
