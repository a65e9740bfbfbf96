"""A target of several classes as codes, for one model that answers with the probability of each.

Code 1 is the class that is explained and code 0 the commonest of the others, so that of any such
target, as of one with two classes, "it is of the class" is ``code == 1``, and its probability is
the second that a classifier tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.exceptions import N_
from prodapp.ml.classes import MIN_OF_A_CLASS, as_text
from prodapp.ml.table import Remark

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

#: A target of more classes is explained one against the rest.
MAX_CLASSES: Final = 20
#: The code of the class that is explained.
EXPLAINED: Final = 1
#: The code of samples whose class is too rare to be learned.
NOT_LEARNED: Final = -1


@dataclass(frozen=True)
class ClassCodes:
    """``labels`` by code; ``codes`` of samples (samples,); ``rare`` are classes that are not
    learned, with their training samples."""

    labels: tuple[str, ...]
    codes: IntArray
    rare: tuple[tuple[str, int], ...]

    def remarks(self, column: str) -> list[Remark]:
        """What a reader should know of classes that are not learned."""
        if not self.rare:
            return []
        message = N_(
            "Classes of “%(column)s” with fewer than %(limit)d rows to learn from are not learned: "
            "%(names)s. Held-out rows of them count as errors."
        )
        names = ", ".join(f"“{name}” ({n})" for name, n in self.rare)
        params = {"column": column, "limit": 2 * MIN_OF_A_CLASS, "names": names}
        return [Remark("rare_classes", "warning", message, params, column=column)]


def code_classes(values: pd.Series, explained: str, train_rows: IntArray) -> ClassCodes | None:
    """The codes of the samples whose target is ``values``, none of them missing.

    None where one model of all classes makes no sense: fewer than three that have enough training
    samples (those at ``train_rows``), or more than :data:`MAX_CLASSES`.
    """
    texts = as_text(values).reset_index(drop=True)
    if texts.nunique() > MAX_CLASSES:
        return None
    counts = texts.iloc[train_rows].value_counts(sort=False).sort_index()
    counts = counts.sort_values(ascending=False, kind="stable")
    is_kept = counts >= 2 * MIN_OF_A_CLASS
    others = [name for name in counts.index[is_kept] if name != explained]
    if len(others) < 2 or not is_kept.get(explained, default=False):
        return None
    labels = (others[0], explained, *others[1:])
    numbers = {name: code for code, name in enumerate(labels)}
    learned = set(labels)
    rare = {name: int(counts.get(name, 0)) for name in sorted(set(texts) - learned)}
    codes = texts.map(numbers).fillna(NOT_LEARNED).to_numpy(dtype=np.intp)
    return ClassCodes(labels, codes, tuple(rare.items()))


def is_explained(codes: FloatArray) -> FloatArray:
    """1 for samples of the explained class, 0 for others."""
    found: FloatArray = (codes == EXPLAINED).astype(np.float64)
    return found


def lacks_a_class(codes: FloatArray) -> bool:
    """Whether there is too little of the explained class, or of the commonest other, to learn
    from: blocks of time may be all of one."""
    return bool(min((codes == EXPLAINED).sum(), (codes == 0).sum()) < MIN_OF_A_CLASS)


def learnable(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which samples a classifier can learn from: parts of the data may hold one or two samples of
    a class, of which some algorithms make nothing but an error."""
    counts = np.bincount(codes)
    enough: npt.NDArray[np.bool_] = (counts >= MIN_OF_A_CLASS)[codes]
    return enough | (codes <= EXPLAINED)
