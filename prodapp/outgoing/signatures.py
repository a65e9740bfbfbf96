"""Signatures of messages after the Standard Webhooks scheme (standardwebhooks.com, version 1).

The receiver computes the same HMAC over id, time and body, refuses another one, a time that is
more than some minutes away, and an id that it has taken before (which is its own to remember).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence

from prodapp.models.received_message import MAX_MESSAGE_ID

SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets of this scheme begin with
SECRET_BYTES = 32
#: How far from now a message may have been made.
TOLERANCE_SECONDS = 300
_MESSAGE_ID = re.compile(rf"[!-~]{{1,{MAX_MESSAGE_ID}}}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


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


def signed_message_id(
    headers: Mapping[str, str], body: bytes, *, secret: str, now: float
) -> str | None:
    """The id of a message whose headers prove that who knows ``secret`` made it, about ``now``
    (seconds since 1970); ``None`` for any other one. Names of headers are in lower case."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not _MESSAGE_ID.fullmatch(message_id) or not _TIMESTAMP.fullmatch(timestamp):
        return None
    wanted = _signature(secret, f"{message_id}.{timestamp}.".encode() + body).encode()
    given = headers.get("webhook-signature", "").encode().split()
    is_signed = any(hmac.compare_digest(wanted, one) for one in given)
    is_of_now = abs(now - int(timestamp)) <= TOLERANCE_SECONDS
    return message_id if is_signed and is_of_now else None


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
