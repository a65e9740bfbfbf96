"""How a look went and how far a file has come, for pages, API and commands alike."""

from __future__ import annotations

from collections.abc import Mapping

from prodapp.formatting import sentence
from prodapp.models import FileState, RunState, Schedule, ScheduledFile


def outcome_of(file: ScheduledFile) -> str:
    """``waiting``, ``training``, ``trained``, ``failed`` or ``set_aside``."""
    if file.state == FileState.SET_ASIDE:
        return "set_aside"
    if file.run is None:
        return "waiting"
    if file.run.is_active:
        return "training"
    return "trained" if file.run.state == RunState.SUCCEEDED else "failed"


def problem_of(schedule: Schedule) -> Mapping[str, str] | None:
    """Why the last look came to nothing, in the caller's language."""
    if schedule.problem_code is None:
        return None
    detail = sentence(schedule.problem or "", schedule.problem_params or {})
    return {"code": schedule.problem_code, "detail": detail}
