"""Every list of the API sorts, bounds by time and pages in the same way."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from flask import Flask
from flask.testing import FlaskClient

from prodapp.caller import Caller
from prodapp.datasets import service as datasets
from prodapp.openapi import document
from tests.factories import make_csv, make_machine, make_schedule, make_webhook

Headers = dict[str, str]


def _lists(app: Flask) -> dict[str, list[str]]:
    """Lists that are counted, and what each can be sorted by."""
    found = {}
    for path, item in document(app)["paths"].items():
        operation = item.get("get", {})
        names = {parameter.get("name"): parameter for parameter in operation.get("parameters", ())}
        if "page" in names:
            found[path] = names["sort"]["schema"]["enum"] if "sort" in names else []
    return found


def test_every_list_sorts_by_what_it_says_and_bounds_by_time(
    app: Flask, client: FlaskClient, caller: Caller, bearer: Callable[..., Headers]
) -> None:
    headers, made = bearer("admin"), make_webhook(app, caller)
    machine = make_machine(caller)
    made |= make_schedule(app, caller, machine.id)
    now = datetime.now(UTC)
    past, future = (quote((now + timedelta(days=days)).isoformat()) for days in (-1, 1))
    lists = _lists(app)
    assert len(lists) >= 10
    for path, sorts in lists.items():
        address = path.format(machine_id=machine.id, **made)
        for sort in sorts:
            answer = client.get(f"{address}?sort={sort}&page_size=5", headers=headers)
            assert answer.status_code == 200, (path, sort, answer.text)
            assert json.loads(answer.headers["X-Pagination"])["page_size"] == 5
            assert 'rel="first"' in answer.headers["Link"]
        if not sorts:
            continue
        query = f"?created_after={past}&created_before={future}"
        whole = client.get(address, headers=headers).json
        assert client.get(address + query, headers=headers).json == whole
        assert client.get(f"{address}?created_after={future}", headers=headers).json == []
        assert client.get(f"{address}?created_before={past}", headers=headers).json == []
        assert client.get(f"{address}?sort=nothing", headers=headers).status_code == 422


def test_data_sets_are_sorted_and_filtered(
    client: FlaskClient, caller: Caller, bearer: Callable[..., Headers]
) -> None:
    machine, headers = make_machine(caller), bearer("viewer")
    for name, n_rows in (("a.csv", 60), ("C.csv", 90), ("b.csv", 70)):
        datasets.register_dataset(
            caller,
            machine_id=machine.id,
            source=io.BytesIO(make_csv(n_rows=n_rows)),
            filename=name,
        )
    for query, expected in (
        ("", ["b.csv", "C.csv", "a.csv"]),
        ("?sort=filename", ["C.csv", "a.csv", "b.csv"]),
        ("?sort=-size_bytes", ["C.csv", "b.csv", "a.csv"]),
        ("?sort=-size_bytes&page_size=1&page=2", ["b.csv"]),
        ("?q=c.cs", ["C.csv"]),
        ("?state=queued&q=_", []),
        ("?state=refused", []),
    ):
        answer = client.get(f"/api/v1/machines/{machine.id}/datasets{query}", headers=headers)
        assert [row["filename"] for row in answer.json] == expected, query
