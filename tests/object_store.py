"""A real object store as a process: moto's S3 server, on a free port of loopback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import requests
from s3fs import S3FileSystem

from prodapp.processes import spawn, terminate_all
from tests.faults.installation import free_port
from tests.faults.programs import wait_for


@dataclass
class ObjectStore:
    """An S3 server on ``port`` that keeps its objects in memory."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def environ(self) -> dict[str, str]:
        """What tells any client of S3 where the store is and who asks."""
        return {
            "AWS_ENDPOINT_URL": self._url,
            "AWS_ACCESS_KEY_ID": "prodapp",
            "AWS_SECRET_ACCESS_KEY": "the secret of the object store",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def new_name(self) -> str:
        """The address of a bucket that is not there yet."""
        return f"s3://prodapp-{uuid4().hex}"

    def make_bucket(self) -> str:
        """An empty bucket; gives an address below it for ``STORAGE_URL``."""
        url = self.new_name()
        requests.put(f"{self._url}/{url.removeprefix('s3://')}", timeout=10).raise_for_status()
        return f"{url}/plant"

    def is_answering(self) -> bool:
        with suppress(requests.RequestException):
            return requests.get(f"{self._url}/moto-api/", timeout=10).ok
        return False

    def copy(self, url: str, folder: Path) -> None:
        """All objects below ``url`` as files, as a stranger reads them who knows no prodapp."""
        S3FileSystem(endpoint_url=self._url, key="any", secret="any").get(
            url, str(folder), recursive=True
        )

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running_object_store(folder: Path) -> Iterator[ObjectStore]:
    """An empty store, which ends with this process; ``folder`` gets its log."""
    port = free_port()
    log = folder / "object_store.log"
    process = spawn([sys.executable, "-m", "moto.server", "-p", str(port)], log=log)
    store = ObjectStore(port, process)
    S3FileSystem.clear_instance_cache()  # where this process has asked another store before
    try:
        wait_for(store.is_answering, what="the start of the object store")
        yield store
    finally:
        terminate_all([process], grace=0)
