"""Pictures of a version: each with its finding as one sentence, its data, and its drawing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from prodapp.exceptions import DomainError, N_, NotFound
from prodapp.formatting import decimal, integer, plain_number
from prodapp.i18n import gettext as _
from prodapp.models import ModelVersion, VariableRanking
from prodapp.ranking.sentences import direction, scale, subject
from prodapp.storage import storage
from prodapp.versions.plot import XyPlot, xy_plot

#: More samples than this are not told apart in a drawing: some are taken at even distances.
MAX_DOTS: Final = 500
N_DEPENDENCES: Final = 4
#: A trend of the errors counts where chance would make one as strong once in a hundred times.
_ALPHA: Final = 0.01
_MIN_EFFECTIVE: Final = 5

Row = tuple[float | str, ...]


@dataclass(frozen=True)
class Picture:
    """``key`` names it in addresses; ``rows`` under ``headers`` are what is drawn."""

    key: str
    title: str
    finding: str
    x_title: str
    y_title: str
    plot: XyPlot
    headers: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class _Samples:
    """Held-out samples in the order of time, if they are in one."""

    actual: list[float]
    predicted: list[float]
    is_ordered: bool

    @property
    def residuals(self) -> list[float]:
        pairs = zip(self.actual, self.predicted, strict=True)
        return [actual - predicted for actual, predicted in pairs]


def pictures(version: ModelVersion) -> list[Picture]:
    """All that can be drawn of ``version``, in the caller's language."""
    samples = _samples(version)
    found = [_predicted(version, samples), _residuals(version, samples)]
    if samples.is_ordered:
        found.append(_residuals_over_time(samples))
    if version.evidence.get("validation"):
        found.append(_folds(version))
    drawn = [item for item in version.ranking if len(item.dependence) > 1][:N_DEPENDENCES]
    return found + [_dependence(version, item) for item in drawn]


def picture_of(version: ModelVersion, key: str) -> Picture:
    """One of :func:`pictures`. Raises :class:`NotFound`."""
    for picture in pictures(version):
        if picture.key == key:
            return picture
    raise NotFound(N_("There is no picture %(key)s of this version."), key=key)


