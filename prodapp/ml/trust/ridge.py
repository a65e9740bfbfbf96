"""Ridge regressions on the functions of one basis but for some, and a few more: factorised once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

#: Penalties tried, as shares of the largest eigenvalue of the basis' Gram matrix.
_PENALTIES: Final = np.logspace(-7, 0, 15)
_LEAST_ROOM: Final = 1e-3


class Ridge:
    """Ridge regression on a basis, the penalty by generalized cross-validation (Golub, Heath &
    Wahba 1979).

    ``Z`` (rows, functions) has centred columns; ``gram`` is Z′Z where it is known already.
    """

    def __init__(self, Z: FloatArray, gram: FloatArray | None = None) -> None:
        self._Z = Z
        eigenvalues, vectors = np.linalg.eigh(Z.T @ Z if gram is None else gram)
        self._eigenvalues: FloatArray = np.maximum(eigenvalues, 0.0)
        self._vectors: FloatArray = vectors

    @property
    def penalties(self) -> FloatArray:
        """The penalties tried; none where the basis is all zero."""
        largest = self._eigenvalues[-1] if len(self._eigenvalues) else 0.0
        return _PENALTIES * largest if largest > 0 else np.zeros(0)

    def fitted(
        self,
        targets: FloatArray,
        *,
        without: IntArray | None = None,
        further: FloatArray | None = None,
    ) -> FloatArray:
        """The fitted values (rows, targets) of each column of ``targets``, of one penalty for all.

        As if the basis had no functions ``without`` (positions), but ``further`` ones (rows, more;
        centred). Both are constraints of a small system beside the spectrum of the whole basis: a
        function that is left out is one whose coefficient must be 0, which its multiplier sees to.
        """
        means = targets.mean(axis=0)
        penalties = self.penalties
        if not len(penalties):
            return np.broadcast_to(means, targets.shape).copy()
        out = np.zeros(0, dtype=np.intp) if without is None else without
        more = targets[:, :0] if further is None else further
        system = self._system(targets - means, out, more)
        weights = 1 / (self._eigenvalues + penalties[:, np.newaxis])
        inverses = system.inverses(weights, penalties)
        solved = system.solve(weights, inverses)
        scores = system.scores(weights, penalties, inverses, solved, n_rows=len(targets))
        best = int(np.argmin(scores))
        beside = solved[best]
        coefficients = self._vectors @ (
            weights[best][:, np.newaxis] * (system.projected - system.beside @ beside)
        )
        coefficients[out] = 0.0
        fitted: FloatArray = means + self._Z @ coefficients + more @ beside[len(out) :]
        return fitted

    def _system(self, centred: FloatArray, out: IntArray, more: FloatArray) -> _System:
        n_more = more.shape[1]
        both = self._Z.T @ np.hstack([more, centred])
        both[out] = 0.0
        in_spectrum = self._vectors.T @ both
        return _System(
            beside=np.hstack([self._vectors[out].T, in_spectrum[:, :n_more]]),
            projected=in_spectrum[:, n_more:],
            n_out=len(out),
            gram=more.T @ more,
            targets=more.T @ centred,
            total=float((centred**2).sum()),
        )


@dataclass(frozen=True)
class _System:
    """One regression in the spectrum of the whole basis: ``beside`` (spectrum, constraints) holds
    the functions left out, then the products of the basis with further ones; ``projected``
    (spectrum, targets); ``gram`` and ``targets`` are the further functions' own."""

    beside: FloatArray
    projected: FloatArray
    n_out: int
    gram: FloatArray
    targets: FloatArray
    total: float

    def inverses(self, weights: FloatArray, penalties: FloatArray) -> FloatArray:
        """(penalties, constraints, constraints): those of the small systems."""
        matrices = _weighted(self.beside, weights, self.beside)
        own = slice(self.n_out, None)
        matrices[:, own, own] -= self.gram
        matrices[:, own, own] -= penalties[:, np.newaxis, np.newaxis] * np.eye(len(self.gram))
        return np.asarray(np.linalg.inv(matrices), dtype=np.float64)

    def solve(self, weights: FloatArray, inverses: FloatArray) -> FloatArray:
        """(penalties, constraints, targets): multipliers of what is left out, then coefficients."""
        right = _weighted(self.beside, weights, self.projected)
        right[:, self.n_out :] -= self.targets
        found: FloatArray = inverses @ right
        return found

    def scores(
        self,
        weights: FloatArray,
        penalties: FloatArray,
        inverses: FloatArray,
        solved: FloatArray,
        *,
        n_rows: int,
    ) -> FloatArray:
        """The generalized cross-validation of each penalty: the smaller the better."""
        of_beside = _weighted(self.beside, weights**2, self.beside)
        traces = weights.sum(axis=1) - (inverses * of_beside.transpose(0, 2, 1)).sum(axis=(1, 2))
        own = slice(self.n_out, None)
        traces -= np.trace(inverses[:, own, own], axis1=1, axis2=2)
        n_functions = len(self.projected) - self.n_out + len(self.gram)
        freedom = n_functions - penalties * traces
        left = self.projected - self.beside @ solved
        coefficients = weights[:, :, np.newaxis] * left
        products = (self.projected * coefficients).sum(axis=(1, 2))
        products += (self.targets * solved[:, own]).sum(axis=(1, 2))
        sizes = (coefficients**2).sum(axis=(1, 2)) + (solved[:, own] ** 2).sum(axis=(1, 2))
        # |c − Zb|² where (Z′Z + penalty) b = Z′c.
        errors = np.maximum(self.total - products - penalties * sizes, 0.0)
        room = np.maximum(1 - (freedom + 1) / n_rows, _LEAST_ROOM)
        found: FloatArray = errors / room**2
        return found


def _weighted(a: FloatArray, weights: FloatArray, b: FloatArray) -> FloatArray:
    """a′ diag(w) b for each row w of ``weights``."""
    return (a.T * weights[:, np.newaxis, :]) @ b
