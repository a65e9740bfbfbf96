"""What has to be true again after a fault: ready, all work ended, nothing to start again."""

from __future__ import annotations

from tests.faults.installation import Installation
from tests.faults.oracle import Findings, inspect
from tests.faults.programs import wait_for

SETTLE_SECONDS = 600.0
RECOVER_SECONDS = 60.0


def settle(installation: Installation) -> Findings:
    """What the oracle says once all that was begun has ended."""
    wait_for(
        lambda: not inspect(installation).unfinished,
        what="the end of all work",
        seconds=SETTLE_SECONDS,
    )
    return inspect(installation)


def wait_until_ready(installation: Installation) -> float:
    return wait_for(
        lambda: installation.is_answering("/readyz"), what="readiness", seconds=RECOVER_SECONDS
    )


def n_dead(installation: Installation) -> int:
    return sum(not program.is_running for program in installation.programs)
