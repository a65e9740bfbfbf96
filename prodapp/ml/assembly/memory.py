"""What is remembered of a machine's columns, and how a new file differs from it."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from prodapp.exceptions import N_
from prodapp.lazily import pd
from prodapp.ml.table import Column

#: How alike two names must be to be called one renamed.
_SAME_NAME: Final = 0.8
#: A column has shifted when its middle lies this many spreads beyond what was seen.
_FAR: Final = 1.0


@dataclass(frozen=True)
class Remembered:
    """One column of a machine: what it is, and where its values lay (1, 50 and 99 %)."""

    name: str
    kind: str
    unit: str | None = None
    low: float | None = None
    middle: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Difference:
    """One way in which a new file differs; ``message`` is a template filled from ``params``.

    ``code``: "missing", "new", "renamed", "retyped", "scaled" or "shifted". ``other`` is the
    remembered name of a renamed column. ``remedy`` holds overrides that read the file as before.
    """

    code: str
    severity: str
    column: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    other: str | None = None
    remedy: Mapping[str, str] = field(default_factory=dict)


def remember(frame: pd.DataFrame, columns: Sequence[Column]) -> tuple[Remembered, ...]:
    """What to keep of a table; ``dataclasses.asdict`` of each can be written as JSON."""
    found = []
    for column in columns:
        low = middle = high = None
        if column.kind == "number":
            values = frame[column.name].to_numpy(dtype=np.float64)
            if np.isfinite(values).any():
                low, middle, high = (
                    float(value) for value in np.nanquantile(values, (0.01, 0.5, 0.99))
                )
        found.append(Remembered(column.name, column.kind, column.unit, low, middle, high))
    return tuple(found)


def remembered_from(documents: Iterable[Mapping[str, Any]]) -> tuple[Remembered, ...]:
    """Back from the documents that were kept."""
    return tuple(Remembered(**document) for document in documents)


def compare(
    remembered: Sequence[Remembered],
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    overrides: Mapping[str, str] | None = None,
) -> tuple[Difference, ...]:
    """How a new table differs from what is remembered, in the order: names, kinds, values.

    ``overrides`` are the choices by which the table was read; remedies build on them.
    """
    overrides = overrides or {}
    now = {
        column.name: item for column, item in zip(columns, remember(frame, columns), strict=True)
    }
    before = {item.name: item for item in remembered}
    missing = [name for name in before if name not in now]
    new = [name for name in now if name not in before]
    renamed = _renamed([before[name] for name in missing], [now[name] for name in new])
    found: list[Difference] = []
    for name in missing:
        if name in renamed:
            message = N_("“%(old)s” seems to be called “%(column)s” now.")
            params = {"old": name, "column": renamed[name]}
            remedy = {f"name:{renamed[name]}": name}
            found.append(
                Difference("renamed", "warning", renamed[name], message, params, name, remedy)
            )
        else:
            message = N_("“%(column)s” is missing in this file.")
            found.append(Difference("missing", "warning", name, message, {"column": name}))
    for name in new:
        if name not in renamed.values():
            message = N_("“%(column)s” was not in earlier files.")
            found.append(Difference("new", "info", name, message, {"column": name}))
    pairs = [(before[name], now[name]) for name in before if name in now]
    pairs += [(before[old], now[name]) for old, name in renamed.items()]
    for old, new_one in pairs:
        difference = _retyped(old, new_one) or _moved(
            old, new_one, factor=float(overrides.get(f"factor:{new_one.name}", 1.0))
        )
        found.extend([] if difference is None else [difference])
    return tuple(found)


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


def _renamed(missing: list[Remembered], new: list[Remembered]) -> dict[str, str]:
    """Old name → new name of columns that are the same but for the spelling; the likest first."""
    scored = []
    for old in missing:
        for candidate in new:
            likeness = difflib.SequenceMatcher(
                None, _plain(old.name), _plain(candidate.name)
            ).ratio()
            if old.kind == candidate.kind and likeness >= _SAME_NAME and _fits(old, candidate):
                scored.append((likeness, old.name, candidate.name))
    found: dict[str, str] = {}
    for _, old_name, new_name in sorted(scored, reverse=True):
        if old_name not in found and new_name not in found.values():
            found[old_name] = new_name
    return found


def _fits(old: Remembered, new: Remembered) -> bool:
    """Whether the values could be the same variable's: T1 and T2 have alike names."""
    if _plain(old.name) == _plain(new.name):
        return True
    digits = ["".join(filter(str.isdigit, name)) for name in (old.name, new.name)]
    if digits[0] != digits[1]:
        return False
    return _moved(old, new) is None


def _retyped(old: Remembered, new: Remembered) -> Difference | None:
    kinds = {old.kind, new.kind}
    if old.kind == new.kind or "empty" in kinds or kinds <= {"category", "boolean", "text"}:
        return None
    message = N_("“%(column)s” was of kind %(old)s and is of kind %(new)s in this file.")
    params = {"column": new.name, "old": old.kind, "new": new.kind}
    kind = "category" if old.kind == "boolean" else old.kind
    return Difference(
        "retyped", "warning", new.name, message, params, remedy={f"kind:{new.name}": kind}
    )


def _moved(old: Remembered, new: Remembered, *, factor: float = 1.0) -> Difference | None:
    """Values far from those seen: by a power of ten (another unit, a lost mark) or otherwise.

    ``factor`` is what the new ones were multiplied by already.
    """
    if old.low is None or old.middle is None or old.high is None or new.middle is None:
        return None
    spread = max(old.high - old.low, 0.01 * abs(old.middle), 1e-12)
    beyond = max(old.low - new.middle, new.middle - old.high)
    if beyond <= _FAR * spread:
        return None
    params: dict[str, Any] = {
        "column": new.name,
        "middle": new.middle,
        "low": old.low,
        "high": old.high,
    }
    ratio = new.middle / old.middle if old.middle else 0.0
    power = round(np.log10(ratio)) if ratio > 0 else 0
    if power and old.low <= new.middle / 10.0**power <= old.high:
        message = N_(
            "The values of “%(column)s” are %(factor)g times those seen before: another unit, or "
            "decimal marks read otherwise?"
        )
        params["factor"] = 10.0**power
        remedy = {f"factor:{new.name}": f"{factor / 10.0**power:g}"}
        return Difference("scaled", "warning", new.name, message, params, remedy=remedy)
    message = N_(
        "The values of “%(column)s” lie around %(middle)g; before, they lay from %(low)g to "
        "%(high)g."
    )
    return Difference("shifted", "warning", new.name, message, params)
