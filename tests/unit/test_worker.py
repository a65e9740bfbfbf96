"""What a worker does before it takes jobs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def test_kernels_are_compiled_into_the_instance_before_the_first_job(tmp_path: Path) -> None:
    """In a process of its own: numba reads where its cache is once, when it is imported."""
    program = (
        "import sys, pathlib; from prodapp.worker import prepare_kernels; "
        "prepare_kernels(pathlib.Path(sys.argv[1]))"
    )
    environ = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    args = [sys.executable, "-c", program, str(tmp_path)]
    subprocess.run(args, check=True, cwd=ROOT, env=environ)
    compiled = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb?")}
    assert compiled
    subprocess.run(args, check=True, cwd=ROOT, env=environ)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb?")} == compiled
