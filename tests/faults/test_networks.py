"""The ways to queue and database are slow, cut, swallowing, half open."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from prodapp import embedded_queue
from tests.faults.conftest import MakeFigures, MakeInstallation
from tests.faults.durable import DurablePostgres
from tests.faults.figures import IS_LONG, scale
from tests.faults.installation import Installation
from tests.faults.load import Load, under_load
from tests.faults.oracle import inspect
from tests.faults.proxy import FAIR, Proxy, Weather
from tests.faults.recovery import n_dead, settle, wait_until_ready

pytestmark = pytest.mark.queue

# Of a page while the database or the queue hangs; the machine of the tests may be busy.
PATIENCE_SECONDS = 30.0

STORMS = {
    "slow": Weather(delay=0.2),
    "narrow": Weather(rate=20_000),
    "cut off in an answer": Weather(cut_after=30),
    "swallowing": Weather(swallows=True),
    "half open": Weather(forgets=True),
    "turned away": Weather(refuses=True),
}


# All in the long form; the short one takes the worst. Each has an installation and a database of
# its own: files of another folder would look lost.
EACH_STORM = pytest.mark.parametrize("name", list(STORMS) if IS_LONG else ["swallowing"])


def weather_the_storm(proxy: Proxy, name: str, *, seconds: float) -> None:
    proxy.weather = STORMS[name]
    time.sleep(seconds)
    proxy.weather = FAIR


@EACH_STORM
def test_a_bad_way_to_the_queue_holds_nobody_up(
    name: str, make_installation: MakeInstallation, make_figures: MakeFigures
) -> None:
    with Proxy() as proxy:
        installation = make_installation(REDIS_URL=f"redis://127.0.0.1:{proxy.port}/0")
        proxy.upstream = queue_socket(installation)
        installation.start()
        load = storm(installation, proxy, name, seconds=scale(short=6, long=30))
    findings = inspect(installation)
    figures = make_figures(f"way to the queue: {name}")
    figures.exactly("acknowledged and lost", len(findings.lost), 0)
    figures.exactly("errors on reads", load.reads.n_errors, 0)
    figures.exactly("refused uploads and runs", load.writes.n_errors, 0)
    figures.at_most("slowest read", load.reads.slowest, PATIENCE_SECONDS, unit="s")
    figures.verify()
    assert findings.wrong() == {}
    assert load.unexpected == []


@EACH_STORM
@pytest.mark.postgres
def test_a_bad_way_to_the_database_is_told_and_overcome(
    name: str,
    make_installation: MakeInstallation,
    make_figures: MakeFigures,
    durable_postgres: DurablePostgres,
) -> None:
    socket_path = durable_postgres.cluster.folder / ".s.PGSQL.5432"
    name_of_database = durable_postgres.url.partition("@/")[2].partition("?")[0]
    with Proxy(socket_path) as proxy:
        url = f"postgresql://postgres@127.0.0.1:{proxy.port}/{name_of_database}"
        installation = make_installation(database_url=url)
        installation.start()
        load = storm(installation, proxy, name, seconds=scale(short=8, long=40))
        findings = inspect(installation)
        installation.end()
    figures = make_figures(f"way to the database: {name}")
    figures.exactly("acknowledged and lost", len(findings.lost), 0)
    figures.exactly("answers other than good, 503 or none", load.reads.n_unexpected, 0)
    figures.at_most("slowest read", load.reads.slowest, PATIENCE_SECONDS, unit="s")
    figures.exactly("runs that failed", sum(findings.error_codes.values()), 0)
    figures.verify()
    assert findings.wrong() == {}
    assert load.unexpected == []


def queue_socket(installation: Installation) -> Path:
    return Path(embedded_queue.socket_url(installation.folder).removeprefix("unix://"))


def storm(installation: Installation, proxy: Proxy, name: str, *, seconds: float) -> Load:
    """Work before, in and after the storm; nothing is started again. Gives what was answered."""
    client = installation.client()
    machine_id = client.create_machine(f"Watched: {name}")
    with under_load(client, machine_id=machine_id) as load:
        time.sleep(1)
        weather_the_storm(proxy, name, seconds=seconds)
        wait_until_ready(installation)
        time.sleep(1)
    settle(installation)
    assert n_dead(installation) == 0
    return load
