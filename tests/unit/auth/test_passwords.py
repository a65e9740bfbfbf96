from __future__ import annotations

import pytest

from prodapp.auth.passwords import check_strength, hash_password, verify_password
from prodapp.exceptions import InvalidInput


def test_a_hash_is_argon2id_with_its_parameters_and_a_salt_of_its_own() -> None:
    first, second = hash_password("secret"), hash_password("secret")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert verify_password("secret", first)
    assert verify_password("secret", second)


@pytest.mark.parametrize("wrong", ["Secret", "secret ", "", "secret\x00", "s\ud800"])
def test_another_password_does_not_fit(wrong: str) -> None:
    assert not verify_password(wrong, hash_password("secret"))


@pytest.mark.parametrize("password", ["", "ü€漢字", "a\x00b", "x" * 5000])
def test_any_text_can_be_a_password(password: str) -> None:
    assert verify_password(password, hash_password(password))
    assert not verify_password(password + "x", hash_password(password))


@pytest.mark.parametrize("stored", [None, "", "plain", "$argon2id$broken"])
def test_without_a_sound_hash_nothing_fits(stored: str | None) -> None:
    assert not verify_password("no one has this password", stored)


@pytest.mark.parametrize(
    ("password", "username"),
    [
        ("", "maria"),
        ("short1!", "maria"),
        ("aaaaaaaaaaaaaaaa", "maria"),
        ("1234567890", "maria"),
        ("password123", "maria"),
        ("mariadasilva", "mariadasilva"),
        ("prodappprodapp", "maria"),
        ("qwertyuiop", "maria"),
    ],
)
def test_what_is_guessed_first_is_refused(password: str, username: str) -> None:
    with pytest.raises(InvalidInput, match="too easy to guess") as caught:
        check_strength(password, username=username)
    assert caught.value.fields[0].pointer == "/password"
    assert "10" in str(caught.value)


@pytest.mark.parametrize(
    "password", ["correct horse battery", "kJ8s-2mVq_71", "três maçãs azuis", "quiet river " * 99]
)
def test_what_is_hard_to_guess_is_taken(password: str) -> None:
    check_strength(password, username="maria")
