"""Every kind of work that workers do for the installation."""

from __future__ import annotations

from typing import Final

from prodapp.datasets.workflow import IMPORTS
from prodapp.models.workflow import Workflow
from prodapp.predictions.workflow import BATCHES
from prodapp.training.workflow import RUNS

WORKFLOWS: Final[tuple[Workflow, ...]] = (IMPORTS, RUNS, BATCHES)
