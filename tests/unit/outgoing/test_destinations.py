"""Where callbacks may go."""

from __future__ import annotations

import pytest

from prodapp.outgoing.destinations import (
    Destination,
    DestinationRefused,
    _is_public,
    parse_destination,
    resolve,
)


@pytest.mark.parametrize(
    ("url", "allowed", "is_named"),
    [
        ("http://backend/hook?a=1", ("backend",), True),
        ("http://BACKEND:8000/hook", ("Backend:8000",), True),
        ("https://10.0.0.7/hook", ("10.0.0.7",), True),
        ("http://[::1]:9000/hook", ("[::1]:9000",), True),
        ("https://a.b.example.com/hook", ("*.example.com",), False),
        ("https://anything.example/hook", ("*",), False),
        ("https://backend/hook", ("*", "backend"), True),
    ],
)
def test_listed_host_is_taken(url: str, allowed: tuple[str, ...], is_named: bool) -> None:
    assert parse_destination(url, allowed).is_named is is_named


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://backend/hook", ()),
        ("http://backend.evil.example/hook", ("backend",)),
        ("http://evilexample.com/", ("*.example.com",)),
        ("http://example.com/", ("*.example.com",)),
        ("http://backend:8001/", ("backend:8000",)),
        ("http://user@backend/", ("backend",)),
        ("file:///etc/passwd", ("*",)),
        ("http:///hook", ("*",)),
        ("http://backend/a b", ("backend",)),
        ("http://" + "a" * 70 + ".example/", ("*",)),
        ("http://backend/" + "a" * 2000, ("backend",)),
    ],
)
def test_other_host_is_refused(url: str, allowed: tuple[str, ...]) -> None:
    with pytest.raises(DestinationRefused):
        parse_destination(url, allowed)


def test_parts_keep_path_and_query() -> None:
    found = parse_destination("http://backend/webhook/treinamento/?a=1", ("backend",))
    assert found == Destination("http", "backend", 80, "/webhook/treinamento/?a=1", True)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_private_address_is_not_public(address: str) -> None:
    assert not _is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2600::1", "::ffff:8.8.8.8"])
def test_public_address_is_public(address: str) -> None:
    assert _is_public(address)


def test_private_address_needs_a_host_that_is_named_in_full() -> None:
    by_pattern = parse_destination("http://localhost:9/", ("*",))
    with pytest.raises(DestinationRefused):
        resolve(by_pattern)
    by_name = parse_destination("http://localhost:9/", ("localhost",))
    assert resolve(by_name) in ("127.0.0.1", "::1")
