"""A plan: which folder, which files, how often; and whether it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter

from prodapp.exceptions import FieldError, InvalidInput, N_

DEFAULT_PATTERN: Final = "*"
DEFAULT_TIMEZONE: Final = "UTC"
MAX_FOLDER: Final = 1000
MAX_PATTERN: Final = 200
MAX_CRON: Final = 100

NOT_LISTED = N_(
    "The folder %(folder)s is not below one that an administrator has listed in SCHEDULE_ROOTS."
)
NO_CRON = N_(
    "“%(cron)s” is not a cron expression of five fields (minute, hour, day, month, day of the "
    "week) that ever comes due, such as 0 6 * * 1-5."
)
NO_ZONE = N_("There is no time zone “%(timezone)s”. Use a name such as America/Sao_Paulo.")
NO_PATTERN = N_("Give a pattern for names of files, such as *.csv; it names no folders.")


@dataclass(frozen=True)
class Plan:
    """``pattern`` is what names of files fit (``*``, ``?``, ``[…]``); ``cron`` has five fields and
    is read in ``timezone``."""

    folder: str
    cron: str
    pattern: str = DEFAULT_PATTERN
    timezone: str = DEFAULT_TIMEZONE
    is_active: bool = True

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def check_plan(plan: Plan, *, roots: Sequence[Path]) -> None:
    """Raise :class:`InvalidInput` with a field for each thing that cannot be."""
    wrong = []
    if allowed_folder(plan.folder, roots=roots) is None:
        wrong.append(FieldError("/folder", NOT_LISTED, {"folder": plan.folder}))
    if not _is_cron(plan.cron):
        wrong.append(FieldError("/cron", NO_CRON, {"cron": plan.cron}))
    if not plan.pattern.strip() or "/" in plan.pattern or "\\" in plan.pattern:
        wrong.append(FieldError("/pattern", NO_PATTERN))
    if _zone(plan.timezone) is None:
        wrong.append(FieldError("/timezone", NO_ZONE, {"timezone": plan.timezone}))
    if wrong:
        first = wrong[0]
        raise InvalidInput(first.message, fields=tuple(wrong), **first.params)


def allowed_folder(folder: str, *, roots: Sequence[Path]) -> Path | None:
    """Where ``folder`` really is, every link followed; ``None`` where that is below no root."""
    if not folder.strip() or "\x00" in folder or not Path(folder).is_absolute():
        return None
    real = Path(folder).resolve()
    return real if any(real.is_relative_to(root.resolve()) for root in roots) else None


def next_look(plan: Plan, *, after: datetime) -> datetime:
    """The first moment after ``after`` that the expression means; UTC."""
    zone = _zone(plan.timezone) or UTC
    found = croniter(plan.cron, after.astimezone(zone)).get_next(datetime)
    moment: datetime = found.astimezone(UTC)
    return moment


def _is_cron(text: str) -> bool:
    if len(text) > MAX_CRON or len(text.split()) != 5:
        return False
    try:
        croniter(text, datetime.now(UTC)).get_next(datetime)
    except (CroniterError, ValueError, KeyError, IndexError):
        return False
    return True


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
