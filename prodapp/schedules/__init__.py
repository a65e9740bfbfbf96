"""When a machine's new files are trained on by themselves, as people say it.

Kept apart for the features that share it: a machine's setup carries it, retraining acts by it.
"""

from prodapp.schedules.plan import (
    DEFAULT_PATTERN,
    DEFAULT_TIMEZONE,
    Plan,
    allowed_folder,
    check_plan,
    next_look,
)
from prodapp.schedules.stored import plan_of, stored_schedule, write_plan

__all__ = [
    "DEFAULT_PATTERN",
    "DEFAULT_TIMEZONE",
    "Plan",
    "allowed_folder",
    "check_plan",
    "next_look",
    "plan_of",
    "stored_schedule",
    "write_plan",
]
