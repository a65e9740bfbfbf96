"""One person's browser, or one program's HTTP client: a connection, cookies, and a log of times."""

from __future__ import annotations

import http.client
import json
import re
import select
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import unescape
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

TIMEOUT_SECONDS = 60.0
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
ASSET = re.compile(r'(?:href|src)="(/static/[^"]+)"')
REDIRECTS = (301, 302, 303)


@dataclass(frozen=True)
class Record:
    """One request: when (Unix time), of which kind, how long, and how it ended.

    ``status`` 0 means that no answer came; ``error`` is empty where the answer was a right one.
    """

    at: float
    user: str
    kind: str
    milliseconds: float
    status: int
    error: str


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        return json.loads(self.body)


class NoUse(Exception):
    """The answer was not a right one; it has been noted, and the visit cannot go on."""


class Client:
    """Sends requests one after another over a connection that is kept, as browsers do.

    ``note`` is given a :class:`Record` of each. Every answer with a status that the caller did
    not name counts as an error.
    """

    def __init__(self, user: str, *, port: int, note: Callable[[Record], None]) -> None:
        self.user = user
        self.headers: dict[str, str] = {}
        self._note = note
        self._port = port
        self._cookies: dict[str, str] = {}
        self._assets: set[str] = set()
        self._connection: http.client.HTTPConnection | None = None

    def get(self, kind: str, path: str, *, also: tuple[int, ...] = ()) -> Answer:
        return self._send(kind, "GET", path, right=(200, *also))

    def page(self, kind: str, path: str, *, also: tuple[int, ...] = ()) -> Answer:
        """A page with what it links to, which is fetched once and kept, as a browser does."""
        answer = self.get(kind, path, also=also)
        for asset in ASSET.findall(answer.text):
            if asset not in self._assets:
                self._assets.add(asset)
                self.get("static file", unescape(asset))
        return answer

    def send_form(
        self,
        kind: str,
        path: str,
        page: Answer,
        *,
        file: tuple[str, bytes] | None = None,
        right: tuple[int, ...] = REDIRECTS,
        **fields: str,
    ) -> Answer:
        """Send the form of ``page``, with its token; a redirect is not followed."""
        token = TOKEN.search(page.text)
        values = {"csrf_token": unescape(token[1]) if token else "", **fields}
        if file is None:
            body = urlencode(values).encode()
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
        else:
            body, headers = multipart(values, file)
        return self._send(kind, "POST", path, right=right, body=body, headers=headers)

    def call(
        self,
        kind: str,
        method: str,
        path: str,
        *,
        right: tuple[int, ...] = (200,),
        data: Mapping[str, Any] | None = None,
        file: tuple[str, bytes] | None = None,
        **fields: str,
    ) -> Answer:
        """A call of the REST API with JSON ``data``, or with a ``file`` and its ``fields``."""
        if file is not None:
            body, headers = multipart(fields, file)
        elif data is not None:
            body, headers = json.dumps(data).encode(), {"Content-Type": "application/json"}
        else:
            body, headers = None, {}
        return self._send(kind, method, path, right=right, body=body, headers=headers)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(
        self,
        kind: str,
        method: str,
        path: str,
        *,
        right: tuple[int, ...],
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        at, started = time.time(), time.perf_counter()
        answer, error = None, ""
        try:
            answer = self._exchange(method, path, body, {**self.headers, **(headers or {})})
            if answer.status not in right:
                error = f"{method} answered {answer.status}"
        except (OSError, http.client.HTTPException) as trouble:
            error = f"{type(trouble).__name__}: {trouble}"
            self.close()
        milliseconds = (time.perf_counter() - started) * 1000
        status = answer.status if answer else 0
        self._note(Record(at, self.user, kind, round(milliseconds, 2), status, error))
        if answer is None or error:
            raise NoUse(f"{kind} {path}: {error}")
        return answer

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> Answer:
        connection = self._open()
        if self._cookies:
            headers["Cookie"] = "; ".join(
                f"{name}={value}" for name, value in self._cookies.items()
            )
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        content = response.read()
        for line in response.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                self._cookies[name] = morsel.value
        return Answer(response.status, response.headers, content)

    def _open(self) -> http.client.HTTPConnection:
        connection = self._connection
        # A server may close an idle connection at any time; browsers open another one then.
        if connection and connection.sock and not select.select([connection.sock], [], [], 0)[0]:
            return connection
        self.close()
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=TIMEOUT_SECONDS
        )
        return self._connection


def multipart(fields: Mapping[str, str], file: tuple[str, bytes]) -> tuple[bytes, dict[str, str]]:
    """A form with the file ``(name, content)`` in the field ``file``: body and headers."""
    mark = uuid4().hex
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    name, content = file
    head = (
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    body = b"".join((*parts, head.encode(), content, f"\r\n--{mark}--\r\n".encode()))
    return body, {"Content-Type": f"multipart/form-data; boundary={mark}"}


def id_in(location: str, word: str) -> int:
    """The number behind ``word`` in an address: ``id_in("/app/runs/7", "runs")`` is 7."""
    parts = urlsplit(location).path.split("/")
    return int(parts[parts.index(word) + 1])
