"""Each kind of damage is planted, seen by its name, and mended where that is safe."""

from __future__ import annotations

from flask import Flask

from tests.unit.doctor.asking import codes


def test_a_healthy_installation_has_no_findings(filled: Flask) -> None:
    assert codes() == []
    assert codes(is_fixing=True) == []
