from __future__ import annotations

import pytest
from flask import Flask

from prodapp.addresses import calling_network, is_called_by_name_of_the_house


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix:", "unix:"),
    ],
)
def test_who_has_a_network_is_counted_once(address: str, network: str) -> None:
    app = Flask(__name__)
    with app.test_request_context(environ_overrides={"REMOTE_ADDR": address}):
        assert calling_network() == network


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("prodapp.plant.example", True),
        ("Prodapp.Plant.Example.:8001", True),
        ("127.0.0.1:8001", True),
        ("10.0.0.7", True),
        ("[::1]:8001", True),
        ("[::1]", True),
        ("localhost:8001", True),
        ("backend", True),
        ("prodapp.local", True),
        ("evil.example", False),
        ("evil.example:8001", False),
        ("prodapp.plant.example.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("10.0.0.7.nip.io", False),
    ],
)
def test_no_name_of_a_stranger_is_ours(host: str, is_ours: bool) -> None:
    app = Flask(__name__)
    with app.test_request_context(headers={"Host": host}):
        assert is_called_by_name_of_the_house(public_name="prodapp.plant.example") is is_ours
