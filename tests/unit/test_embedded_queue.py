from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from prodapp import embedded_queue
from prodapp.exceptions import ConfigurationError, Conflict
from prodapp.processes import terminate_all
from tests.services import private_folder

pytestmark = pytest.mark.queue


@pytest.fixture
def instance() -> Iterator[Path]:
    with private_folder() as folder:
        yield folder


@pytest.fixture
def server(instance: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = embedded_queue.start(instance)
    yield process
    terminate_all([process], grace=5)


def client(instance: Path) -> redis.Redis:
    return redis.Redis.from_url(embedded_queue.socket_url(instance), decode_responses=True)


@pytest.mark.usefixtures("server")
def test_only_this_user_reaches_it_and_no_network_does(instance: Path) -> None:
    socket = instance / "queue" / "valkey.sock"
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    with client(instance) as queue:
        assert queue.config_get("port") == {"port": "0"}


def test_running_is_told_from_stopped(instance: Path) -> None:
    assert not embedded_queue.is_running(instance)
    process = embedded_queue.start(instance)
    assert embedded_queue.is_running(instance)
    terminate_all([process], grace=5)
    assert not embedded_queue.is_running(instance)


def test_data_outlive_a_restart(instance: Path) -> None:
    for expected in (1, 2, 3):
        process = embedded_queue.start(instance)
        with client(instance) as queue:
            assert queue.incr("starts") == expected
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.mark.usefixtures("server")
def test_second_start_is_refused_and_harms_nothing(
    instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_queue, "LOCK_SECONDS", 0)
    with client(instance) as queue:
        queue.set("mine", "1")
    with pytest.raises(Conflict, match="already running"):
        embedded_queue.start(instance)
    with client(instance) as queue:
        assert queue.get("mine") == "1"


def test_damaged_file_is_set_aside(instance: Path) -> None:
    process = embedded_queue.start(instance)
    with client(instance) as queue:
        queue.set("lost", "1")
    terminate_all([process], grace=5)
    for file in (instance / "queue" / "appendonlydir").glob("*.incr.aof"):
        file.write_bytes(b"this is no append-only file\r\n" * 10)

    process = embedded_queue.start(instance)
    with client(instance) as queue:
        assert queue.get("lost") is None
    terminate_all([process], grace=5)
    assert (instance / "queue" / "appendonlydir.damaged").is_dir()


@pytest.fixture
def far_away(instance: Path) -> Path:
    """An instance folder whose name is too long for a socket, with signs that addresses quote."""
    return instance / ("ação 100% " + "x" * 100)


def test_long_folder_gets_a_private_socket_elsewhere(far_away: Path) -> None:
    process = embedded_queue.start(far_away)
    try:
        with client(far_away) as queue:
            assert queue.ping()
            socket = Path(queue.config_get("unixsocket")["unixsocket"])
    finally:
        terminate_all([process], grace=5)
    assert len(os.fsencode(socket)) <= embedded_queue.MAX_SOCKET_PATH_BYTES
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    socket.parent.rmdir()


def test_socket_folder_of_another_is_not_trusted(far_away: Path) -> None:
    first = embedded_queue.socket_url(far_away)
    assert embedded_queue.socket_url(far_away) == first
    folder = Path(first.removeprefix("unix://")).parent
    folder.chmod(0o755)
    second = embedded_queue.socket_url(far_away)
    assert second != first
    folder.rmdir()
    Path(second.removeprefix("unix://")).parent.rmdir()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs PR_SET_PDEATHSIG")
def test_server_ends_with_its_killed_parent_and_frees_the_folder(instance: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from prodapp import embedded_queue;"
        "embedded_queue.start(Path(sys.argv[1])); print('up', flush=True); time.sleep(600)"
    )
    args = [sys.executable, "-c", code, str(instance)]
    with subprocess.Popen(args, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        with client(instance) as queue:
            queue.set("kept", "1")
        parent.kill()
    # Refused while the old server lives: that this succeeds says that it ended.
    process = embedded_queue.start(instance)
    with client(instance) as queue:
        assert queue.get("kept") == "1"
    terminate_all([process], grace=5)


def test_system_without_the_program_is_told_what_to_set(
    instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        embedded_queue.start(instance)
