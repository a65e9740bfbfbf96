from __future__ import annotations

import os
import time
from pathlib import Path

from prodapp.healthcheck import is_well
from prodapp.metrics import Slot
from tests.conftest import make_settings
from tests.receivers import receiving


def test_a_worker_is_well_as_long_as_it_gives_signs_of_life(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    assert not is_well(settings, "worker")
    Slot(settings.metrics_folder, "worker")
    assert is_well(settings, "worker")
    assert not is_well(settings, "dispatcher")
    old = time.time() - 100
    os.utime(settings.metrics_folder / "worker-1.slot", (old, old))
    assert not is_well(settings, "worker")


def test_web_is_well_when_it_answers_with_200(tmp_path: Path) -> None:
    assert not is_well(make_settings(tmp_path, PORT="1"), "web")
    with receiving() as other:  # answers, but not this question
        port = other.url.rpartition(":")[2]
        assert not is_well(make_settings(tmp_path, PORT=port), "web")
