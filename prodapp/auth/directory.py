"""A directory (LDAP, Active Directory): whom a name and a password prove there.

The name is looked up as the service's account, then the person found has to bind with their own
password: nobody else's words make a filter or a distinguished name.
"""

from __future__ import annotations

import logging
import ssl
import warnings
from contextlib import suppress
from typing import Any

with warnings.catch_warnings():
    # ldap3 asks pyasn1 for names that have newer ones; both exist.
    warnings.simplefilter("ignore", DeprecationWarning)
    from ldap3 import ANONYMOUS, NONE, SIMPLE, SUBTREE, Connection, Server, Tls
    from ldap3.core.exceptions import LDAPException
    from ldap3.utils.conv import escape_filter_chars

from prodapp.auth.external import Person
from prodapp.environment import split
from prodapp.exceptions import N_, Unavailable
from prodapp.identity_settings import LdapSettings

SECONDS = 5
MAX_GROUPS = 1000
MAX_NAME = 200
_DEFAULT_PORTS = {"ldap": 389, "ldap+starttls": 389, "ldaps": 636}

log = logging.getLogger(__name__)


class CheckedTls(Tls):  # type: ignore[misc]  # ldap3 has no types
    """TLS whose certificate and name Python checks: ldap3 asks a function that newer ones lack."""

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ARG002
        """Encrypt the socket of ``connection``. Raises :class:`ssl.SSLError`."""
        context = ssl.create_default_context(cafile=self.ca_certs_file)
        connection.socket = context.wrap_socket(
            connection.socket, server_hostname=connection.server.host
        )


def find(settings: LdapSettings, username: str, password: str) -> Person | None:
    """The one person of that name whose password this is, with their groups, or ``None``.

    Raises :class:`Unavailable` where the directory does not answer or does not know the service.
    """
    # An empty password would be an anonymous bind, which directories accept (RFC 4513 §6.3.1).
    if not username.strip() or not password or len(username) > MAX_NAME:
        return None
    try:
        connection = _connected(settings, settings.bind_dn, settings.bind_password)
        if connection is None:
            log.error("the directory refuses the service's own account")
            raise _away()
        try:
            entry = _entry(connection, settings, username)
            if entry is None:
                log.warning("sign-in refused for an unknown name")
                return None
            if not _fits(settings, entry["dn"], password):
                log.warning("sign-in refused for a person of the directory")
                return None
            return _person(connection, settings, entry, username)
        finally:
            _close(connection)
    except (LDAPException, OSError) as error:
        log.error("the directory does not answer: %s", type(error).__name__)  # noqa: TRY400
        raise _away() from error


def issuer_of(settings: LdapSettings) -> str:
    """What the directory is called among those who know people."""
    return f"{settings.url.rstrip('/')}/{settings.base_dn}"[:300]


def _connected(settings: LdapSettings, user: str | None, password: str | None) -> Connection | None:
    """A bound connection; ``None`` where name and password do not fit."""
    parts = split(settings.url)
    if parts is None or parts.hostname is None:
        raise _away()
    tls = CheckedTls(ca_certs_file=str(settings.ca_file) if settings.ca_file else None)
    server = Server(
        parts.hostname,
        port=parts.port or _DEFAULT_PORTS[parts.scheme],
        use_ssl=parts.scheme == "ldaps",
        tls=tls,
        get_info=NONE,
        connect_timeout=SECONDS,
    )
    connection = Connection(
        server,
        user=user,
        password=password,
        authentication=SIMPLE if user else ANONYMOUS,
        receive_timeout=SECONDS,
        auto_referrals=False,
        raise_exceptions=False,
        check_names=False,
    )
    try:
        connection.open()
    except LDAPException:
        if connection.socket is not None:
            connection.socket.close()
        raise
    if parts.scheme == "ldap+starttls" and not connection.start_tls():
        raise _away()
    if connection.bind():
        return connection
    _close(connection)
    return None


def _fits(settings: LdapSettings, name: str, password: str) -> bool:
    connection = _connected(settings, name, password)
    if connection is None:
        return False
    _close(connection)
    return True


def _entry(connection: Connection, settings: LdapSettings, username: str) -> dict[str, Any] | None:
    wanted = settings.user_filter.replace("{username}", escape_filter_chars(username.strip()))
    names = [settings.username_attribute, settings.id_attribute, settings.groups_attribute, "mail"]
    entries = _search(connection, settings.base_dn, wanted, names, limit=2)
    if len(entries) > 1:
        log.warning("a name stands for several people of the directory")
    return entries[0] if len(entries) == 1 else None


def _person(
    connection: Connection, settings: LdapSettings, entry: dict[str, Any], typed: str
) -> Person:
    groups = list(_texts(entry, settings.groups_attribute))
    if settings.group_filter is not None:
        wanted = settings.group_filter.replace("{dn}", escape_filter_chars(entry["dn"]))
        found = _search(connection, settings.base_dn, wanted, ["cn"], limit=MAX_GROUPS)
        for group in found:
            groups += [group["dn"], *_texts(group, "cn")]
    subject = entry["raw_attributes"].get(settings.id_attribute) or [entry["dn"].encode()]
    return Person(
        issuer=issuer_of(settings),
        # Active Directory's objectGUID is bytes, all others' ids are texts.
        subject=_text_or_hex(subject[0])[:300],
        username=next(iter(_texts(entry, settings.username_attribute)), typed.strip()),
        email=next(iter(_texts(entry, "mail")), None),
        groups=tuple(groups[: 2 * MAX_GROUPS]),
    )


def _search(
    connection: Connection, base: str, wanted: str, names: list[str], *, limit: int
) -> list[dict[str, Any]]:
    connection.search(
        base, wanted, search_scope=SUBTREE, attributes=names, size_limit=limit, time_limit=SECONDS
    )
    return [entry for entry in connection.response or () if entry["type"] == "searchResEntry"]


def _texts(entry: dict[str, Any], name: str) -> list[str]:
    found: dict[str, list[bytes]] = entry["raw_attributes"]
    values = next((v for key, v in found.items() if key.lower() == name.lower()), [])
    return [value.decode("utf-8", "replace") for value in values]


def _text_or_hex(value: bytes) -> str:
    with suppress(UnicodeDecodeError):
        text = value.decode()
        if text.isprintable():
            return text
    return value.hex()


def _close(connection: Connection) -> None:
    with suppress(LDAPException, OSError):
        connection.unbind()


def _away() -> Unavailable:
    return Unavailable(N_("The directory does not answer at the moment. Try again later."))
