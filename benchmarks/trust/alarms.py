"""``make alarms``: how often each alarm rings on tables with its defect, and on those without.

Each table is a line of the results file, so a long form (``--tables 1000``) may be ended and taken
up. The unit is a table: an alarm is false if it rings on one without its defect.
"""

# ruff: noqa: N806  (X and y are the field's names)

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.trust.defects import BESIDE, CASES
from benchmarks.trust.resumable import Key, carried_out, options_of, publish, wanted_of
from benchmarks.trust.scoring import Rate
from prodapp.ml.columns import describe_column
from prodapp.ml.cross_validation import cross_validate
from prodapp.ml.estimators import build_pipeline
from prodapp.ml.fitting import fit_pipeline, predict
from prodapp.ml.judging import judge
from prodapp.ml.samples import gather_samples
from prodapp.ml.specification import Specification
from prodapp.ml.trust.alarms import find_alarms
from prodapp.ml.trust.segments import sign_flips

KINDS = {"f": "number", "M": "date"}


def ring(key: Key) -> dict[str, Any]:
    """The codes that ring on one table."""
    name, n_rows, seed = key
    case = CASES[name](n_rows, np.random.default_rng((seed, 20_262)))
    frame = case.frame
    columns = [
        describe_column(frame[n], name=n, kind=KINDS.get(frame[n].dtype.kind, "category"))
        for n in frame.columns
    ]
    spec = Specification(target="y", hyperparameters={"n_estimators": 30}, **case.specification)
    samples = gather_samples(frame, columns, spec)
    how: dict[str, Any] = {"n_jobs": 1, "on_share": lambda _: None}
    X, y, plan = samples.X_train, samples.y_train, samples.learning_plan
    pipeline = build_pipeline(spec, samples.columns, n_samples=len(y), n_jobs=1)
    fit_pipeline(pipeline, X, y, on_share=lambda _: None)
    names = [column.name for column in samples.columns]
    flips = sign_flips(
        *(samples.parts, samples.X, samples.y, samples.columns, names),
        is_ordered=samples.plan.scheme != "shuffled",
    )
    alarms = find_alarms(
        samples,
        metrics=judge(samples, predict(pipeline, samples.X_test, **how), random_state=0),
        gap=cross_validate(spec, samples.columns, X, y, plan, **how).gap,
        strongest=names,
        flips=flips,
    )
    codes = sorted({alarm.code for alarm in alarms})
    return {"key": list(key), "code": case.code, "rung": codes}


def score(results: list[dict[str, Any]]) -> str:
    """Hit and false rates by case and by code, in Markdown."""
    lines = ["| case | must ring | found | rings falsely |", "|---|---|--:|---|"]
    for name in CASES:
        mine = [result for result in results if result["key"][0] == name]
        if not mine:
            continue
        code = mine[0]["code"]
        hits = Rate(sum(code in r["rung"] for r in mine), len(mine)) if code else "–"
        allowed = {code, *BESIDE.get(name, ())}
        others = [other for r in mine for other in r["rung"] if other not in allowed]
        false = ", ".join(f"{c} {others.count(c)}" for c in sorted(set(others))) or "none"
        lines.append(f"| {name} | {code or '–'} | {hits} | {false} |")
    lines += ["", "| alarm | found | false |", "|---|--:|--:|"]
    for code in sorted({r["code"] for r in results if r["code"]}):
        having = [r for r in results if r["code"] == code]
        lacking = [
            r for r in results if r["code"] != code and code not in BESIDE.get(r["key"][0], ())
        ]
        found, false_ones = (
            Rate(sum(code in r["rung"] for r in part), len(part)) for part in (having, lacking)
        )
        lines.append(f"| {code} | {found} | {false_ones} |")
    return "\n".join(lines)


def main() -> None:
    options = options_of("benchmarks.trust.alarms", __doc__, list(CASES), n_rows=500).parse_args()
    path = options.results / f"alarms-{options.rows}.jsonl"
    results = carried_out(ring, wanted_of(options), path, n_jobs=options.jobs)
    publish(score(results), options.results / f"alarms-{options.rows}.md")


if __name__ == "__main__":
    main()
