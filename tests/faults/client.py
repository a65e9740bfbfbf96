"""A client over real HTTP that writes down every operation which the service acknowledged."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

TIMEOUT_SECONDS = 60


class NotAcknowledged(Exception):
    """The service answered no, or not at all: nothing is promised. ``status`` is 0 for silence."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Operation:
    """One acknowledged operation: ``kind`` is machine, upload, run, batch, cancel or delete.

    ``row_id`` is the id it was acknowledged with (of the machine for a delete), ``at`` the time of
    the answer in seconds of the epoch, ``sha256`` that of an uploaded file.
    """

    kind: str
    row_id: int
    at: float
    sha256: str | None = None


class OperationLog:
    """An append-only file of acknowledged operations, one JSON object a line, synced."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        path.touch()

    def append(self, operation: Operation) -> None:
        line = json.dumps(asdict(operation)) + "\n"
        with self._lock, self.path.open("a", encoding="ascii") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def __iter__(self) -> Iterator[Operation]:
        for line in self.path.read_text(encoding="ascii").splitlines():
            yield Operation(**json.loads(line))

    def ids(self, kind: str) -> list[int]:
        """The rows of one kind of operation, in the order of their acknowledgement."""
        return [operation.row_id for operation in self if operation.kind == kind]


class Client:
    """Calls of ``/api/v1`` with an API key; threads may share one. Raises NotAcknowledged."""

    def __init__(self, host: str, port: int, *, key: str, log: OperationLog) -> None:
        self._address = (host, port)
        self.key = key
        self._log = log

    def at(self, host: str, port: int) -> Client:
        """The same client by way of another address, such as a proxy's."""
        return Client(host, port, key=self.key, log=self._log)

    def create_machine(self, name: str) -> int:
        answer = self.call("POST", "/machines", {"name": name})
        return self._acknowledge("machine", answer["id"])

    def upload(self, machine_id: int, content: bytes, *, filename: str = "data.csv") -> int:
        """Upload a CSV; the id of the data set."""
        answer = self._send_file(f"/machines/{machine_id}/datasets", content, filename)
        return self._acknowledge("upload", answer["id"], sha256=answer["sha256"])

    def predict_file(self, machine_id: int, content: bytes) -> int:
        """Let the machine's champion answer the rows of a CSV; the id of the batch."""
        path = f"/machines/{machine_id}/prediction-batches"
        return self._acknowledge("batch", self._send_file(path, content, "rows.csv")["id"])

    def start_run(self, dataset_id: int, *, target: str = "yield", **specification: Any) -> int:
        """Start a run; small by default, so that its work takes a moment."""
        body = {
            "dataset_id": dataset_id,
            "target": target,
            "hyperparameters": {"n_estimators": 10},
            **specification,
        }
        return self._acknowledge("run", self.call("POST", "/runs", body)["id"])

    def cancel(self, run_id: int) -> int:
        return self._acknowledge("cancel", self.call("POST", f"/runs/{run_id}/cancel")["id"])

    def delete_machine(self, machine_id: int) -> None:
        self.call("DELETE", f"/machines/{machine_id}")
        self._acknowledge("delete", machine_id)

    def run(self, run_id: int) -> dict[str, Any]:
        answer: dict[str, Any] = self.call("GET", f"/runs/{run_id}")
        return answer

    def dataset(self, dataset_id: int) -> dict[str, Any]:
        answer: dict[str, Any] = self.call("GET", f"/datasets/{dataset_id}")
        return answer

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Any JSON call; the decoded answer, ``None`` where it is empty."""
        content = None if body is None else json.dumps(body).encode()
        return self._call(method, path, content, "application/json")

    def _send_file(self, path: str, content: bytes, filename: str) -> Any:
        boundary = uuid4().hex
        head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{filename}"\r\n'
            "Content-Type: text/csv\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        return self._call("POST", path, body, f"multipart/form-data; boundary={boundary}")

    def _call(self, method: str, path: str, body: bytes | None, kind: str) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": kind}
        connection = http.client.HTTPConnection(*self._address, timeout=TIMEOUT_SECONDS)
        with closing(connection):
            try:
                connection.request(method, f"/api/v1{path}", body=body, headers=headers)
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException) as error:
                raise NotAcknowledged(f"{method} {path}: {error!r}") from error
        if answer.status >= http.client.BAD_REQUEST:
            text = content.decode(errors="replace")[:500]
            raise NotAcknowledged(f"{method} {path}: {answer.status} {text}", status=answer.status)
        return json.loads(content) if content else None

    def _acknowledge(self, kind: str, row_id: int, *, sha256: str | None = None) -> int:
        self._log.append(Operation(kind, row_id, time.time(), sha256))
        return row_id
