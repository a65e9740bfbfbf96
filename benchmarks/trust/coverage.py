"""``make ranks``: intervals of ranks on simulated tables, against the true ranks of their shape.

First the truth of each shape is measured (``--sets`` training sets), then its tables are judged.
Both are kept line by line, so a long form may be ended and taken up. Seeds from 1,000,000 on are
kept for the last word: nothing is tuned on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.trust.resumable import carried_out, options_of, publish, wanted_of
from benchmarks.trust.scoring import Mean, Rate
from benchmarks.trust.shapes import SHAPES
from benchmarks.trust.trial import ranked, simulated_table
from benchmarks.trust.truths import Truth, measured, truth_of

#: True importances of this ratio at least must not be put in the wrong order with confidence.
_CLEARLY_APART: Final = 1.5
_FAR_APART: Final = 2.0
_TOP: Final = 5


@dataclass(frozen=True)
class Score:
    """One shape. ``covered``: tables on which every interval holds a rank that its variable may
    have; ``met``: intervals that do; ``inverted`` and ``apart``: of the pairs of acting variables
    that are clearly or far apart by their true mean |SHAP|; ``apart_by_share``: far apart by the
    share T of the variance, which is less, for it is of squares. ``width``: ranks in the intervals
    of the truly five strongest.
    """

    shape: str
    truth: Truth
    n_tables: int
    covered: Rate
    met: Rate
    inverted: Rate
    apart: Rate
    apart_by_share: Rate
    width: Mean
    seconds: float


def score(
    shape: str,
    truth: Truth,
    sizes: Mapping[str, float],
    shares: Mapping[str, float],
    results: Sequence[dict[str, Any]],
) -> Score:
    """The score of one shape; ``sizes`` are true mean |SHAP|, by name, where these are known, and
    ``shares`` the T of the same variables."""
    met = [
        [_meets(interval, truth.admissible(name)) for name, interval in result["ranks"].items()]
        for result in results
    ]
    strongest = sorted(truth.importances, key=lambda name: -truth.importances[name])[:_TOP]
    widths = [
        sum(last - first + 1 for first, last in map(result["ranks"].__getitem__, strongest)) / _TOP
        for result in results
    ]
    return Score(
        shape=shape,
        truth=truth,
        n_tables=len(results),
        covered=Rate.of(all(table) for table in met),
        met=Rate.of(is_met for table in met for is_met in table),
        inverted=Rate.of(
            _is_above(result, weaker, stronger)
            for result in results
            for stronger, weaker in _pairs(sizes, _CLEARLY_APART)
        ),
        apart=Rate.of(
            _is_above(result, stronger, weaker)
            for result in results
            for stronger, weaker in _pairs(sizes, _FAR_APART)
        ),
        apart_by_share=Rate.of(
            _is_above(result, stronger, weaker)
            for result in results
            for stronger, weaker in _pairs(shares, _FAR_APART)
        ),
        width=Mean.of(widths),
        seconds=sum(result["seconds"] for result in results) / max(len(results), 1),
    )


def table(scores: Sequence[Score]) -> str:
    """The scorecard, in Markdown."""
    lines = [
        "| shape | tables | all intervals hold a true rank | each interval | inverted, of 1.5 "
        "times | told apart, of twice | the same by T | ranks wide, top 5 | seconds "
        "| truth: sets, error |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {s.shape} | {s.n_tables} | {s.covered} | {s.met} | {s.inverted} | {s.apart} "
        f"| {s.apart_by_share} | {s.width} | {s.seconds:.1f} "
        f"| {s.truth.n_sets}, {s.truth.error:.1%} |"
        for s in scores
    ]
    return "\n".join(lines)


def _meets(interval: Sequence[int], admissible: tuple[int, int]) -> bool:
    return interval[0] <= admissible[1] and admissible[0] <= interval[1]


def _pairs(sizes: Mapping[str, float], ratio: float) -> Iterator[tuple[str, str]]:
    yield from ((a, b) for a in sizes for b in sizes if a != b and sizes[a] >= ratio * sizes[b])


def _is_above(result: dict[str, Any], upper: str, lower: str) -> bool:
    return bool(result["ranks"][upper][1] < result["ranks"][lower][0])


def main() -> None:
    parser = options_of("benchmarks.trust.coverage", __doc__, list(SHAPES), n_rows=1_000)
    parser.add_argument("--sets", type=int, default=200, help="training sets behind each truth")
    options = parser.parse_args()
    folder, n_rows = options.results, options.rows
    learned = carried_out(
        measured,
        [(shape, n_rows, number) for number in range(options.sets) for shape in options.only],
        folder / f"truths-{n_rows}.jsonl",
        n_jobs=options.jobs,
    )
    path = folder / f"ranks-{n_rows}.jsonl"
    results = carried_out(ranked, wanted_of(options), path, n_jobs=options.jobs)
    scores = []
    for shape in options.only:
        simulated = simulated_table((shape, n_rows, 0))
        scores.append(
            score(
                shape,
                truth_of([result for result in learned if result["key"][0] == shape]),
                simulated.sizes,
                {name: simulated.shares[name] for name in simulated.sizes},
                [result for result in results if result["key"][0] == shape],
            )
        )
    publish(table(scores), folder / f"ranks-{n_rows}.md")


if __name__ == "__main__":
    main()
