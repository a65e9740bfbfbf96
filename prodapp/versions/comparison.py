"""Two versions of a machine side by side: figures, specification, ranking, and who is better."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from prodapp.auth.objects import version_of
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, DomainError, N_
from prodapp.models import ModelVersion
from prodapp.ranking.trust import Trust, trust
from prodapp.storage import storage
from prodapp.versions.changes import Change, changes

FIGURES: Final = ("r2", "mae", "rmse", "skill", "mape")
CLASS_FIGURES: Final = ("roc_auc", "balanced_accuracy", "f1", "log_loss")

OTHER_TARGETS: Final = N_("They explain different targets, so neither is better than the other.")
NOT_KEPT: Final = N_(
    "An earlier release made one of them and did not keep its held-out samples. Train it again to "
    "compare the two."
)
OTHER_DATA: Final = N_(
    "They were trained on different data and share no held-out samples; when the later one was "
    "made, another version was in use. Train both on the same data to compare them."
)
TOO_FEW: Final = N_("They share only %(n)d held-out samples, too few to tell.")


@dataclass(frozen=True)
class Figure:
    """One figure of both, each with the ends of its interval; ``None`` where it has none."""

    name: str
    first: float | None
    first_interval: tuple[float, float] | None
    second: float | None
    second_interval: tuple[float, float] | None


@dataclass(frozen=True)
class Difference:
    """One entry of the specification that is not the same; values as JSON, ``None``: not there."""

    name: str
    first: str | None
    second: str | None


@dataclass(frozen=True)
class Place:
    """A variable's rank in a version, the ranks that are possible, and what is said of it."""

    rank: int
    low: int | None
    high: int | None
    verdict: str | None
    direction: str


@dataclass(frozen=True)
class Moved:
    """A variable in both rankings. ``is_beyond`` says that its possible ranks do not meet, ``None``
    where that was not judged in both."""

    feature: str
    first: Place | None
    second: Place | None

    @property
    def is_beyond(self) -> bool | None:
        places = (self.first, self.second)
        ranges = [(p.low, p.high) for p in places if p is not None]
        if len(ranges) < 2 or None in ranges[0] or None in ranges[1]:
            return None
        (low, high), (other_low, other_high) = ranges
        return bool(other_low > high or other_high < low)  # type: ignore[operator]


@dataclass(frozen=True)
class Comparison:
    """``duel`` (the fields of :class:`prodapp.ml.duel.Duel`) sets the second as the challenger
    against the first; without one, ``reason`` (a template filled from ``params``) says why.
    ``changes`` is None where what they say of the variables cannot be compared."""

    first: ModelVersion
    second: ModelVersion
    figures: tuple[Figure, ...]
    differences: tuple[Difference, ...]
    ranking: tuple[Moved, ...]
    changes: tuple[Change, ...] | None
    duel: dict[str, Any] | None
    reason: str
    params: dict[str, Any]


def compare(caller: Caller, first_id: int, second_id: int) -> Comparison:
    """Set two versions side by side.

    Raises :class:`NotFound`, and :class:`Conflict` where they are of different machines.
    """
    first, second = version_of(caller, first_id), version_of(caller, second_id)
    if first.machine_id != second.machine_id:
        raise Conflict(N_("These versions are of different machines."), code="other_machine")
    found, reason, params = None, "", {}
    try:
        found = _duel(first, second)
    except DomainError as error:
        reason, params = error.message, error.params
    return Comparison(
        first=first,
        second=second,
        figures=tuple(_figures(first, second)),
        differences=tuple(_differences(first, second)),
        ranking=tuple(_ranking(first, second)),
        changes=changes(first, second),
        duel=found,
        reason=reason,
        params=params,
    )


def _figures(first: ModelVersion, second: ModelVersion) -> Iterator[Figure]:
    documents = [(first.metrics, second.metrics)]
    documents += [(a.get("classes") or {}, b.get("classes") or {}) for a, b in documents]
    for (mine, theirs), names in zip(documents, (FIGURES, CLASS_FIGURES), strict=True):
        for name in names:
            values = (mine.get(name), theirs.get(name))
            if values != (None, None):
                yield Figure(name, values[0], _ends(mine, name), values[1], _ends(theirs, name))


