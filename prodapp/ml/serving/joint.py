"""What the probabilities of several classes were worth on held-out samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from prodapp.ml.class_codes import NOT_LEARNED
from prodapp.ml.serving.calibration import ClassCalibration, Scores, calibrate_classes

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True)
class ClassShare:
    """The ``probability`` of a class; the share of the class among held-out samples of like
    probability lay between ``low`` and ``high`` (None: too few of them to tell). ``is_possible``:
    it cannot be excluded at the level (None: likewise)."""

    label: str
    probability: float
    low: float | None
    high: float | None
    is_possible: bool | None


@dataclass(frozen=True)
class JointCalibration:
    """Of each class (``labels``) the shares by probability. ``scores`` are 1 − the probability that
    was given to what each sample really was (split conformal sets; Sadinle et al. 2019)."""

    labels: tuple[str, ...]
    classes: tuple[ClassCalibration, ...]
    scores: Scores

    def shares(self, probabilities: FloatArray, *, level: float) -> tuple[ClassShare, ...]:
        """Every class of one answer, the likeliest first."""
        limit = self.scores.limit(level)
        found = []
        for label, made, given in zip(
            self.labels, self.classes, probabilities.tolist(), strict=True
        ):
            low, high = made.interval(given, level=level) or (None, None)
            is_possible = None if limit is None else 1 - given <= limit
            found.append(ClassShare(label, given, low, high, is_possible))
        return tuple(sorted(found, key=lambda share: (-share.probability, share.label)))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> JointCalibration:
        scores = document["scores"]
        return cls(
            labels=tuple(document["labels"]),
            classes=tuple(ClassCalibration.from_json(item) for item in document["classes"]),
            scores=Scores(tuple(scores["kept"]), scores["n"]),
        )


def calibrate_joint(
    labels: Sequence[str], codes: IntArray, probabilities: FloatArray
) -> JointCalibration:
    """From held-out samples: their classes and the probabilities (samples, classes) of all."""
    given = np.where(
        codes == NOT_LEARNED, 0.0, probabilities[np.arange(len(codes)), np.maximum(codes, 0)]
    )
    classes = [
        calibrate_classes((codes == code).astype(np.float64), probabilities[:, code])
        for code in range(len(labels))
    ]
    nothing = Scores((), 0)  # the classes exclude each other, so that one set of scores does
    bare = (ClassCalibration(made.edges, made.counts, made.hits, nothing) for made in classes)
    return JointCalibration(tuple(labels), tuple(bare), Scores.of(1 - given))
