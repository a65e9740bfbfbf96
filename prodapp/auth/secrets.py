"""Random tokens that are shown once and stored as hashes, and what has to be read again, sealed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

from cryptography.fernet import Fernet, InvalidToken

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


def seal(text: str, *, secret_key: str, purpose: str) -> str:
    """``text``, encrypted and authenticated by a key of its own for each purpose."""
    return _box(secret_key, purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, secret_key: str, purpose: str) -> str | None:
    """What was sealed; ``None`` where the installation's key was another one then."""
    try:
        return _box(secret_key, purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def _box(secret_key: str, purpose: str) -> Fernet:
    key = hmac.digest(secret_key.encode(), f"prodapp {purpose}".encode(), hashlib.sha256)
    return Fernet(base64.urlsafe_b64encode(key))
