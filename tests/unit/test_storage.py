from __future__ import annotations

import hashlib
import io
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO
from uuid import uuid4

import pytest

from prodapp.exceptions import NotFound
from prodapp.outages import StorageAway
from prodapp.storage import Storage
from prodapp.storage.store import CHUNK
from tests.object_store import ObjectStore

CONTENT = b"a,b\n1,2\n"
KEY = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=["file", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """A local folder, and a bucket."""
    if request.param == "file":
        return Storage(f"file://{tmp_path / 'files'}", tmp_path / "scratch")
    return request.getfixturevalue("bucket")


@pytest.fixture
def bucket(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Storage:
    for name, value in object_store.environ.items():
        monkeypatch.setenv(name, value)
    return Storage(object_store.make_bucket(), tmp_path / "scratch")


@pytest.fixture
def local(tmp_path: Path) -> Storage:
    return Storage(f"file://{tmp_path / 'files'}", tmp_path / "scratch")


def put(store: Storage, content: bytes = CONTENT) -> str:
    return store.put(io.BytesIO(content)).key


def content_of(store: Storage, key: str) -> bytes:
    with store.open(key) as file:
        return file.read()


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_is_named_by_its_content(store: Storage) -> None:
    stored = store.put(io.BytesIO(CONTENT))
    assert (stored.key, stored.size) == (KEY, len(CONTENT))
    assert content_of(store, KEY) == CONTENT


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_files_of_any_size_come_back_whole(store: Storage, size: int) -> None:
    content = os.urandom(size)
    assert content_of(store, put(store, content)) == content


def test_what_was_read_already_is_not_stored(store: Storage) -> None:
    source = io.BytesIO(b"head" + CONTENT)
    source.seek(4)
    assert store.put(source).key == KEY


def test_the_same_content_twice_is_one_file(local: Storage, tmp_path: Path) -> None:
    assert put(local) == put(local)
    assert len(files_in(tmp_path / "files")) == 1


def test_nothing_stays_in_the_scratch_folder(store: Storage, tmp_path: Path) -> None:
    key = put(store)
    with store.local_path(key) as path:
        assert path.read_bytes() == CONTENT
    assert files_in(tmp_path / "scratch") == []


def test_a_missing_file_is_not_found(store: Storage) -> None:
    with pytest.raises(NotFound, match=KEY[:12]):
        store.open(KEY)
    with pytest.raises(NotFound, match=KEY[:12]), store.local_path(KEY):
        pass


def test_a_deleted_file_is_gone_and_deleting_it_again_is_no_error(store: Storage) -> None:
    put(store)
    store.delete(KEY)
    with pytest.raises(NotFound):
        store.open(KEY)
    store.delete(KEY)


def test_what_was_put_since_and_nothing_else_is_left_out_of_the_list(store: Storage) -> None:
    future = datetime.now(UTC) + timedelta(seconds=60)
    assert list(store.keys(unchanged_since=future)) == []
    keys = {put(store, bytes([n])) for n in range(20)}
    assert set(store.keys(unchanged_since=future)) == keys
    assert list(store.keys(unchanged_since=datetime.now(UTC) - timedelta(seconds=60))) == []


def test_a_file_that_was_put_again_is_spared(store: Storage) -> None:
    put(store)
    store.delete(KEY, unless_newer_than=datetime.now(UTC) - timedelta(minutes=1))
    assert content_of(store, KEY) == CONTENT
    store.delete(KEY, unless_newer_than=datetime.now(UTC) + timedelta(minutes=1))
    with pytest.raises(NotFound):
        store.open(KEY)


def test_putting_a_file_again_makes_it_new(local: Storage) -> None:
    put(local)
    with local.local_path(KEY) as path:
        long_ago = time.time() - 3600
        os.utime(path, (long_ago, long_ago))
    put(local)
    local.delete(KEY, unless_newer_than=datetime.now(UTC) - timedelta(minutes=1))
    assert content_of(local, KEY) == CONTENT


class Slow(io.RawIOBase):
    """A source that stops in the middle until it is told to go on, or to break off."""

    def __init__(self) -> None:
        self.reached, self.go_on, self.breaks = threading.Event(), threading.Event(), False
        self._parts: Iterator[bytes] = iter((CONTENT[:3], CONTENT[3:], b""))

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002 - gives what it has
        part = next(self._parts)
        if part == CONTENT[3:]:
            self.reached.set()
            assert self.go_on.wait(10)
            if self.breaks:
                raise OSError("the sender has gone")
        return part


def test_a_draft_is_never_seen_under_its_name(local: Storage, tmp_path: Path) -> None:
    source = Slow()
    thread = threading.Thread(target=local.put, args=(source,))
    thread.start()
    assert source.reached.wait(10)
    assert files_in(tmp_path / "files") == []
    with pytest.raises(NotFound):
        local.open(KEY)
    source.go_on.set()
    thread.join()
    assert content_of(local, KEY) == CONTENT


def test_an_upload_that_breaks_off_leaves_nothing(store: Storage, tmp_path: Path) -> None:
    source = Slow()
    source.breaks = True
    source.go_on.set()
    with pytest.raises(OSError, match="the sender has gone"):
        store.put(source)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        store.open(KEY)
    assert files_in(tmp_path) == []


def test_many_writers_of_one_content_agree(local: Storage, tmp_path: Path) -> None:
    threads = [threading.Thread(target=put, args=(local,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert content_of(local, KEY) == CONTENT
    assert len(files_in(tmp_path)) == 1


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "g" * 64])
def test_a_name_that_is_no_hash_is_a_mistake(store: Storage, key: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        store.open(key)
    with pytest.raises(ValueError, match="SHA-256"):
        store.delete(key)


def test_a_scratch_folder_on_another_file_system_works(tmp_path: Path) -> None:
    memory = Path("/dev/shm")  # noqa: S108 - another file system than the tests' folder
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has one file system only")
    scratch = memory / f"prodapp-test-{uuid4().hex}"
    store = Storage(f"file://{tmp_path}", scratch)
    try:
        put(store)
        assert content_of(store, KEY) == CONTENT
        assert files_in(scratch) == []
        assert len(files_in(tmp_path)) == 1
    finally:
        scratch.rmdir()


def test_a_bucket_that_is_missing_is_made_once(
    object_store: ObjectStore, bucket: Storage, tmp_path: Path
) -> None:
    fresh = Storage(f"{object_store.new_name()}/plant", tmp_path / "scratch")
    with pytest.raises(StorageAway):
        put(fresh)
    fresh.prepare()
    key = put(fresh)
    fresh.prepare()
    assert content_of(fresh, key) == CONTENT
    with pytest.raises(NotFound):
        bucket.open(key)


def test_check_tells_a_store_that_takes_nothing(store: Storage, tmp_path: Path) -> None:
    store.check()
    assert files_in(tmp_path) == []


def test_a_file_is_opened_for_reading_only(local: Storage) -> None:
    put(local)
    file: IO[bytes]
    with local.open(KEY) as file:
        assert not file.writable()
