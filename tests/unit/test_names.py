from __future__ import annotations

import pytest

from prodapp.exceptions import InvalidInput
from prodapp.names import MAX_NAME, checked_name, folded


def check(text: str) -> str:
    return checked_name(text, pointer="/name", if_empty="Give a name.")


def test_spacing_is_made_one() -> None:
    assert check("  Press \t\n 01\u00a0 ") == "Press 01"


def test_accents_are_spelled_one_way() -> None:
    assert check("Ma\u0301quina") == "M\u00e1quina"


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u3000"])
def test_nothing_is_no_name(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"Give a name\.") as caught:
        check(text)
    assert [field.pointer for field in caught.value.fields] == ["/name"]


@pytest.mark.parametrize("text", ["a\x00b", "a\x1b[31m", "a\ud800", "\x7f"])
def test_characters_that_cannot_be_stored_or_shown_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be stored"):
        check(text)


@pytest.mark.parametrize("text", ["ma\u200bria", "Press\u202e10", "\u2066x\u2069", "\ufeffPress"])
def test_names_that_only_look_like_others_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be seen"):
        check(text)


@pytest.mark.parametrize("text", ["Prensa nº 1", "压力机", "مكبس", "👩‍🏭 line", "100% _x_", "İ"])
def test_any_script_makes_a_name(text: str) -> None:
    assert check(text) == text


def test_the_longest_name_is_taken_and_one_more_is_not() -> None:
    assert check("x" * MAX_NAME) == "x" * MAX_NAME
    with pytest.raises(InvalidInput, match="at most 200"):
        check("x" * (MAX_NAME + 1))


def test_a_name_that_grows_when_folded_counts_by_its_longer_form() -> None:
    with pytest.raises(InvalidInput, match="at most 200"):
        check("ß" * MAX_NAME)


def test_names_compare_without_case_spacing_and_spelling() -> None:
    assert folded(" PRENSA  Ma\u0301x ") == folded("prensa m\u00e1x")
    assert folded("Straße") == folded("STRASSE")


@pytest.mark.parametrize("text", ["a\x00", "\ud800"])
def test_what_is_searched_for_can_always_be_sent_to_a_database(text: str) -> None:
    folded(text).encode()
    assert "\x00" not in folded(text)
