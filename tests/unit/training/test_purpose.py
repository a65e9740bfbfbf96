from __future__ import annotations

from typing import Any

import pytest

from prodapp.ml.training import Purpose
from prodapp.models import Dataset, TrainingRun
from prodapp.training.jobs import _purpose_of

SAID: dict[str, Any] = {
    "columns": [{"name": "heat", "role": "lever"}, {"name": "speed", "role": "context"}],
    "target": "yield",
    "sense": "hold",
    "goal": 70.0,
}


@pytest.mark.parametrize(
    ("settings", "target", "purpose"),
    [
        (SAID, "yield", Purpose(("heat",), "hold", 70.0)),
        (SAID, "waste", Purpose(("heat",))),  # nobody said what is wanted of this one
        (None, "yield", Purpose()),
    ],
)
def test_what_was_said_of_the_data_set_is_what_a_run_is_for(
    settings: dict[str, Any] | None, target: str, purpose: Purpose
) -> None:
    assert _purpose_of(TrainingRun(target=target), Dataset(settings=settings)) == purpose
