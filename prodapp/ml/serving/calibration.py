"""How far answers were from the truth on held-out samples → intervals for new answers.

Split conformal prediction (Papadopoulos et al. 2002; Lei et al. 2018): the model learned nothing
from the held-out samples, so their errors and that of a new sample are exchangeable, and the k-th
smallest of n errors, k = ⌈(n + 1) · level⌉, is exceeded with a probability of at most 1 − level.
Errors are divided by a difficulty first, where that makes intervals narrower on the whole: the
spread between the trees of a forest, or a line in the answer (dear houses err by more dollars).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import stats

FloatArray = npt.NDArray[np.float64]

LEVEL: Final = 0.9
#: Of more held-out samples only so many of their ordered errors are kept.
_MAX_SCORES: Final = 1_000
#: A difficulty must narrow the intervals by this share, else none is used.
_WORTH: Final = 0.05
#: The difficulty is fitted on the held-out samples themselves, so there must be some.
_MIN_FOR_LINE: Final = 60
#: A spread between trees counts from this share of its median on.
_SPREAD_FLOOR: Final = 0.5
_MIN_BIN: Final = 30
_MAX_BINS: Final = 10


@dataclass(frozen=True)
class Scores:
    """Errors of ``n`` held-out samples in rising order; of many only some ranks are kept."""

    kept: tuple[float, ...]
    n: int

    @classmethod
    def of(cls, errors: FloatArray) -> Scores:
        ordered = np.sort(errors)
        n = len(ordered)
        if n > _MAX_SCORES:
            ranks = -(-np.arange(1, _MAX_SCORES + 1) * n // _MAX_SCORES)
            ordered = ordered[ranks - 1]
        return cls(tuple(ordered.tolist()), n)

    def limit(self, level: float) -> float | None:
        """The error that a new sample exceeds with probability 1 − ``level`` at most.

        ``None`` where there are too few samples to say.
        """
        rank = math.ceil((self.n + 1) * level - 1e-9)
        if rank > self.n or not self.kept:
            return None
        return self.kept[-(-rank * len(self.kept) // self.n) - 1]

    @property
    def highest_level(self) -> float:
        """The largest level that so many samples allow."""
        return self.n / (self.n + 1)


@dataclass(frozen=True)
class Calibration:
    """Intervals of a number.

    ``difficulty``: "none"; "spread": max(spread between trees, ``floor``); "level":
    max(``intercept`` + ``slope`` · answer, ``floor``). ``lowest`` and ``highest`` bound intervals
    where the target never lay beyond zero.
    """

    scores: Scores
    difficulty: str
    floor: float
    intercept: float
    slope: float
    lowest: float | None
    highest: float | None

    def intervals(
        self, answers: FloatArray, spreads: FloatArray, *, level: float
    ) -> tuple[FloatArray, FloatArray]:
        """The intervals of many answers; NaN where too few samples were held out."""
        limit = self.scores.limit(level)
        reach = (np.nan if limit is None else limit) * self._difficulties(answers, spreads)
        return self._clipped(answers - reach), self._clipped(answers + reach)

    def interval(self, answer: float, spread: float, *, level: float) -> tuple[float, float] | None:
        """The interval of one answer; ``None`` where too few samples were held out."""
        limit = self.scores.limit(level)
        if limit is None:
            return None
        if self.difficulty == "spread":
            limit *= max(spread, self.floor)
        elif self.difficulty == "level":
            limit *= max(self.intercept + self.slope * answer, self.floor)
        bounds = self._clipped(np.array([answer - limit, answer + limit]))
        return float(bounds[0]), float(bounds[1])

    def _clipped(self, bounds: FloatArray) -> FloatArray:
        """Bounds of intervals, none beyond a zero that the target never crossed."""
        return np.clip(
            bounds,
            -np.inf if self.lowest is None else self.lowest,
            np.inf if self.highest is None else self.highest,
        )

    def _difficulties(self, answers: FloatArray, spreads: FloatArray) -> FloatArray:
        if self.difficulty == "spread":
            return np.maximum(spreads, self.floor)
        if self.difficulty == "level":
            return np.maximum(self.intercept + self.slope * answers, self.floor)
        return np.ones(len(answers))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Calibration:
        return cls(**{**document, "scores": _scores(document["scores"])})


def calibrate(
    actual: FloatArray,
    answers: FloatArray,
    spreads: FloatArray | None,
    *,
    learned: FloatArray,
    level: float = LEVEL,
) -> Calibration:
    """Intervals from held-out samples: their targets, answers, and spreads between trees.

    ``learned`` are the targets of the training samples.
    """
    errors = np.abs(actual - answers)
    candidates = [("none", 0.0, 0.0, 0.0, np.ones(len(errors)))]
    if spreads is not None and len(spreads) and np.median(spreads) > 0:
        floor = _SPREAD_FLOOR * float(np.median(spreads))
        candidates.append(("spread", floor, 0.0, 0.0, np.maximum(spreads, floor)))
    line = _line(answers, errors)
    if line is not None:
        candidates.append(("level", *line))
    narrowest, chosen = np.inf, candidates[0]
    for candidate in candidates:
        difficulties = candidate[4]
        limit = Scores.of(errors / difficulties).limit(level)
        width = np.inf if limit is None else limit * float(difficulties.mean())
        if width < narrowest * (1 - _WORTH if candidate[0] != "none" else 1):
            narrowest, chosen = width, candidate
    name, floor, intercept, slope, difficulties = chosen
    seen = np.concatenate([learned, actual])
    return Calibration(
        scores=Scores.of(errors / difficulties),
        difficulty=name,
        floor=floor,
        intercept=intercept,
        slope=slope,
        lowest=0.0 if len(seen) and seen.min() >= 0 else None,
        highest=0.0 if len(seen) and seen.max() <= 0 else None,
    )


def _line(answers: FloatArray, errors: FloatArray) -> tuple[float, float, float, FloatArray] | None:
    """Floor, intercept and slope of the error in the answer, and the difficulty of each sample.

    That of a sample is by the line of the other half, else its own error would make room for it.
    """
    if len(errors) < _MIN_FOR_LINE or np.ptp(answers) == 0:
        return None
    floor = 0.25 * float(errors.mean())
    if floor == 0:
        return None
    difficulties = np.empty(len(errors))
    halves = np.arange(len(errors)) % 2 == 0
    for half in (halves, ~halves):
        slope, intercept = np.polyfit(answers[~half], errors[~half], 1)
        difficulties[half] = np.maximum(intercept + slope * answers[half], floor)
    slope, intercept = np.polyfit(answers, errors, 1)
    return floor, float(intercept), float(slope), difficulties


@dataclass(frozen=True)
class ClassCalibration:
    """What probabilities of a class were worth on held-out samples.

    Samples stand in bins of like probability, ``edges`` between them; ``counts`` and ``hits`` are
    their samples and those of the class. ``scores`` are 1 − the probability given to what each
    sample really was.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    hits: tuple[int, ...]
    scores: Scores

    def interval(self, probability: float, *, level: float) -> tuple[float, float] | None:
        """The share of the class among samples of like probability (Wilson's interval)."""
        if not self.counts:
            return None
        place = int(np.searchsorted(self.edges, probability, side="right"))
        n, z = self.counts[place], float(stats.norm.ppf((1 + level) / 2))
        share = self.hits[place] / n
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)

    def possible(self, probability: float, *, level: float) -> tuple[bool, bool] | None:
        """Whether the class, and whether another, cannot be excluded at this level."""
        limit = self.scores.limit(level)
        if limit is None:
            return None
        return 1 - probability <= limit, probability <= limit

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ClassCalibration:
        return cls(
            tuple(document["edges"]),
            tuple(document["counts"]),
            tuple(document["hits"]),
            _scores(document["scores"]),
        )