def _ends(metrics: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    interval = metrics.get(f"{name}_interval")
    return None if interval is None else (interval["low"], interval["high"])


def _differences(first: ModelVersion, second: ModelVersion) -> Iterator[Difference]:
    mine, theirs = _specification(first), _specification(second)
    for name in dict.fromkeys((*mine, *theirs)):
        if mine.get(name) != theirs.get(name):
            yield Difference(name, mine.get(name), theirs.get(name))


def _specification(version: ModelVersion) -> dict[str, str]:
    """What a version was made of as a flat list; hyperparameters as they were in the end."""
    said = {**version.specification, "algorithm": version.evidence.get("algorithm")}
    said["hyperparameters"] = version.evidence.get("hyperparameters", {})
    said["dataset"] = version.dataset.filename
    said["rows_left_out"] = version.run.exclusions or []
    said["samples"] = version.metrics["n_train"] + version.metrics["n_test"]
    said["libraries"] = version.library_versions
    return dict(_flat(said))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, str):
            yield prefix + name, value
        elif value is not None:
            yield prefix + name, json.dumps(value, ensure_ascii=False)


def _ranking(first: ModelVersion, second: ModelVersion) -> Iterator[Moved]:
    mine, theirs = ({item.feature: item for item in v.ranking} for v in (first, second))
    for feature in dict.fromkeys((*theirs, *mine)):
        yield Moved(feature, _place(mine.get(feature)), _place(theirs.get(feature)))


def _place(item: Any) -> Place | None:
    if item is None:
        return None
    judged: Trust | None = trust(item)
    if judged is None:
        return Place(item.rank, None, None, None, item.effect)
    return Place(item.rank, judged.rank_low, judged.rank_high, judged.verdict, item.effect)


def _duel(first: ModelVersion, second: ModelVersion) -> dict[str, Any]:
    """The paired test on shared held-out samples, else the one made when the later was trained."""
    targets = [(v.target, v.evidence.get("target_class")) for v in (first, second)]
    if targets[0] != targets[1]:
        raise Conflict(OTHER_TARGETS)
    is_same_table = _is_same_table(first, second)
    if is_same_table and first.held_out_key and second.held_out_key:
        return _tested(first.held_out_key, second.held_out_key)
    kept = _kept(first, second) or _turned(_kept(second, first))
    if kept is None:
        raise Conflict(NOT_KEPT if is_same_table else OTHER_DATA)
    return kept


def _tested(first_key: str, second_key: str) -> dict[str, Any]:
    # NumPy and SciPy take long to import: only where they are needed.
    from prodapp.ml.duel import duel
    from prodapp.ml.held_out import load_held_out, shared

    both = []
    for key in (first_key, second_key):
        with storage().open(key) as file:
            both.append(load_held_out(file.read()))
    mine, theirs = shared(*both)
    found = duel(
        mine.actual,
        mine.predicted,
        theirs.predicted,
        groups=mine.groups,
        is_ordered=mine.is_ordered,
    )
    if found is None:
        raise Conflict(TOO_FEW, n=len(mine.rows))
    return asdict(found) | {"is_better": found.is_better, "is_worse": found.is_worse}


def _is_same_table(first: ModelVersion, second: ModelVersion) -> bool:
    tables = [(v.dataset.table_key, v.run.exclusions or []) for v in (first, second)]
    return tables[0] == tables[1]


def _kept(champion: ModelVersion, challenger: ModelVersion) -> dict[str, Any] | None:
    """What came out when ``challenger`` was made, if ``champion`` was in use then."""
    trial = (challenger.promotion or {}).get("trial")
    if trial is None or trial["champion_id"] != champion.id:
        return None
    found: dict[str, Any] | None = trial["duel"]
    return found


def _turned(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """The same duel seen from the other side."""
    if found is None:
        return None
    turned = {**found, "gain": -found["gain"], "low": -found["high"], "high": -found["low"]}
    turned |= {"is_better": found["is_worse"], "is_worse": found["is_better"]}
    for name in ("rmse", "mae"):
        turned[f"champion_{name}"] = found[f"challenger_{name}"]
        turned[f"challenger_{name}"] = found[f"champion_{name}"]
    return turned
