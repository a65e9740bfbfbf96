from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from prodapp import formatting


@pytest.fixture(scope="module")
def bare_app():
    app = Flask(__name__)
    Babel(app)
    formatting.init_app(app)
    return app


@pytest.fixture(autouse=True)
def request_context(bare_app):
    with bare_app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.93421, "0.934"),
        (12.345, "12.3"),
        (540.0, "540"),
        (557434.2, "557,434"),
        (0, "0"),
        (-0.0004, "-0.0004"),
        (-0.00000041, "-4.1E-7"),
        (3e15, "3E15"),
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
    ],
)
def test_number_keeps_three_significant_digits_and_all_whole_ones(value, shown):
    assert formatting.number(value) == shown


def test_number_takes_the_marks_of_the_language():
    with force_locale("pt_BR"):
        assert formatting.number(1234.5, digits=5) == "1.234,5"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (9.85e-5, "0.0000985"),
        (3e-7, "0.0000003"),
        (2e-9, "<0.0000001"),
        (0, "0.00"),
        (1.5, "1.50"),
        (None, "–"),
    ],
)
def test_plain_numbers_need_no_power_of_ten(value, shown):
    assert formatting.plain_number(value, fixed=True) == shown


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("332.5", "332,5"),
        ("-1.25e-05", "-1,25e-05"),
        ("1e-05", "1e-05"),
        ("1234567.123456789", "1234567,123456789"),
        ("540", "540"),
        ("", ""),
        ("v1.2", "v1.2"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_a_cell_gets_the_decimal_mark_of_the_language_and_keeps_its_digits(cell, shown):
    assert formatting.local_decimal(cell) == cell
    with force_locale("pt_BR"):
        assert formatting.local_decimal(cell) == shown


def test_fixed_numbers_align():
    assert [formatting.number(value, fixed=True) for value in (1.5, 2.25, 0)] == [
        "1.50",
        "2.25",
        "0.00",
    ]


@pytest.mark.parametrize(
    ("language", "shown"), [("en", ["0.25", "80", "250K"]), ("pt_BR", ["0,25", "80", "250 mil"])]
)
def test_ticks_stay_short(language, shown):
    with force_locale(language):
        ticks = [formatting.tick(value).replace("\u00a0", " ") for value in (0.25, 80, 250_000)]
    assert ticks == shown


def test_a_number_that_rounds_to_nothing_has_no_sign():
    assert formatting.decimal(-0.0004, 2) == "0.00"


@pytest.mark.parametrize(
    ("share", "shown"), [(0.4217, "42%"), (0.004, "<1%"), (0, "0%"), (1, "100%"), (None, "–")]
)
def test_percent_never_shows_a_small_share_as_none(share, shown):
    assert formatting.percent(share) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.84, "0.8 s"), (12.2, "12 s"), (72, "1 min 12 s"), (7500, "2 h 5 min"), (None, "–")],
)
def test_duration_shows_the_two_units_that_matter(seconds, shown):
    assert formatting.duration(seconds) == shown


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0 B"), (999, "999 B"), (1234, "1.21 kB"), (500 * 1024**2, "500 MB")]
)
def test_filesize_counts_as_limits_are_set(size, shown):
    assert formatting.filesize(size) == shown


def test_timeago_reads_times_without_a_zone_as_utc():
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert formatting.timeago(datetime(2026, 3, 1, 9), now=now) == "3 hours ago"  # noqa: DTZ001
    assert formatting.timeago(now - timedelta(seconds=0.2), now=now) == "just now"


def test_isoformat_names_the_zone():
    assert formatting.isoformat(datetime(2026, 3, 1, 9)) == "2026-03-01T09:00:00+00:00"  # noqa: DTZ001


def test_sentence_writes_its_numbers_in_the_language():
    with force_locale("pt_BR"):
        text = formatting.sentence("%(n)s rows, from %(low)s", {"n": 12000, "low": 0.25})
        counted = formatting.sentence("%(n)d of %(share).1f", {"n": 12000, "share": "0.25"})
    assert text == "12.000 rows, from 0,25"
    assert counted == "12.000 of 0.25"


def test_locale_tag_is_what_html_expects():
    with force_locale("pt_BR"):
        assert formatting.locale_tag() == "pt-BR"
