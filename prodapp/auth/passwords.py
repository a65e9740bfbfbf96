"""Passwords: argon2id with OWASP's small-memory parameters, strength judged by zxcvbn."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from prodapp.exceptions import FieldError, InvalidInput, N_

MIN_LENGTH = 10
MAX_PASSWORD = 1000
MIN_SCORE = 2  # zxcvbn: "somewhat guessable"; below it an online attack succeeds
MAX_JUDGED = 72  # zxcvbn refuses longer ones, and they cannot be weak for want of length

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Each hash takes 19 MiB: a flood of sign-ins must queue, not fill the memory.
_slots = threading.BoundedSemaphore(4)
# Verified for unknown users, so that time does not tell who exists.
_DUMMY_HASH = _hasher.hash("no one has this password")


def check_strength(password: str, *, username: str) -> None:
    """Raise :class:`InvalidInput` for a password that is too easy to guess."""
    if len(password) >= MIN_LENGTH:  # zxcvbn fails on an empty one
        judged = zxcvbn(password[:MAX_JUDGED], user_inputs=[username, "prodapp"])
        if judged["score"] >= MIN_SCORE:
            return
    message = N_(
        "The password is too easy to guess. Use at least %(length)s characters; "
        "three or four unrelated words make a good one."
    )
    field = FieldError("/password", message, {"length": MIN_LENGTH})
    raise InvalidInput(message, fields=(field,), length=MIN_LENGTH)


def hash_password(password: str) -> str:
    """The argon2id hash of ``password``, with its parameters and salt, as text."""
    with _slots:
        return _hasher.hash(_bytes(password))


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether ``password`` fits; takes the same time where there is no hash to compare with."""
    with _slots:
        try:
            _hasher.verify(password_hash or _DUMMY_HASH, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
    return bool(password_hash)


def _bytes(password: str) -> bytes:
    # Half a character pair is no reason to fail: it is a wrong password like any other.
    return password.encode("utf-8", "surrogatepass")
