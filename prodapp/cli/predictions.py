"""``flask predict …``."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from prodapp.caller import Caller
from prodapp.cli.base import (
    DomainGroup,
    cli_caller,
    columns_of,
    json_option,
    print_json,
    print_table,
)
from prodapp.cli.told import Told, tells
from prodapp.exceptions import InvalidInput, N_
from prodapp.extensions import db
from prodapp.predictions import actuals, batches, exports, history, service
from prodapp.predictions.documents import inputs_document, kept_documents, made_documents
from prodapp.predictions.history import Wanted
from prodapp.predictions.service import Ask
from prodapp.predictions.versions import ServedVersion, named_version, version_in_use

FOLLOW_SECONDS = 0.5

predict = DomainGroup("predict", help="Ask versions, and see what came true.")
version_option = click.option(
    "--version", "version_id", type=int, help="By this version, not by the one in use."
)
level_option = click.option(
    "--level", type=float, default=service.LEVEL, show_default=True, help="Of the intervals."
)


@predict.command("one")
@click.argument("machine_id", type=int)
@click.argument("values", nargs=-1)
@version_option
@level_option
@click.option("--contributions", is_flag=True, help="What each variable adds.")
@json_option
def predict_one(
    machine_id: int,
    values: tuple[str, ...],
    version_id: int | None,
    level: float,
    contributions: bool,
    as_json: bool,
) -> None:
    """Predict one row of the machine MACHINE_ID, given as VALUES of the form NAME=VALUE.

    A variable that is not named has its usual value; NAME= says that it is not known.
    """
    caller = cli_caller()
    version = _version(caller, machine_id, version_id)
    record = _record(version, values)
    made = service.predict(
        caller, version, [record], Ask("cli", level=level, contributions=contributions)
    )
    document = made_documents(made)[0]
    if as_json:
        print_json(document)
        return
    _print(document)


@predict.command("file")
@click.argument("machine_id", type=int)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("output", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@version_option
@level_option
@click.option("--here", is_flag=True, help="In this process, without a worker.")
@tells
def predict_file(
    machine_id: int, file: Path, output: Path, version_id: int | None, level: float, here: bool
) -> Told:
    """Answer the rows of FILE and write them into OUTPUT (.csv, .xlsx or .parquet)."""
    kind = output.suffix.lstrip(".").lower()
    if kind not in exports.MIME_TYPES:
        raise click.UsageError("OUTPUT must end in .csv, .xlsx or .parquet.")
    caller = cli_caller()
    with file.open("rb") as source:
        batch = batches.start_batch(
            caller,
            _version(caller, machine_id, version_id),
            source=source,
            filename=file.name,
            level=level,
        )
    if here:
        from prodapp.predictions.jobs import run_batch

        run_batch(batch.id)
    while (batch := _fresh(caller, batch.id)).is_active:
        time.sleep(FOLLOW_SECONDS)
    if batch.error_code:
        raise InvalidInput(batch.error_message or "", **(batch.error_params or {}))
    with exports.result_file(batches.result_key(batch), kind) as result:
        output.write_bytes(result.read())
    words = f"{batch.n_rows} rows answered, {batch.n_new} of them new to the model: {output}"
    return Told(words, {**columns_of(batch, ("id", "n_rows", "n_new")), "file": str(output)})


@predict.command("inputs")
@click.argument("machine_id", type=int)
@version_option
@json_option
def show_inputs(machine_id: int, version_id: int | None, as_json: bool) -> None:
    """Show what the version in use takes, and the values that it learned from."""
    document = inputs_document(_version(cli_caller(), machine_id, version_id))
    if as_json:
        print_json(document)
        return
    print_table(
        ("variable", "kind", "unit", "lowest", "middle", "highest", "seen"),
        [
            (v["name"], v["kind"], v["unit"], v["low"], v["middle"], v["high"], _seen(v["seen"]))
            for v in document["variables"]
        ],
    )


@predict.command("history")
@click.option("--machine", "machine_id", type=int, help="Only of this machine.")
@click.option("--version", "version_id", type=int, help="Only by this version.")
@click.option("--by", "actor", default="", help="Who asked.")
@click.option("--new", "is_new", is_flag=True, default=None, help="Only rows new to the model.")
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="At most so many.",
)
@json_option
def show_history(as_json: bool, limit: int, **wanted: Any) -> None:
    """List predictions, newest first."""
    page = history.page_of(cli_caller(), Wanted(**wanted), page_size=limit)
    documents = kept_documents(page.items)
    if as_json:
        print_json(documents)
        return
    headers = ("occurred_at", "id", "version", "output", "actual", "is_new", "actor")
    print_table(headers, [[document[name] for name in headers] for document in documents])


@predict.command("actual")
@click.argument("prediction_id", type=click.UUID)
@click.argument("value", type=float)
@tells
def tell_actual(prediction_id: UUID, value: float) -> Told:
    """Tell that VALUE really came out where PREDICTION_ID was predicted."""
    row = history.record_actual(cli_caller(), prediction_id, value)
    words = f"predicted {row.output:.6g}, came out {value:.6g}"
    return Told(words, {"id": str(row.id), "output": row.output, "actual": value})


@predict.command("actuals")
@click.argument("machine_id", type=int)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@tells
def tell_actuals(machine_id: int, file: Path) -> Told:
    """Tell what really came out by FILE, with the columns prediction_id and actual."""
    found = actuals.record_file(
        cli_caller(), machine_id, source=io.BytesIO(file.read_bytes()), filename=file.name
    )
    return Told(f"{found['n_recorded']} recorded, {found['n_unknown']} unknown", found)


def _version(caller: Caller, machine_id: int, version_id: int | None) -> ServedVersion:
    if version_id is None:
        return version_in_use(caller, machine_id)
    version = named_version(caller, version_id)
    if version.machine_id != machine_id:
        raise InvalidInput(
            N_("Version %(version)s is not one of machine %(machine)s."),
            version=version_id,
            machine=machine_id,
        )
    return version


def _record(version: ServedVersion, values: tuple[str, ...]) -> dict[str, Any]:
    """The usual record with what was said; numbers as JSON has them, all else is text."""
    document = inputs_document(version)
    numbers = {v["name"] for v in document["variables"] if v["kind"] == "number"}
    record: dict[str, Any] = dict(document["record"])
    for text in values:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise click.UsageError(f"Write NAME=VALUE, not {text!r}.")
        record[name] = _value(value, is_number=name in numbers)
    return record


def _value(text: str, *, is_number: bool) -> Any:
    if not text:
        return None
    if not is_number:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _fresh(caller: Caller, batch_id: int) -> Any:
    db.session.rollback()
    db.session.expire_all()
    return batches.batch_of(caller, batch_id)


def _seen(values: list[str]) -> str | None:
    return ", ".join(values[:5]) + (", …" if len(values) > 5 else "") if values else None


def _print(document: dict[str, Any]) -> None:
    interval = document["interval"]
    reach = (
        "no interval: too few held-out samples"
        if interval is None
        else f"{interval['low']:.6g} to {interval['high']:.6g}, {interval['level']:.0%} sure"
    )
    click.echo(f"{document['target']}: {document['output']:.6g} ({reach})")
    for surprise in document["surprises"]:
        click.secho(f"Never seen: {surprise['detail']}", bold=True)
    found = document.get("contributions")
    if found is not None:
        click.echo(f"From {found['base']:.6g} on average ({found['scale']}):")
        rows = sorted(found["values"], key=lambda item: -abs(item["contribution"]))
        print_table(
            ("variable", "value", "adds"),
            [(item["variable"], item["value"], item["contribution"]) for item in rows],
        )
    click.echo(f"Kept as {document['id']}.")
