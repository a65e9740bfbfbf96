"""Where a request comes from, and by which name it asked for us."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import request

#: What one line of an internet provider gets, at least: whoever has one address of it has them all.
_OWN_BITS = 64


def calling_network() -> str:
    """Whom this request's tries are counted for: its address, for IPv6 the network around it."""
    address = request.remote_addr or ""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:  # a socket's name, or nothing
        return address
    if not isinstance(ip, IPv6Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(IPv6Network((int(ip), _OWN_BITS), strict=False))


def is_called_by_name_of_the_house(*, public_name: str | None) -> bool:
    """Whether the request's ``Host`` is one that no stranger can make lead to us: an address, ours
    in the settings, or a name that only the network of the house knows.

    A page of elsewhere may give its own name our address after it was loaded (DNS rebinding); its
    requests are then of the same origin as ours, but ask for us by that name.
    """
    host = request.host.lower()
    folded = (host if host.endswith("]") else host.rsplit(":", 1)[0]).rstrip(".")
    try:
        ip_address(folded.strip("[]"))
    except ValueError:
        is_local = "." not in folded or folded.endswith((".localhost", ".local", ".internal"))
        return is_local or folded == (public_name or "").lower()
    return True
