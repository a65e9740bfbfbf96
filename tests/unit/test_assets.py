from __future__ import annotations

import pytest
from flask import Flask, url_for

from prodapp import assets


@pytest.fixture
def site(tmp_path):
    (tmp_path / "style.css").write_text("a {}")
    app = Flask(__name__, static_folder=str(tmp_path), static_url_path="/static")
    assets.init_app(app)
    return app


def test_address_changes_with_the_content(site, tmp_path):
    with site.test_request_context():
        before = url_for("static", filename="style.css")
        (tmp_path / "style.css").write_text("b {}  ")
        after = url_for("static", filename="style.css")
    assert before.startswith("/static/style.css?v=")
    assert before != after


def test_only_the_right_version_is_kept_for_ever(site):
    with site.test_request_context():
        right = url_for("static", filename="style.css")
    client = site.test_client()
    kept = {}
    for address in (right, "/static/style.css", "/static/style.css?v=000000000000"):
        with client.get(address) as response:
            kept[address] = "immutable" in response.headers.get("Cache-Control", "")
    assert [address for address, is_kept in kept.items() if is_kept] == [right]


def test_missing_files_and_foreign_paths_have_no_version(tmp_path):
    assert assets.version(tmp_path, "missing.css") is None
    assert assets.version(tmp_path, "../../etc/passwd") is None