def calibrate_classes(is_class: FloatArray, probabilities: FloatArray) -> ClassCalibration:
    """What probabilities were worth, from held-out samples (``is_class`` is 1 or 0)."""
    n_bins = min(_MAX_BINS, len(probabilities) // _MIN_BIN)
    if n_bins == 0:
        return ClassCalibration((), (), (), Scores.of(1 - _given(is_class, probabilities)))
    edges = np.unique(np.quantile(probabilities, np.arange(1, n_bins) / n_bins))
    places = np.searchsorted(edges, probabilities, side="right")
    counts = np.bincount(places, minlength=len(edges) + 1)
    hits = np.bincount(places, weights=is_class, minlength=len(edges) + 1)
    kept = counts > 0
    # An edge below which no sample lies parts nothing.
    solid = [edge for edge, is_kept in zip(edges, kept[:-1], strict=True) if is_kept]
    if len(kept) and not kept[-1] and solid:
        solid.pop()
    return ClassCalibration(
        tuple(float(edge) for edge in solid),
        tuple(counts[kept].tolist()),
        tuple(int(n) for n in hits[kept]),
        Scores.of(1 - _given(is_class, probabilities)),
    )


def _given(is_class: FloatArray, probabilities: FloatArray) -> FloatArray:
    """The probability given to what each sample really was."""
    return np.where(is_class > 0, probabilities, 1 - probabilities)


def _scores(document: Mapping[str, Any]) -> Scores:
    kept: Sequence[float] = document["kept"]
    return Scores(tuple(kept), document["n"])
