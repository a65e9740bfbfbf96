"""The ledger of ASVS 5.0 in docs/security/asvs.md: nothing left out, counted right."""

from __future__ import annotations

import re
from collections import Counter

from tests.conftest import ROOT

LEDGER = (ROOT / "docs" / "security" / "asvs.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (met|partly|n/a|missing) \| ([^|]+) \|$", re.MULTILINE)
STATES = ("met", "partly", "n/a", "missing")

# The level of each requirement of 5.0.0, section by section in its order.
LEVELS = {
    "1.1": "22", "1.2": "1111122223", "1.3": "112222222223", "1.4": "222", "1.5": "123",
    "2.1": "122", "2.2": "112", "2.3": "12223", "2.4": "23",
    "3.1": "3", "3.2": "113", "3.3": "12223", "3.4": "11222233", "3.5": "11122333", "3.6": "3",
    "3.7": "22333",
    "4.1": "12233", "4.2": "23333", "4.3": "22", "4.4": "1222",
    "5.1": "2", "5.2": "112333", "5.3": "113", "5.4": "222",
    "6.1": "122", "6.2": "111111112222", "6.3": "11223333", "6.4": "112233", "6.5": "22222333",
    "6.6": "2223", "6.7": "33", "6.8": "2222",
    "7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22",
    "8.1": "1233", "8.2": "1123", "8.3": "133", "8.4": "23",
    "9.1": "111", "9.2": "1222",
    "10.1": "22", "10.2": "223", "10.3": "22223", "10.4": "1111122222233333", "10.5": "22222",
    "10.6": "22", "10.7": "222",
    "11.1": "2233", "11.2": "22233", "11.3": "11233", "11.4": "1222", "11.5": "23", "11.6": "23",
    "11.7": "33",
    "12.1": "12233", "12.2": "11", "12.3": "22223",
    "13.1": "2333", "13.2": "222223", "13.3": "2233", "13.4": "1222233",
    "14.1": "22", "14.2": "12223333", "14.3": "122",
    "15.1": "12233", "15.2": "12233", "15.3": "1222222", "15.4": "3333",
    "16.1": "2", "16.2": "22222", "16.3": "2222", "16.4": "222", "16.5": "2223",
    "17.1": "23", "17.2": "22223333", "17.3": "22",
}  # fmt: skip


def level_of(number: str) -> int:
    section, _, place = number.rpartition(".")
    return int(LEVELS[section][int(place) - 1])


def test_the_table_of_levels_is_the_standards() -> None:
    counts = Counter("".join(LEVELS.values()))
    assert counts == {"1": 70, "2": 183, "3": 92}


def test_every_requirement_of_levels_1_and_2_has_one_line_in_order() -> None:
    wanted = [
        f"{section}.{place}"
        for section, levels in LEVELS.items()
        for place, level in enumerate(levels, start=1)
        if level in "12"
    ]
    assert [number for number, _state, _how in ROW.findall(LEDGER)] == wanted


def test_the_counts_are_those_of_the_lines() -> None:
    rows = ROW.findall(LEDGER)
    for label, levels in (("level 1", (1,)), ("level 2", (2,)), ("both", (1, 2))):
        counted = Counter(state for number, state, _how in rows if level_of(number) in levels)
        numbers = [counted[state] for state in STATES]
        line = f"| {label} | {' | '.join(map(str, [*numbers, sum(numbers)]))} |"
        assert line in LEDGER


def test_no_line_is_empty_or_says_the_standards_words() -> None:
    for number, _state, how in ROW.findall(LEDGER):
        assert how.strip(), number
        assert "verify that" not in how.lower(), number
