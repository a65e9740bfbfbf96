"""What a trained model and its data tell beside the ranking: alarms, parts of the production."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prodapp.ml.attribution import Attribution
from prodapp.ml.cross_validation import Gap
from prodapp.ml.ranking import VariableImportance
from prodapp.ml.samples import Samples
from prodapp.ml.trust.alarms import Alarm, find_alarms
from prodapp.ml.trust.segments import Segmentation, rank_segments, sign_flips
from prodapp.ml.validation import Metrics


@dataclass(frozen=True)
class Findings:
    """``alarms``, the gravest first; ``segments`` hold the ranking in each part of the samples."""

    alarms: tuple[Alarm, ...]
    segments: tuple[Segmentation, ...]


def find(
    samples: Samples,
    *,
    metrics: Metrics,
    gap: Gap,
    ranking: Sequence[VariableImportance],
    attribution: Attribution,
) -> Findings:
    """The findings on one trained model."""
    strongest = [item.feature for item in ranking]
    names = [column.name for column in samples.columns]
    flips = sign_flips(
        samples.parts,
        samples.X[names],
        samples.y,
        samples.columns,
        strongest,
        is_ordered=samples.plan.scheme != "shuffled",
    )
    segments = rank_segments(
        samples.parts,
        names,
        samples.test_rows[attribution.rows],
        attribution.values,
        time_column=samples.time_column,
    )
    alarms = find_alarms(samples, metrics=metrics, gap=gap, strongest=strongest, flips=flips)
    return Findings(alarms, segments)
