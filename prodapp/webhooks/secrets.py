"""The secrets that webhooks are signed with: sealed in the table, shown once, replaceable."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import current_app

from prodapp.auth.secrets import seal, unseal
from prodapp.extensions import settings_of
from prodapp.models import Webhook

PURPOSE = "webhook"


def sealed(secret: str) -> str:
    """``secret`` as the table keeps it."""
    return seal(secret, secret_key=settings_of(current_app).secret_key, purpose=PURPOSE)


def signing_secrets(webhook: Webhook) -> tuple[str, ...]:
    """The present secret first, then the one before while it still counts.

    None at all where ``SECRET_KEY`` is another one than when they were sealed.
    """
    kept = [webhook.secret]
    until = webhook.secret_before_until
    if webhook.secret_before is not None and until is not None and until > datetime.now(UTC):
        kept.append(webhook.secret_before)
    found = (_opened(text) for text in kept)
    return tuple(secret for secret in found if secret is not None)


def _opened(text: str) -> str | None:
    settings = settings_of(current_app)
    keys = (settings.secret_key, settings.secret_key_before)
    found = (unseal(text, secret_key=key, purpose=PURPOSE) for key in keys if key)
    return next((secret for secret in found if secret is not None), None)
