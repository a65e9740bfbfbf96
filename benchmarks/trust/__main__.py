"""``make trust``: verdicts on simulated tables, scored against their truth.

Each judged table is a line of the results file; what is there already is not judged again, so a
long form may be ended and taken up. Seeds from 1,000,000 on are kept for the last word: nothing is
tuned on them.
"""

from __future__ import annotations

from benchmarks.trust.resumable import carried_out, options_of, publish, wanted_of
from benchmarks.trust.scoring import score, table
from benchmarks.trust.shapes import SHAPES
from benchmarks.trust.trial import judged


def main() -> None:
    options = options_of("benchmarks.trust", __doc__, list(SHAPES), n_rows=1_000).parse_args()
    folder, n_rows = options.results, options.rows
    path = folder / f"verdicts-{n_rows}.jsonl"
    results = carried_out(judged, wanted_of(options), path, n_jobs=options.jobs)
    scores = [score(shape, [r for r in results if r["key"][0] == shape]) for shape in options.only]
    publish(table(scores), folder / f"verdicts-{n_rows}.md")


if __name__ == "__main__":
    main()