def _samples(version: ModelVersion) -> _Samples:
    """The kept file of held-out samples; of versions without one, the pairs in the row."""
    # NumPy takes long to import: only where it is needed.
    from prodapp.ml.held_out import load_held_out

    pairs = version.evidence["held_out"]
    plain = _Samples([p[0] for p in pairs], [p[1] for p in pairs], is_ordered=False)
    if version.held_out_key is None:
        return plain
    try:
        with storage().open(version.held_out_key) as file:
            kept = load_held_out(file.read())
    except DomainError:  # lost or damaged, which flask doctor tells; the pairs are left
        return plain
    step = max(1, -(-len(kept.rows) // MAX_DOTS))
    return _Samples(kept.actual[::step].tolist(), kept.predicted[::step].tolist(), kept.is_ordered)


def _predicted(version: ModelVersion, samples: _Samples) -> Picture:
    misses = sorted(abs(residual) for residual in samples.residuals)
    rows = tuple(zip(samples.actual, samples.predicted, strict=True))
    return Picture(
        key="predicted",
        title=_("Predicted against actual"),
        finding=_(
            "Half of the held-out samples are missed by less than %(half)s, nine of ten by less "
            "than %(most)s.",
            half=plain_number(misses[len(misses) // 2]),
            most=plain_number(misses[min(len(misses) - 1, int(0.9 * len(misses)))]),
        ),
        x_title=_("Actual %(target)s", target=subject(version)),
        y_title=_("Predicted"),
        plot=xy_plot(rows, is_diagonal=True),
        headers=(_("Actual"), _("Predicted")),
        rows=rows,
    )


def _residuals(version: ModelVersion, samples: _Samples) -> Picture:
    rows = tuple(zip(samples.predicted, samples.residuals, strict=True))
    trend = _trend(samples.predicted, [abs(residual) for residual in samples.residuals])
    if trend is None:
        finding = _("Errors are about as large for low predictions as for high ones.")
    elif trend > 0:
        finding = _("Errors grow with the prediction: trust high predictions less.")
    else:
        finding = _("Errors shrink as the prediction grows: trust low predictions less.")
    return Picture(
        key="residuals",
        title=_("Errors against the prediction"),
        finding=finding,
        x_title=_("Predicted %(target)s", target=subject(version)),
        y_title=_("Actual − predicted"),
        plot=xy_plot(rows, level=0.0),
        headers=(_("Predicted"), _("Actual − predicted")),
        rows=rows,
    )


def _residuals_over_time(samples: _Samples) -> Picture:
    places = [float(place) for place in range(1, len(samples.actual) + 1)]
    rows = tuple(zip(places, samples.residuals, strict=True))
    trend = _trend(places, samples.residuals)
    if trend is None:
        finding = _("In the order of the rows the errors show no trend.")
    elif trend > 0:
        finding = _("Towards the end the model predicts too little: something has moved since.")
    else:
        finding = _("Towards the end the model predicts too much: something has moved since.")
    return Picture(
        key="residuals-over-time",
        title=_("Errors in the order of the rows"),
        finding=finding,
        x_title=_("Held-out sample, the earliest first"),
        y_title=_("Actual − predicted"),
        plot=xy_plot(rows, level=0.0),
        headers=(_("Held-out sample"), _("Actual − predicted")),
        rows=rows,
    )


def _folds(version: ModelVersion) -> Picture:
    scores = [fold["r2"] for fold in version.evidence["validation"]["folds"]]
    rows = tuple((float(number), score) for number, score in enumerate(scores, start=1))
    return Picture(
        key="folds",
        title=_("Score by fold, R²"),
        finding=_(
            "Of %(n)s folds the weakest reaches R² %(low)s, the best %(high)s.",
            n=integer(len(scores)),
            low=decimal(min(scores)),
            high=decimal(max(scores)),
        ),
        x_title=_("Fold"),
        y_title="R²",
        plot=xy_plot(rows, level=0.0),
        headers=(_("Fold"), "R²"),
        rows=rows,
    )


def _dependence(version: ModelVersion, item: VariableRanking) -> Picture:
    rows = tuple((float(value), float(effect)) for value, effect in item.dependence)
    lowest, highest = (find(rows, key=lambda row: row[1]) for find in _ENDS)
    return Picture(
        key=f"dependence-{item.rank}",
        title=_("What %(variable)s does", variable=item.feature),
        finding=_(
            "%(direction)s Its part lies between %(low)s (at %(at_low)s) and %(high)s (at "
            "%(at_high)s).",
            direction=direction(item, target=subject(version)),
            low=plain_number(lowest[1]),
            at_low=plain_number(lowest[0]),
            high=plain_number(highest[1]),
            at_high=plain_number(highest[0]),
        ),
        x_title=item.feature,
        y_title=_("Part in %(target)s", target=scale(version)),
        plot=xy_plot(rows, line=rows, level=0.0),
        headers=(item.feature, _("Part in %(target)s", target=scale(version))),
        rows=rows,
    )


_ENDS: Final[tuple[Callable[..., Any], ...]] = (min, max)


def _trend(along: Sequence[float], values: Sequence[float]) -> float | None:
    """The rank correlation, where it is beyond chance.

    Neighbours that go together beyond the trend itself count as one sample
    (:func:`~prodapp.ml.validation.correlation_length`): in a series a plain test would find a trend
    in every wave.
    """
    import numpy as np
    from scipy import stats

    from prodapp.ml.validation import correlation_length

    if len(set(along)) < 2 or len(set(values)) < 2:
        return None
    places, ranks = (stats.zscore(stats.rankdata(each)) for each in (along, values))
    found = float(np.mean(places * ranks))
    n = len(values) / correlation_length(ranks - found * places)
    if n < _MIN_EFFECTIVE:
        return None
    t = abs(found) * np.sqrt((n - 2) / max(1e-12, 1 - found**2))
    return found if 2 * stats.t.sf(t, n - 2) < _ALPHA else None
