"""Random tokens that are shown once and stored as hashes."""

from __future__ import annotations

import hashlib
import re
import secrets

KEY_PREFIX = "pa"
_KEY = re.compile(rf"({KEY_PREFIX}_[0-9a-f]{{8}})_.")


def new_token() -> str:
    """256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """SHA-256 in hex. A random 256-bit token needs no slow hash: it cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_api_key() -> tuple[str, str]:
    """``(prefix, key)``: the key starts with the prefix, by which its row is found."""
    prefix = f"{KEY_PREFIX}_{secrets.token_hex(4)}"
    return prefix, f"{prefix}_{secrets.token_urlsafe(32)}"


def key_prefix(key: str) -> str | None:
    """The prefix of something that looks like a key, else ``None``."""
    found = _KEY.match(key)
    return found[1] if found else None
