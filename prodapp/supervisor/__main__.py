"""``python -m prodapp.supervisor``: everything that prodapp needs on one machine, in one command.

Exit codes: 0 after a stop that was asked for, 1 when the start was given up.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prodapp.config import Settings, load_settings
from prodapp.exceptions import ConfigurationError, DomainError
from prodapp.processes import die_with_parent
from prodapp.supervisor.stop_signals import StopAsked, StopSignals
from prodapp.supervisor.supervisor import FLASK, ROOT, CannotStart, Supervisor


def main() -> int:
    """Start, watch until somebody asks to stop, end everything."""
    options = _options()
    if options.die_with_parent:
        die_with_parent(death_signal=signal.SIGTERM)
    signals = StopSignals()
    _enter_project_folder()
    try:
        settings = load_settings()
        with _instance_lock(settings):
            _check_port(settings)
            return _supervise(settings, signals, options)
    except (ConfigurationError, CannotStart) as error:
        _say(f"prodapp cannot start: {error}")
        return 1


def _supervise(settings: Settings, signals: StopSignals, options: argparse.Namespace) -> int:
    supervisor = Supervisor(settings, signals=signals, say=_say, is_reloading=options.reload)
    try:
        _say("Starting prodapp …")
        supervisor.start(*((*FLASK, "demo") if options.demo else ()))
        _say(f"prodapp is on {_address(settings)} (Ctrl-C stops it)")
        supervisor.watch()
    except StopAsked:
        _say("Stopping … (once more stops at once)")
    except DomainError as error:
        raise CannotStart(str(error)) from error
    finally:
        supervisor.stop()
    _say("Stopped.")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m prodapp.supervisor", description=__doc__)
    parser.add_argument("--demo", action="store_true", help="load and show the demo machine")
    parser.add_argument("--reload", action="store_true", help="start again when sources change")
    parser.add_argument(
        "--die-with-parent", action="store_true", help="stop when the calling process ends"
    )
    return parser.parse_args()


def _enter_project_folder() -> None:
    """Work in the project's folder, with the instance folder that the caller meant."""
    instance = os.environ.get("PRODAPP_INSTANCE")
    if instance:
        os.environ["PRODAPP_INSTANCE"] = str(Path(instance).expanduser().resolve())
    os.chdir(ROOT)


@contextmanager
def _instance_lock(settings: Settings) -> Iterator[None]:
    """Hold the instance folder: two supervisors would share its database and its queue."""
    settings.instance_path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (settings.instance_path / "supervisor.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CannotStart(
                f"it is already running in {settings.instance_path} ({file.read().strip()}). "
                "Stop it first, or name another folder in PRODAPP_INSTANCE and a free PORT."
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}, {_address(settings)}\n")
        file.flush()
        yield


def _check_port(settings: Settings) -> None:
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CannotStart(
            f"HOST {settings.host}, PORT {settings.port} cannot be used: {error.strerror}. "
            f"Try another port: PORT={settings.port % 65535 + 1}"
        ) from None


def _address(settings: Settings) -> str:
    host = settings.reachable_host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _say(text: str) -> None:
    """Tell whoever started this; nobody may be listening any more."""
    try:
        print(text, flush=True)  # noqa: T201 - this is a program for the terminal
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    sys.exit(main())
