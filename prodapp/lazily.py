"""Libraries that take long to load, loaded when they are first used.

Web, dispatcher and command line begin in a second and stay small, since most of what they do needs
no tables: modules that they import name these libraries by way of this one, and packages whose
functions need them hand these out by :func:`attributes_of`. Unlike ``importlib.util.LazyLoader``
this is safe where two threads come first.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow.parquet as pq
else:

    class _Lazy(ModuleType):
        """Stands for the module of its name."""

        def __getattr__(self, name: str) -> Any:
            return getattr(import_module(self.__name__), name)

    pd, pq = _Lazy("pandas"), _Lazy("pyarrow.parquet")

__all__ = ["attributes_of", "pd", "pq"]


def attributes_of(module: str) -> Callable[[str], Any]:
    """A package's ``__getattr__`` (PEP 562) that hands out the public names of ``module``."""

    def find(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(import_module(module), name)

    return find
