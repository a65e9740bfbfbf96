"""``flask version …`` where it is about files: charts, reports, the signed model file."""

from __future__ import annotations

from pathlib import Path

import click

from prodapp.artifacts import library_changes
from prodapp.auth.objects import version_of
from prodapp.cli.base import EXIT_REFUSED, cli_caller
from prodapp.cli.told import Told, tells
from prodapp.cli.versions import version
from prodapp.versions import service
from prodapp.versions.drawing import png_of, svg_of
from prodapp.versions.pictures import pictures
from prodapp.versions.report import check_kind, report_of
from prodapp.versions.report_files import file_of

#: The group as it is with the commands of this module.
__all__ = ["version"]


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
@tells
def save_pictures(version_id: int, folder: Path, kind: str) -> Told:
    """Draw the pictures of a version into FOLDER; say what each shows."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for picture in pictures(version_of(cli_caller(), version_id)):
        path = folder / f"{picture.key}.{kind}"
        path.write_bytes(svg_of(picture).encode() if kind == "svg" else png_of(picture))
        drawn.append({"file": str(path), "key": picture.key, "finding": picture.finding})
    return Told("\n".join(f"{one['file']}: {one['finding']}" for one in drawn), drawn)


@version.command("report")
@click.argument("version_id", type=int)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@tells
def save_report(version_id: int, file: Path) -> Told:
    """Write the report of a version to FILE: .html, .pdf or .xlsx."""
    kind = check_kind(file.suffix.removeprefix("."))
    file.write_bytes(file_of(report_of(version_of(cli_caller(), version_id)), kind))
    return Told(str(file), {"version_id": version_id, "file": str(file), "kind": kind})


@version.command("check")
@click.argument("version_id", type=int)
@tells
def check(version_id: int) -> Told:
    """Open the model file of a version, as a prediction would."""
    found = service.check_artifact(cli_caller(), version_id)
    then, now = library_changes(found)
    words = [f"Version {found.number} of {found.machine.name}: signed, and opens."]
    if then:
        words.append(f"Made with {', '.join(then)}; here is {', '.join(now)}.")
    document = {"id": found.id, "is_signed": True, "made_with": then, "here": now}
    return Told("\n".join(words), document)


@version.command("sign")
@click.option(
    "--unsigned", is_flag=True, help="Also those of earlier releases: you vouch for them."
)
@click.option("--forged", is_flag=True, help="Those that do not fit too: you vouch.")
@tells
def sign(unsigned: bool, forged: bool) -> Told:
    """Sign all model files with the present SECRET_KEY, where SECRET_KEY_BEFORE signed them."""
    done = service.sign(cli_caller(), takes_unsigned=unsigned, takes_forged=forged)
    refused = [{"version_id": found, "error": str(error)} for found, error in done.refused]
    return Told(
        f"{len(done.signed)} model files signed.",
        {"signed": list(done.signed), "refused": refused},
        asides=[f"  version {one['version_id']}: {one['error']}" for one in refused],
        code=EXIT_REFUSED if refused else 0,
    )
