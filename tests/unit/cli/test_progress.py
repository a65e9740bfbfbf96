from __future__ import annotations

import io
import re
import sys
from contextlib import suppress

import pytest

from prodapp.cli.progress import progress_bars


class Terminal(io.StringIO):
    """Says of itself that a person looks at it."""

    def isatty(self) -> bool:
        return True


def run_stages() -> None:
    with progress_bars() as progress:
        for done in range(4):
            progress("rows", done, 3)
        progress("files", 1, 2)


def test_each_stage_has_a_bar_that_comes_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    run_stages()
    ends = [line for line in re.split(r"[\r\n]+", screen.getvalue()) if "100%" in line]
    assert "rows" in ends[0]
    assert "files" in ends[-1]


def test_a_stage_that_breaks_off_does_not_claim_to_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with suppress(ZeroDivisionError), progress_bars() as progress:
        progress("rows", 1, 3)
        raise ZeroDivisionError
    assert "33%" in screen.getvalue()
    assert "100%" not in screen.getvalue()


def test_nothing_is_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    run_stages()
    assert capsys.readouterr() == ("", "")
