"""Named points at which a test may stop a background process; they do nothing elsewhere.

A file ``failpoints/<name>`` in the instance folder arms a point, in the testing profile alone:
``wait`` holds the process until the file is gone (a file ``<name>.reached`` holds the id of the
process that is held), ``die`` ends it as SIGKILL would.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from flask import current_app

FOLDER = "failpoints"
POLL_SECONDS = 0.05


def reach(name: str) -> None:
    """Do what the point ``name`` is armed with, if anything."""
    if not current_app.testing:
        return
    path = Path(current_app.instance_path) / FOLDER / name
    try:
        action = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return
    if action == "die":
        path.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    path.with_name(f"{name}.reached").write_text(str(os.getpid()), encoding="ascii")
    while path.exists():
        time.sleep(POLL_SECONDS)
