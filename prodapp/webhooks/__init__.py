"""Webhooks: telling other systems what happens here, signed, again until they took it."""
