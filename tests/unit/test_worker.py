"""What a worker does before it takes jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodapp.worker import n_oom_kills, prepare_kernels


def test_kernels_are_compiled_once_into_the_instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    prepare_kernels(tmp_path)
    compiled = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb?")}
    assert compiled
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    prepare_kernels(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb?")} == compiled


def test_a_cache_of_the_administrators_choice_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = tmp_path / "chosen"
    chosen.mkdir()
    (chosen / "full").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(chosen))
    prepare_kernels(tmp_path / "instance")
    assert not (tmp_path / "instance").exists()


def test_kills_for_want_of_memory_are_counted() -> None:
    assert n_oom_kills() >= 0
