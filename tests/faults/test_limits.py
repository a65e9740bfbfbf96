"""Too little memory and a full disk in the worker: a clear code, and nothing half-written."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from prodapp.models import DatasetState, RunState
from prodapp.models.training_run import TERMINAL
from tests.factories import make_csv
from tests.faults.client import Client
from tests.faults.conftest import MakeFigures, MakeInstallation, over
from tests.faults.figures import scale
from tests.faults.installation import Installation
from tests.faults.oracle import inspect
from tests.faults.programs import Program, wait_for

pytestmark = [
    pytest.mark.queue,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux limits and mounts"),
]

# A disk of a few pages for the drafts of one worker, in name spaces of its own: mounting needs no
# privilege there. Where the system forbids name spaces to users, the limit is one on files' sizes.
SMALL_DISK = ("unshare", "--user", "--map-root-user", "--mount", "--")
MOUNT = 'mount -t tmpfs -o size={size}k none "$0" && exec "$@"'
FULL_KILOBYTES = 16


def has_name_spaces() -> bool:
    mount = (*SMALL_DISK, "sh", "-c", "mount -t tmpfs none /tmp")
    return bool(shutil.which("unshare")) and subprocess.run(mount, check=False).returncode == 0


def small_disk(installation: Installation) -> tuple[str, ...]:
    """The words before a worker's command that leave it no room for drafts."""
    scratch = installation.instance / "scratch"
    scratch.mkdir(exist_ok=True)
    if has_name_spaces():
        return (*SMALL_DISK, "sh", "-c", MOUNT.format(size=FULL_KILOBYTES), str(scratch))
    return ("prlimit", f"--fsize={1024 * FULL_KILOBYTES}")


def replace_worker(installation: Installation, healthy: Program, limited: Program) -> None:
    """The healthy worker goes, the limited one takes over."""
    healthy.stop()
    limited.start()


def end_of(client: Client, run_id: int) -> tuple[str, str | None]:
    """State and error code of the run, once it has ended."""
    wait_for(lambda: client.run(run_id)["state"] in TERMINAL, what="the run's end")
    run = client.run(run_id)
    return run["state"], run["error"] and run["error"]["code"]


def end_of_import(client: Client, dataset_id: int) -> tuple[str, str | None]:
    def has_ended() -> bool:
        return client.dataset(dataset_id)["state"] in (DatasetState.READY, DatasetState.REFUSED)

    wait_for(has_ended, what="the import's end")
    dataset = client.dataset(dataset_id)
    return dataset["state"], dataset["error"] and dataset["error"]["code"]


@over("sqlite")
def test_too_little_memory_is_told_by_its_code(
    make_installation: MakeInstallation, make_figures: MakeFigures, database: str
) -> None:
    installation = make_installation(database)
    installation.start()
    client = installation.client()
    dataset_id = client.upload(client.create_machine("Press 01"), make_csv(n_rows=5_000))
    assert end_of_import(client, dataset_id) == (DatasetState.READY, None)
    limited = installation.add_worker(RUN_MEMORY_MB="48")
    replace_worker(installation, installation.workers[0], limited)
    n_runs = scale(short=1, long=20)
    runs = [
        client.start_run(dataset_id, hyperparameters={"n_estimators": 300}) for _ in range(n_runs)
    ]
    ends = [end_of(client, run_id) for run_id in runs]
    attempts = {client.run(run_id)["attempt"] for run_id in runs}
    is_well = limited.is_running
    replace_worker(installation, limited, installation.workers[0])
    again = end_of(client, client.start_run(dataset_id))
    figures = make_figures(f"run out of memory, RLIMIT_AS ({database})")
    figures.exactly("failed, code out_of_memory", ends.count(FAILED_MEMORY), n_runs)
    figures.exactly("attempts each", max(attempts), 2)
    figures.exactly("worker lives on", is_well, True)
    figures.exactly("with enough memory it succeeds", again[0] == RunState.SUCCEEDED, True)
    figures.whole(inspect(installation))
    figures.verify()


@over("postgres")
def test_a_full_disk_is_told_by_its_code(
    make_installation: MakeInstallation, make_figures: MakeFigures, database: str
) -> None:
    installation = make_installation(database)
    installation.start()
    client = installation.client()
    machine_id = client.create_machine("Press 01")
    dataset_id = client.upload(machine_id, make_csv(n_rows=1_000))
    assert end_of_import(client, dataset_id) == (DatasetState.READY, None)
    limited = installation.add_worker(before=small_disk(installation))
    replace_worker(installation, installation.workers[0], limited)
    n_each = scale(short=1, long=10)
    runs = [
        client.start_run(dataset_id, hyperparameters={"n_estimators": 100}) for _ in range(n_each)
    ]
    ends = [end_of(client, run_id) for run_id in runs]
    uploads = [
        client.upload(machine_id, make_csv(n_rows=2_000, seed=seed)) for seed in range(n_each)
    ]
    imports = [end_of_import(client, upload) for upload in uploads]
    findings = inspect(installation)
    replace_worker(installation, limited, installation.workers[0])
    again = end_of(client, client.start_run(dataset_id))
    figures = make_figures(f"disk full in the worker ({database})")
    figures.exactly("runs failed, code disk_full", ends.count(FAILED_DISK), n_each)
    figures.exactly("imports refused, code disk_full", imports.count(REFUSED_DISK), n_each)
    figures.exactly("with room again it succeeds", again[0] == RunState.SUCCEEDED, True)
    figures.exactly("files that no row speaks of", findings.n_orphans + findings.n_drafts, 0)
    figures.whole(findings)
    figures.verify()


FAILED_MEMORY = (RunState.FAILED, "out_of_memory")
FAILED_DISK = (RunState.FAILED, "disk_full")
REFUSED_DISK = (DatasetState.REFUSED, "disk_full")
