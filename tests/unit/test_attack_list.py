"""The list of attacks in docs/security/attacks.md names tests that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

LIST = (ROOT / "docs" / "security" / "attacks.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`((?:[\w/]+\.py)?)(?:::(\w+))?`")


def named_tests() -> Iterator[tuple[str, str]]:
    """``(path below tests/, function)``; a name without a path is of the path before it."""
    for line in LIST.splitlines():
        path = ""
        for found_path, name in NAMED.findall(line):
            path = found_path or path
            if path.startswith(("unit/", "corpus/", "browser/", "contract/", "test_")):
                yield path, name


def test_there_are_many() -> None:
    assert len(set(named_tests())) > 70


@pytest.mark.parametrize(("path", "name"), sorted(set(named_tests())))
def test_a_named_test_is_there(path: str, name: str) -> None:
    source = (ROOT / "tests" / path).read_text(encoding="utf-8")
    assert not name or f"def {name}(" in source
