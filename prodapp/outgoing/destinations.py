"""Where prodapp may send things: hosts on the administrator's list, at checked addresses.

An entry of the list is a host (``backend``, ``10.0.0.7``), a host with its port
(``backend:8000``), ``*.example.com`` for every host below a domain, or ``*`` for every host. Only
hosts that an entry names in full may be at private addresses.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from prodapp.exceptions import DomainError, N_

MAX_URL = 2000
PORTS = {"http": 80, "https": 443}
PRIVATE = N_("Nothing may be sent to %(host)s: it is at a private address.")
_PRINTABLE = re.compile(r"[!-~]+")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class DestinationRefused(DomainError):
    """The host is not, or not any more, one that may be called."""

    code = "callback_refused"


@dataclass(frozen=True)
class Destination:
    """An address in parts; ``path`` with the query. ``is_named``: an entry of the list
    names the host in full."""

    scheme: str
    host: str
    port: int
    path: str
    is_named: bool


def parse_destination(url: str, allowed: Sequence[str]) -> Destination:
    """The parts of ``url``. Raises :class:`DestinationRefused` where nothing may be sent there."""
    if len(url) > MAX_URL or not _PRINTABLE.fullmatch(url):
        raise DestinationRefused(N_("The address is too long or holds unusual characters."))
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
        (parts.hostname or "").encode("idna")
    except ValueError as error:
        raise DestinationRefused(N_("This is no address.")) from error
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in PORTS or not host or parts.username is not None:
        raise DestinationRefused(
            N_("The address is not of the form http://host/path or https://host/path.")
        )
    entries = {entry.lower() for entry in allowed}
    shown = f"[{host}]" if ":" in host else host
    is_named = bool({shown, host, f"{shown}:{port}"} & entries)
    if not is_named and not any(_covers(entry, host) for entry in entries):
        raise DestinationRefused(
            N_(
                "Nothing may be sent to %(host)s: an administrator must list it in "
                "CALLBACK_ALLOWED_HOSTS first."
            ),
            host=host,
        )
    address = _written_address(host)
    if not is_named and address is not None and not _is_public(address):
        raise DestinationRefused(PRIVATE, host=host)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(parts.scheme, host, port, path, is_named)


def resolve(destination: Destination) -> str:
    """The IP address to connect to. Raises :class:`DestinationRefused` or :class:`OSError`.

    All addresses of a host must be fit, so that asking again cannot find a worse one; the caller
    connects to the returned one and never looks the name up again.
    """
    found = socket.getaddrinfo(destination.host, destination.port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not destination.is_named and not all(map(_is_public, addresses)):
        raise DestinationRefused(PRIVATE, host=destination.host)
    return addresses[0]


def _covers(entry: str, host: str) -> bool:
    return entry == "*" or (entry.startswith("*.") and host.endswith(entry[1:]))


def _written_address(host: str) -> str | None:
    """The IP address that ``host`` spells, in one of the ways that the system's look-up takes."""
    with suppress(ValueError):
        return str(ipaddress.ip_address(host.partition("%")[0]))
    with suppress(OSError):
        return socket.inet_ntoa(socket.inet_aton(host))
    return None


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        # Outside of global unicast lie further spellings of IPv4 addresses and of inner networks.
        if inner is None and ip not in _GLOBAL_UNICAST:
            return False
        ip = inner or ip
    return ip.is_global and not ip.is_multicast
