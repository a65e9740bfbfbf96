"""Do the Dockerfile's steps without a container engine, and start what comes out of them.

In a clean folder, with a fresh virtual environment from the package index and with only the files
that .dockerignore lets through; then, as a user that is not root and may write nothing but the
instance, ``flask upgrade``, a worker until its queue is empty, and the web server until its health
check passes. What needs an engine (users, labels, layers) is named and passed over. Minutes.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from image_context import ROOT, copy_context

NEEDS_AN_ENGINE = ("useradd",)
START_SECONDS = 120


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def instructions() -> Iterator[tuple[str, str]]:
    """Each instruction of the Dockerfile with its words, lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for line in lines.replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, words = line.strip().partition(" ")
            yield name, " ".join(words.split())


class Replay:
    """The image's file system, below a folder."""

    def __init__(self, folder: Path) -> None:
        self.places = {"/opt/venv": folder / "venv", "/srv/prodapp": folder / "srv"}
        self.data = folder / "data"
        self.data.mkdir()
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder / "tmp")}
        (folder / "tmp").mkdir()
        self.command: list[str] = []

    def there(self, words: str) -> str:
        """The same words with this machine's places in them."""
        for name, place in self.places.items():
            words = words.replace(name, str(place))
        return words

    @property
    def workdir(self) -> Path:
        return self.places["/srv/prodapp"]

    def build(self) -> None:
        """Every instruction, in order."""
        self.workdir.mkdir()
        for name, words in instructions():
            if name == "ENV":
                pairs = re.findall(r"([A-Z_]+)=(\S+)", words)
                for key, value in pairs:
                    given = self.there(value).replace("$PATH", self.env["PATH"])
                    self.env[key] = given
            elif name == "COPY" and "--from" not in words:
                self._copy(words)
            elif name == "RUN":
                self._run(words)
            elif name == "CMD":
                self.command = json.loads(words)

    def _copy(self, words: str) -> None:
        source = words.split()[0]
        if source == ".":
            copy_context(self.workdir)
        else:
            shutil.copyfile(ROOT / source, self.workdir / source)

    def _run(self, words: str) -> None:
        if words.startswith(NEEDS_AN_ENGINE):
            say(f"passed over, needs an engine: {words}")
            return
        step = self.there(words).replace("python -m venv", f"{sys.executable} -m venv")
        say(f"RUN {step}")
        subprocess.run(["/bin/bash", "-euc", step], cwd=self.workdir, env=self.env, check=True)

    def as_somebody(self, *args: str) -> list[str]:
        """The words that start a program as a user who is not root."""
        if os.geteuid() != 0:
            return list(args)
        return ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--", *args]


def set_writable(folder: Path, *, is_writable: bool) -> None:
    """Let the owner write everything in ``folder``, or nobody."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o200 if is_writable else mode & ~0o222)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(replay: Replay) -> None:
    """What containers do: migrate, work, serve."""
    replay.env |= {
        "PRODAPP_PROFILE": "production",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "PRODAPP_INSTANCE": str(replay.data),
        "METRICS_FOLDER": str(replay.data / "metrics"),
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
    }
    for place in replay.places.values():
        set_writable(place, is_writable=False)
    for step in (["flask", "upgrade"], ["flask", "worker", "--burst"], ["id", "-u"]):
        say(f"as somebody: {' '.join(step)}")
        args = replay.as_somebody(*step)
        subprocess.run(args, cwd=replay.workdir, env=replay.env, check=True)
    args = replay.as_somebody(*replay.command)
    web = subprocess.Popen(args, cwd=replay.workdir, env=replay.env)
    try:
        give_up_at = time.monotonic() + START_SECONDS
        check = replay.as_somebody("python", "-m", "prodapp.healthcheck", "web")
        while subprocess.run(check, cwd=replay.workdir, env=replay.env, check=False).returncode:
            if web.poll() is not None or time.monotonic() > give_up_at:
                raise SystemExit("the web server is not healthy")
            time.sleep(0.5)
    finally:
        web.terminate()
        web.wait(30)
    say("healthy; stopped in order")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="prodapp-image-") as folder:
        replay = Replay(Path(folder))
        try:
            replay.build()
            start(replay)
        finally:
            set_writable(Path(folder), is_writable=True)


if __name__ == "__main__":
    main()
