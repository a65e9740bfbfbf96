"""``flask version …``: which version of a machine is in use, and what is said of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from prodapp.artifacts import library_changes
from prodapp.auth.objects import machine_of, version_of
from prodapp.champions import rule_of
from prodapp.cli.base import (
    EXIT_REFUSED,
    DomainGroup,
    cli_caller,
    columns_of,
    json_option,
    print_json,
    print_table,
)
from prodapp.cli.rankings import print_ranking, ranking_document
from prodapp.config import PROMOTIONS
from prodapp.models import ModelVersion
from prodapp.pagination import MAX_PAGE_SIZE
from prodapp.ranking import service as rankings
from prodapp.ranking.promotions import promotion_words
from prodapp.ranking.schemas import ARCHIVED
from prodapp.versions import comparison, sentences, service
from prodapp.versions.drawing import png_of, svg_of
from prodapp.versions.pictures import pictures
from prodapp.versions.report import check_kind, report_of
from prodapp.versions.report_files import file_of
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
def promote(version_id: int, reason: str) -> None:
    """Bring a version into use."""
    found = service.promote(cli_caller(), version_id, reason=reason)
    click.echo(f"Version {found.number} of {found.machine.name} is in use.")


@version.command("rollback")
@click.argument("machine_id", type=int)
@reason_option
def roll_back(machine_id: int, reason: str) -> None:
    """Go back to the version of a machine that was in use before."""
    found = service.roll_back(cli_caller(), machine_id, reason=reason)
    click.echo(f"Version {found.number} of {found.machine.name} is in use again.")


@version.command("rule")
@click.argument("machine_id", type=int)
@click.option(
    "--set", "rule", type=click.Choice([*PROMOTIONS, "default"]), help="default: as PROMOTION says"
)
def change_rule(machine_id: int, rule: str | None) -> None:
    """Show or say when a machine's new versions come into use by themselves."""
    caller = cli_caller()
    machine = machine_of(caller, machine_id)
    if rule is not None:
        new = None if rule == "default" else rule
        machine = service.set_rule(caller, machine_id, rule=new)
    source = "by PROMOTION" if machine.promotion is None else "set for this machine"
    click.echo(f"{machine.name}: {rule_of(machine)} ({source})")


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


def _figure(value: float | None, ends: tuple[float, float] | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if ends is None else f"{value:.4g} [{ends[0]:.4g}, {ends[1]:.4g}]"


def _place(place: comparison.Place | None) -> str:
    if place is None:
        return "–"
    return str(place.rank) if place.low is None else f"{place.rank} [{place.low}–{place.high}]"


@version.command("pictures")
@click.argument("version_id", type=int)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--format",
    "kind",
    type=click.Choice(["svg", "png"]),
    default="svg",
    show_default=True,
    help="As drawings or as dots.",
)
def save_pictures(version_id: int, folder: Path, kind: str) -> None:
    """Draw the pictures of a version into FOLDER; say what each shows."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in pictures(version_of(cli_caller(), version_id)):
        path = folder / f"{picture.key}.{kind}"
        path.write_bytes(svg_of(picture).encode() if kind == "svg" else png_of(picture))
        click.echo(f"{path}: {picture.finding}")


@version.command("report")
@click.argument("version_id", type=int)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def save_report(version_id: int, file: Path) -> None:
    """Write the report of a version to FILE: .html, .pdf or .xlsx."""
    kind = check_kind(file.suffix.removeprefix("."))
    file.write_bytes(file_of(report_of(version_of(cli_caller(), version_id)), kind))
    click.echo(file)


@version.command("check")
@click.argument("version_id", type=int)
def check(version_id: int) -> None:
    """Open the model file of a version, as a prediction would."""
    found = service.check_artifact(cli_caller(), version_id)
    then, now = library_changes(found)
    click.echo(f"Version {found.number} of {found.machine.name}: signed, and opens.")
    if then:
        click.echo(f"Made with {', '.join(then)}; here is {', '.join(now)}.")


@version.command("retrain")
@click.argument("version_id", type=int)
def retrain(version_id: int) -> None:
    """Start a run with the data and specification of a version; a worker does it."""
    run = service.train_again(cli_caller(), version_id)
    click.echo(f"Run {run.id} is queued.")


@version.command("sign")
@click.option(
    "--unsigned", is_flag=True, help="Also those of earlier releases: you vouch for them."
)
@click.option("--forged", is_flag=True, help="Those that do not fit too: you vouch.")
def sign(unsigned: bool, forged: bool) -> None:
    """Sign all model files with the present SECRET_KEY, where SECRET_KEY_BEFORE signed them."""
    done = service.sign(cli_caller(), takes_unsigned=unsigned, takes_forged=forged)
    click.echo(f"{len(done.signed)} model files signed.")
    for version_id, error in done.refused:
        click.echo(f"  version {version_id}: {error}", err=True)
    if done.refused:
        raise SystemExit(EXIT_REFUSED)


@version.command("archive")
@click.argument("version_id", type=int)
@click.option("--undo", is_flag=True, help="Take it out of the archive.")
def archive(version_id: int, undo: bool) -> None:
    """Take a version out of sight; it stays readable."""
    found = service.set_archived(cli_caller(), version_id, is_archived=not undo)
    click.echo(f"Version {found.number} of {found.machine.name}: {_state(found)}.")


@version.command("note")
@click.argument("version_id", type=int)
@click.argument("notes")
def note(version_id: int, notes: str) -> None:
    """Keep NOTES with a version, in place of those before; "" takes them away."""
    found = service.set_notes(cli_caller(), version_id, notes=notes)
    click.echo(f"Version {found.number} of {found.machine.name}: {found.notes or 'no notes'}")


def _state(found: ModelVersion) -> str:
    if found.is_champion:
        return "in use"
    return "not in use" if found.archived_at is None else "archived"


def _document(found: ModelVersion) -> dict[str, Any]:
    figures = {name: found.metrics[name] for name in ("r2", "mae", "rmse", "explains")}
    times = columns_of(found, ("notes", "archived_at", "created_at", "promotion"))
    return {**columns_of(found, FACTS), **figures, **times}
