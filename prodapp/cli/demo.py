"""``flask demo``: real data in an empty installation, trained through the real queue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy import func, select

from prodapp.auth import service as auth
from prodapp.cli.base import cli_caller, command, json_option, print_json
from prodapp.cli.rankings import print_ranking, ranking_document
from prodapp.cli.runs import finish
from prodapp.cli.users import sign_in_address
from prodapp.datasets import service as datasets
from prodapp.extensions import db
from prodapp.machines import overviews
from prodapp.machines import service as machines
from prodapp.models import Machine, ModelVersion, User
from prodapp.ranking import service as rankings
from prodapp.training import service as training

FOLDER = Path(__file__).resolve().parent.parent / "demo_data"
ADMIN = "admin"


@dataclass(frozen=True)
class Demo:
    machine: str
    file: str
    target: str


DEMOS = (
    Demo("Concrete plant (demo)", "concrete.csv", "compressive_strength"),
    Demo("Sacramento home prices (demo)", "sacramento.csv", "price"),
)


@command("demo")
@json_option
def demo(as_json: bool) -> None:
    """Register and train the demo machines where no machine is, and print a sign-in link.

    An installation that has machines keeps them as they are.
    """
    is_empty = not db.session.scalar(select(func.count(Machine.id)))
    documents = []
    for version in _load() if is_empty else _loaded():
        documents.append(ranking_document(version))
        if not as_json:
            print_ranking(version)
            click.echo()
    address = sign_in_address(_admin())
    if as_json:
        print_json({"is_new": is_empty, "rankings": documents, "link": address})
    else:
        click.echo(f"Sign in once, within a day: {address}")


def _load() -> Iterator[ModelVersion]:
    """Each demo machine's version, as soon as it is trained."""
    caller = cli_caller()
    for item in DEMOS:
        machine = machines.create_machine(caller, name=item.machine)
        with (FOLDER / item.file).open("rb") as source:
            dataset = datasets.register_dataset(
                caller, machine_id=machine.id, source=source, filename=item.file
            )
        started = training.start_run(
            caller, dataset_id=dataset.id, specification={"target": item.target}
        )
        click.echo(f"Training {item.machine} on {item.file} …", err=True)
        yield finish(started)


def _loaded() -> Iterator[ModelVersion]:
    """The version of the demo's first machine, where it is still there."""
    for machine in overviews.all_machines(cli_caller()):
        if machine.name == DEMOS[0].machine and machine.champion_id is not None:
            yield rankings.champion(cli_caller(), machine.id)


def _admin() -> User:
    """The administrator whom the printed link lets in; made where there is none."""
    found = db.session.scalar(
        select(User).where(User.role == "admin", User.is_active.is_(True)).order_by(User.id)
    )
    return found or auth.create_user(cli_caller(), username=ADMIN, role="admin")
