"""How loops are compiled for numbers; importing this imports numba, which takes a second.

numba compiles a cached function anew when the file it stands in has changed, and looks at no other:
what a cached function calls stands in the same file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numba

#: ``_nrt`` is not among the options that its types know.
_njit: Final[Any] = numba.njit
_OPTIONS: Final[dict[str, Any]] = {"nogil": True, "error_model": "numpy"}

Compile = Callable[[Callable[..., Any]], Any]


def inner(**options: Any) -> Compile:
    """For functions that allocate nothing: counting references to slices of arrays (atomic
    operations) would take several times as long as their work."""
    return lambda function: _njit(function, _nrt=False, **_OPTIONS, **options)


def outer(**options: Any) -> Compile:
    """For functions called from Python: from numba's cache where there is a place for one."""

    def compiled(function: Callable[..., Any]) -> Any:
        try:
            return _njit(function, cache=True, **_OPTIONS, **options)
        except RuntimeError:  # numba: no place for a cache
            return _njit(function, **_OPTIONS, **options)

    return compiled
