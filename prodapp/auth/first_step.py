"""A name and a password: proved here, or by the directory, as the configuration says."""

from __future__ import annotations

from flask import current_app

from prodapp.auth import external, service
from prodapp.exceptions import N_, NotSignedIn
from prodapp.extensions import settings_of
from prodapp.models import User


def prove(username: str, password: str, *, address: str | None) -> User:
    """The active user whom ``username`` and ``password`` prove.

    A password that is stored here is tried first: the directory does not get to see it where it
    fits. Raises :class:`NotSignedIn`, and :class:`Unavailable` where the directory does not answer.
    """
    settings = settings_of(current_app).identity
    refused = NotSignedIn(
        N_("Signing in with a password is switched off here."), code="passwords_off"
    )
    if settings.local:
        try:
            return service.authenticate(username, password)
        except NotSignedIn as error:
            refused = error
    if settings.ldap is None:
        raise refused
    from prodapp.auth import directory  # its client is loaded where it is used

    person = directory.find(settings.ldap, username, password)
    if person is None:
        raise service.bad_credentials()
    return external.admit(person, address=address)
