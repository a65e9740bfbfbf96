"""What the soak would say of a program that leaks, and of one that does not."""

from __future__ import annotations

import random
from typing import Any

import pytest

from benchmarks.soak.client import id_in, multipart
from benchmarks.soak.figures import Raw, latencies, trend
from benchmarks.soak.people import VERSION
from benchmarks.soak.plot import plot
from benchmarks.soak.report import write_report
from benchmarks.soak.tables import make_table
from prodapp.ml.intake import preview_table

HOUR = 3600.0


def made_raw(*, growth: float, hours: float = 2.0, **more: Any) -> Raw:
    """Samples of a web process of 200 MiB with noise, that grows by ``growth`` an hour."""
    rng = random.Random(7)
    samples = []
    for second in range(0, int(hours * HOUR), 5):
        level = 200 * (1 + growth * second / HOUR) + rng.gauss(0, 2)
        process = {"role": "web", "pid": 1, "cpu": 9.0, "files": 20, "threads": 9}
        process |= {"own_mib": level, "uss_mib": level, "pss_mib": level}
        samples.append(
            {
                "at": second,
                "load": 1.0,
                "processes": [process],
                "database_mib": 1.0,
                "files_mib": 2.0,
                "queue_mib": 0.1,
                "logs_mib": 0.1,
            }
        )
    requests = [
        {"at": n, "kind": "page", "milliseconds": 10.0 + n % 7, "status": 200, "error": ""}
        for n in range(1000)
    ]
    meta = {"begun": "", "commit": "", "machine": "", "users": {"readers": 1}, "nice": 0}
    return Raw(meta, samples, requests, **more)


@pytest.mark.parametrize(
    ("growth", "verdict"), [(0.0, "flat"), (-0.05, "flat"), (0.05, "grows"), (0.2, "grows")]
)
def test_growth_is_told_from_noise(growth: float, verdict: str) -> None:
    found = trend(made_raw(growth=growth), "web")
    assert found is not None
    assert found.verdict == verdict
    # The level is the median of the last 80 %, in the middle of which growth has gone on for 1.2 h.
    assert found.slope == pytest.approx(growth / (1 + 1.2 * growth), abs=0.005)


def test_a_short_soak_gives_no_verdict_on_memory() -> None:
    found = trend(made_raw(growth=0.5, hours=0.2), "web")
    assert found is not None
    assert found.verdict == "too short to tell"


def test_one_lost_run_and_one_error_in_a_thousand_are_told(tmp_path: Any) -> None:
    account = {"n_acknowledged": 3, "states": {"1": "succeeded", "2": "canceled"}}
    raw = made_raw(growth=0.0, account={**account, "n_canceled_unasked": 0})
    raw.requests[500]["error"] = "GET answered 500"
    text = write_report(raw, tmp_path).read_text()
    assert "| errors below 0.1% | 1 of 1000 requests (0.100%) | **no** |" in text
    assert "3 acknowledged: 1 succeeded, 1 canceled; 1 lost | **no** |" in text
    assert "| memory flat after the warm-up | steepest: web," in text


def test_times_are_by_kind_and_count_errors() -> None:
    requests = [
        {"kind": "page", "milliseconds": value, "error": "broken" if value > 98 else ""}
        for value in range(101)
    ]
    (found,) = latencies(requests)
    assert (found.n, found.n_errors, found.p50, found.p95, found.longest) == (101, 2, 50, 95, 100)


def test_picture_is_drawn_with_every_panel() -> None:
    picture = plot(made_raw(growth=0.1))
    assert picture.count('class="title"') == 8
    assert "nan" not in picture


def test_made_tables_can_be_read_as_people_bring_them() -> None:
    for seed in range(6):
        name, content = make_table(random.Random(seed))
        names = [
            column.name
            for column in preview_table(content, filename=name, is_complete=True).columns
        ]
        assert names[-2:] == ["yield", "scrap"]


def test_multipart_body_holds_fields_and_file() -> None:
    body, headers = multipart({"csrf_token": "abc"}, ("a b.csv", b"x,y\n"))
    mark = headers["Content-Type"].partition("boundary=")[2].encode()
    assert body.count(b"--" + mark) == 3
    assert b'name="csrf_token"\r\n\r\nabc\r\n' in body
    assert b'filename="a b.csv"' in body


def test_ids_and_links_are_found_in_answers() -> None:
    assert id_in("/app/runs/17", "runs") == 17
    assert VERSION.findall('<a href="/app/versions/4">') == ["/app/versions/4"]
