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

# In the order in which work comes by them. Between two neighbours lies what a crash may tear apart.
POINTS = (
    "dataset.delivered",  # the worker has the id; the row is still in the line
    "dataset.claimed",  # the row is this worker's
    "dataset.reading",  # in the midst of it, as are all that end so
    "dataset.read",  # the whole file is a table in memory
    "dataset.profiling",
    "dataset.stored",  # the table's file is durable, no row speaks of it
    "dataset.publishing",  # inside the transaction that says ready
    "dataset.ready",  # after it
    "batch.delivered",
    "batch.claimed",
    "batch.reading",
    "batch.answering",
    "batch.storing",
    "run.delivered",
    "run.claimed",
    "run.reading",
    "run.read",  # the table is in memory
    "run.preparing",
    "run.fitting",
    "run.validating",
    "run.explaining",
    "run.assessing",
    "run.trained",  # all is computed, nothing written
    "run.storing",  # the row says publishing, the artifact is not begun
    "run.stored",  # the artifact is durable, no row speaks of it
    "run.publishing",  # inside the transaction of version, ranking and the run's end
    "run.published",  # after it
)
FOLDER = "failpoints"
POLL_SECONDS = 0.05


def reach(name: str) -> None:
    """Do what the point ``name`` is armed with, if anything."""
    if not current_app.testing:
        return
    if name not in POINTS:
        raise ValueError(f"there is no failpoint {name}")
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
