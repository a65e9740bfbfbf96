"""The installation that the gallery photographs: the demo, and one of each thing a page can show.

Everything is made by the commands that administrators have, over an instance folder of its own.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from prodapp.processes import spawn, terminate_all  # noqa: E402

CONCRETE = ROOT / "prodapp" / "demo_data" / "concrete.csv"
TARGET = "compressive_strength"
START_SECONDS = 180
LEVERS = ("cement", "blast_furnace_slag", "fly_ash", "water", "superplasticizer")
UNITS = {**dict.fromkeys((*LEVERS, "coarse_aggregate", "fine_aggregate"), "kg/m³"), "age": "d"}
PEOPLE = {"maria": "analyst", "paulo": "admin"}


@dataclass(frozen=True)
class Plant:
    """A running prodapp: where it listens, and the environment that its commands need."""

    url: str
    environ: dict[str, str]

    def flask(self, *words: str) -> str:
        """What ``flask WORDS`` prints on this installation."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"flask {' '.join(words)}\n{done.stderr}")
        return done.stdout

    def told(self, *words: str) -> Any:
        """The same for commands with ``--json``."""
        return json.loads(self.flask(*words, "--json"))

    def link(self, username: str) -> str:
        return str(self.told("user", "link", username)["link"])


@contextmanager
def plant(folder: Path) -> Iterator[Plant]:
    """prodapp as ``make serve`` starts it, over an instance of its own below ``folder``."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    environ = {**os.environ, "PRODAPP_INSTANCE": str(folder / "instance"), "PORT": str(port)}
    log = folder / "log"
    words = [sys.executable, "-m", "prodapp.supervisor", "--die-with-parent"]
    process = spawn(words, log=log, env=environ, cwd=ROOT)
    running = Plant(f"http://127.0.0.1:{port}", environ)
    try:
        _wait_until_ready(running.url, log)
        yield running
    finally:
        terminate_all([process], grace=20)


def _wait_until_ready(url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with (
            suppress(OSError, urllib.error.URLError),
            urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer,  # noqa: S310
        ):
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise RuntimeError(f"prodapp did not start:\n{log.read_text('utf-8')}")


def fill(running: Plant, folder: Path) -> dict[str, str]:
    """Put one of each thing there; the answer leads from the name of a page to its address."""
    for name, role in PEOPLE.items():
        running.flask("user", "create", name, "--role", role, "--link")
    running.flask("demo")
    running.flask("key", "create", "maria", "--name", "dashboard", "--role", "viewer")
    dataset = _data_with_roles(running)
    version = _versions(running, dataset)
    period = ("--first-row", "101", "--last-row", "112", "--label", "Start-up")
    running.flask("dataset", "exclude", str(dataset), *period)
    prediction, batch = _predictions(running, folder)
    draft = _draft(running, folder)
    run = max(row["id"] for row in running.told("runs", "list", "--machine", "1"))
    user = next(row["id"] for row in running.told("user", "list") if row["username"] == "maria")
    return {
        "machines": "/app/machines/",
        "new-machine": "/app/machines/new",
        "machine": "/app/machines/1",
        "upload": "/app/machines/1/datasets/new",
        "check": f"/app/datasets/{draft}/check",
        "data": f"/app/datasets/{dataset}",
        "rows": f"/app/datasets/{dataset}/rows",
        "run": f"/app/runs/{run}",
        "result": f"/app/versions/{version}",
        "versions": "/app/machines/1/versions",
        "compare": "/app/machines/1/compare",
        "pictures": f"/app/versions/{version}/pictures",
        "predict": f"/app/versions/{version}/predict",
        "prediction": f"/app/predictions/{prediction}",
        "batch": f"/app/prediction-batches/{batch}",
        "predictions": "/app/predictions",
        "account": "/app/account/",
        "users": "/app/users/",
        "user": f"/app/users/{user}",
        "keys": "/app/keys/",
        "sites": "/app/sites/",
        "audit": "/app/audit/",
        "settings": "/app/settings/",
    }


def _data_with_roles(running: Plant) -> int:
    """The demo's file once more, with what an engineer would say of its columns."""
    draft = running.told("dataset", "import", "1", str(CONCRETE), "--draft")["id"]
    said = [word for name in LEVERS for word in ("--role", f"{name}=lever")]
    said += [word for name, unit in UNITS.items() for word in ("--unit", f"{name}={unit}")]
    running.flask("dataset", "confirm", str(draft), "--target", TARGET, "--sense", "raise", *said)
    return int(draft)


def _versions(running: Plant, dataset: int) -> int:
    """One more version of machine 1 by another algorithm, and one with levers; the latter's id."""
    words = ("train", "1", "--dataset", str(dataset), "--target", TARGET)
    running.flask(*words, "--algorithm", "linear_regression", "--json")
    running.flask(*words, "--json")
    return int(running.told("version", "list", "1")[0]["id"])


def _predictions(running: Plant, folder: Path) -> tuple[str, int]:
    """Some predictions, one of which came true, and a file of them."""
    made = [
        running.told("predict", "one", "1", f"cement={cement}", "age=28")
        for cement in (250, 310, 900)
    ]
    running.flask("predict", "actual", made[0]["id"], "32.5")
    head, *rows = CONCRETE.read_text("utf-8").splitlines()
    file = folder / "next week.csv"
    file.write_text("\n".join([head, *rows[200:260]]) + "\n", encoding="utf-8")
    running.flask("predict", "file", "1", str(file), str(folder / "answers.csv"))
    return str(made[0]["id"]), 1


def _draft(running: Plant, folder: Path) -> int:
    """A file that waits to be checked, written as spreadsheets do in Brazil, with oddities."""
    rows = [
        f"0{1 + n % 9}/03/2025;{20 + n % 17},{n % 10};{180 + n % 23},5;{'AB'[n % 2]};"
        f"{-999 if n % 19 == 5 else 90 + n % 17 - n % 23}"
        for n in range(200)
    ]
    head = ["Data;Vazão;Temperatura;Turno;Rendimento", ";kg/h;°C;;%"]
    file = folder / "linha 3.csv"
    file.write_bytes("\r\n".join([*head, *rows]).encode("cp1252"))
    machine = running.told("machine", "create", "Linha 3")["id"]
    return int(running.told("dataset", "import", str(machine), str(file), "--draft")["id"])
