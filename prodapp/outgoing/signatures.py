"""Signatures of messages after the Standard Webhooks scheme (standardwebhooks.com, version 1).

The receiver computes the same HMAC over id, time and body, refuses another one, a time that is
more than some minutes away, and an id that it has taken before.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets of this scheme begin with
SECRET_BYTES = 32


def new_secret() -> str:
    """256 random bits in the scheme's spelling, shared with the receiver."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(
    *, message_id: str, timestamp: int, body: str, keys: Sequence[str]
) -> dict[str, str]:
    """The headers of a message that was made at ``timestamp`` (seconds since 1970).

    One signature for each of the secrets ``keys``: receivers change to a new one at leisure.
    """
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, signed) for secret in keys),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
