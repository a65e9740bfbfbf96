"""``flask version …``: which version of a machine is in use, and what is said of each."""

from __future__ import annotations

from typing import Any

import click

from prodapp.auth.objects import machine_of, version_of
from prodapp.champions import rule_of
from prodapp.cli.base import (
    DomainGroup,
    cli_caller,
    columns_of,
    json_option,
    print_json,
    print_table,
)
from prodapp.cli.rankings import print_ranking, ranking_document
from prodapp.cli.runs import told_of
from prodapp.cli.told import Told, tells
from prodapp.config import PROMOTIONS
from prodapp.models import ModelVersion
from prodapp.pagination import MAX_PAGE_SIZE
from prodapp.ranking import service as rankings
from prodapp.ranking.promotions import promotion_words
from prodapp.ranking.schemas import ARCHIVED
from prodapp.versions import change_words, comparison, sentences, service
from prodapp.versions.schemas import VersionComparisonSchema

version = DomainGroup("version", help="Versions of a machine's model.")
reason_option = click.option("--reason", default="", help="Why; kept in the history.")
FACTS = ("id", "number", "machine_id", "run_id", "dataset_id", "target", "is_champion")


@version.command("list")
@click.argument("machine_id", type=int)
@click.option(
    "--archived",
    type=click.Choice(list(ARCHIVED)),
    default="no",
    show_default=True,
    help="Archived ones.",
)
@json_option
def list_versions(machine_id: int, archived: str, as_json: bool) -> None:
    """List the versions of a machine, newest first."""
    found = rankings.list_versions(
        cli_caller(),
        machine_id=machine_id,
        archived=ARCHIVED[archived],
        page_size=MAX_PAGE_SIZE,
    )
    if as_json:
        print_json([_document(item) for item in found.items])
        return
    print_table(
        ("id", "version", "state", "target", "R²", "MAE", "made", "notes"),
        [
            (
                item.id,
                item.number,
                _state(item),
                item.target,
                item.metrics["r2"],
                item.metrics["mae"],
                item.created_at,
                " ".join((item.notes or "").split())[:40],
            )
            for item in found.items
        ],
    )
    if found.n_pages > 1:
        click.echo(f"the newest {len(found.items)} of {found.total} versions", err=True)


@version.command("show")
@click.argument("version_id", type=int)
@json_option
def show_version(version_id: int, as_json: bool) -> None:
    """Show a version: its state, its notes, its figures and its ranking."""
    found = version_of(cli_caller(), version_id)
    if as_json:
        print_json({**_document(found), **ranking_document(found)})
        return
    click.echo(f"Version {found.number}, {_state(found)}")
    for sentence in promotion_words(found):
        click.echo(sentence)
    if found.notes:
        click.echo(found.notes)
    print_ranking(found)


@version.command("history")
@click.argument("machine_id", type=int)
@json_option
def show_history(machine_id: int, as_json: bool) -> None:
    """Show which version of a machine was in use since when, and why; the latest first."""
    names = ("created_at", "kind", "changed_by", "reason")
    rows = [
        {
            "version_id": change.version_id,
            "version": change.version.number,
            **columns_of(change, names),
        }
        for change in service.history(cli_caller(), machine_id)
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(("id", "version", *names), [list(row.values()) for row in rows])


@version.command("promote")
@click.argument("version_id", type=int)
@reason_option
@tells
def promote(version_id: int, reason: str) -> Told:
    """Bring a version into use."""
    found = service.promote(cli_caller(), version_id, reason=reason)
    return _told(found, "is in use")


@version.command("rollback")
@click.argument("machine_id", type=int)
@reason_option
@tells
def roll_back(machine_id: int, reason: str) -> Told:
    """Go back to the version of a machine that was in use before."""
    found = service.roll_back(cli_caller(), machine_id, reason=reason)
    return _told(found, "is in use again")


@version.command("rule")
@click.argument("machine_id", type=int)
@click.option(
    "--set", "rule", type=click.Choice([*PROMOTIONS, "default"]), help="default: as PROMOTION says"
)
@tells
def change_rule(machine_id: int, rule: str | None) -> Told:
    """Show or say when a machine's new versions come into use by themselves."""
    caller = cli_caller()
    machine = machine_of(caller, machine_id)
    if rule is not None:
        new = None if rule == "default" else rule
        machine = service.set_rule(caller, machine_id, rule=new)
    source = "by PROMOTION" if machine.promotion is None else "set for this machine"
    document = {
        "machine_id": machine.id,
        "rule": rule_of(machine),
        "is_of_this_machine": machine.promotion is not None,
    }
    return Told(f"{machine.name}: {rule_of(machine)} ({source})", document)


@version.command("compare")
@click.argument("first_id", type=int)
@click.argument("second_id", type=int)
@json_option
def compare(first_id: int, second_id: int, as_json: bool) -> None:
    """Set two versions of a machine side by side."""
    found = comparison.compare(cli_caller(), first_id, second_id)
    if as_json:
        print_json(VersionComparisonSchema().dump(found))
        return
    titles = (f"version {found.first.number}", f"version {found.second.number}")
    print_table(
        ("figure", *titles),
        [
            (f.name, _figure(f.first, f.first_interval), _figure(f.second, f.second_interval))
            for f in found.figures
        ],
    )
    click.echo(sentences.who_is_better(found))
    if found.differences:
        print_table(
            ("specification", *titles), [(d.name, d.first, d.second) for d in found.differences]
        )
    print_table(
        ("variable", *titles, ""),
        [
            (m.feature, _place(m.first), _place(m.second), "moved" if m.is_beyond else "")
            for m in found.ranking
        ],
    )
    click.echo(sentences.what_moved(found))
    for sentence in change_words.change_sentences(found):
        click.echo(sentence)


def _figure(value: float | None, ends: tuple[float, float] | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if ends is None else f"{value:.4g} [{ends[0]:.4g}, {ends[1]:.4g}]"


def _place(place: comparison.Place | None) -> str:
    if place is None:
        return "–"
    return str(place.rank) if place.low is None else f"{place.rank} [{place.low}–{place.high}]"


@version.command("retrain")
@click.argument("version_id", type=int)
@tells
def retrain(version_id: int) -> Told:
    """Start a run with the data and specification of a version; a worker does it."""
    return told_of(service.train_again(cli_caller(), version_id))


@version.command("archive")
@click.argument("version_id", type=int)
@click.option("--undo", is_flag=True, help="Take it out of the archive.")
@tells
def archive(version_id: int, undo: bool) -> Told:
    """Take a version out of sight; it stays readable."""
    found = service.set_archived(cli_caller(), version_id, is_archived=not undo)
    return _told(found, f"is {_state(found)} now")


@version.command("note")
@click.argument("version_id", type=int)
@click.argument("notes")
@tells
def note(version_id: int, notes: str) -> Told:
    """Keep NOTES with a version, in place of those before; "" takes them away."""
    found = service.set_notes(cli_caller(), version_id, notes=notes)
    return _told(found, f"has the notes: {found.notes}" if found.notes else "has no notes")


def _told(found: ModelVersion, words: str) -> Told:
    return Told(f"Version {found.number} of {found.machine.name} {words}.", _document(found))


def _state(found: ModelVersion) -> str:
    if found.is_champion:
        return "in use"
    return "not in use" if found.archived_at is None else "archived"


def _document(found: ModelVersion) -> dict[str, Any]:
    figures = {name: found.metrics[name] for name in ("r2", "mae", "rmse", "explains")}
    times = columns_of(found, ("notes", "archived_at", "created_at", "promotion"))
    return {**columns_of(found, FACTS), **figures, **times}
