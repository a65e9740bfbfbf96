"""Script in every name that people and programs can give, looked at in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.browser.conftest import Server, Visit

pytestmark = [pytest.mark.browser, pytest.mark.queue]
MARK = "window.taken=1"
TEXTS = (
    f"<script>{MARK}</script>",
    f"<img src=x onerror={MARK}>",
    f'"><svg onload={MARK}>',
    f"' onfocus={MARK} autofocus x='",
    "{{7*7}}${7*7}",
)


def plant(window: Visit, key: str) -> list[str]:
    """Give hostile names to everything that takes one; the addresses that show them."""
    api, headers = f"{window.server.url}/api/v1", {"X-API-Key": key}

    def send(path: str, **body: Any) -> Any:
        answer = window.page.request.post(f"{api}/{path}", headers=headers, **body)
        assert answer.ok, answer.text()
        return answer.json()

    machines = [send("machines", data={"name": text})["id"] for text in TEXTS]
    users = [
        send("users", data={"username": text, "role": "viewer"})["user"]["id"]
        for text in TEXTS[1:3]
    ]
    for text in TEXTS[1:3]:
        send("sites", data={"name": text})
        send("keys", data={"user_id": users[0], "name": text})
    heads = ",".join('"' + text.replace('"', '""') + '"' for text in TEXTS)
    rows = [f"<script>{MARK}</script>,{n},{n * n % 7},{n % 5},{n}" for n in range(60)]
    file = {
        "name": "<img src=x onerror=window.taken=1>.csv",
        "mimeType": "text/csv",
        "buffer": "\n".join((heads, *rows)).encode(),
    }
    dataset = send(f"machines/{machines[0]}/datasets", multipart={"file": file})["id"]
    sent = quote(TEXTS[1])
    return [
        *(f"/app/machines/{machine}" for machine in machines),
        f"/app/machines/{machines[0]}/edit",
        f"/app/machines/{machines[0]}/delete",
        f"/app/datasets/{dataset}",
        f"/app/machines/?q={sent}",
        f"/app/machines/{sent}",
        f"/app/users/?q={sent}",
        *(f"/app/users/{user}" for user in users),
        "/app/keys/?state=all",
        "/app/sites/",
        f"/app/audit/?actor={sent}",
        "/app/audit/",
        "/app/account/",
        f"/app/sign-in?next={sent}",
        f"/app/password/{sent}",
        f"/{sent}",
    ]


def test_no_text_becomes_script(visit: Callable[..., Visit], server: Server) -> None:
    window = visit()
    name = f"root {TEXTS[0]}"
    made = json.loads(server.flask("user", "create", name, "--role", "admin", "--link", "--json"))
    pages = plant(window, server.flask("key", "create", name).strip())
    dialogs: list[str] = []
    window.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    window.page.goto(made["link"])
    for path in pages:
        window.open(path)
        for summary in window.page.locator("main details > summary").all():
            summary.click()
        assert window.page.evaluate("window.taken") is None, path
        assert window.page.locator("main img, main svg[onload]").count() == 0, path
    assert dialogs == []
    # The browser itself notes 401 and 404; a script that the policy stopped would be noted too.
    window.complaints[:] = [one for one in window.complaints if "status of 40" not in one]
