"""What the last confirmed file of a machine says about the next one."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from flask import Flask

from prodapp.caller import Caller
from prodapp.datasets import drafts, service
from prodapp.datasets.documents import REMEMBERED
from prodapp.datasets.jobs import import_dataset
from prodapp.exceptions import InvalidInput
from prodapp.extensions import db
from prodapp.machines.variables import save_variables
from prodapp.models import Dataset, Machine
from prodapp.variables import TableSettings, remembered_variables
from tests.factories import make_csv, make_machine

COMMA = b"a;b;c\n" + b"".join(b"%d;%d,5;1.%03d\n" % (n, n * n % 13, n) for n in range(1, 60))


def upload(caller: Caller, machine: Machine, content: bytes, **more: Any) -> Dataset:
    return service.register_dataset(
        caller, machine_id=machine.id, source=io.BytesIO(content), filename="x.csv", **more
    )


def taken(caller: Caller, machine: Machine, content: bytes, **more: Any) -> Dataset:
    """A draft that was confirmed and imported."""
    dataset = upload(caller, machine, content, is_draft=True, **more)
    drafts.confirm(caller, dataset.id, settings=TableSettings())
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    return dataset


def codes(dataset: Dataset) -> dict[str, str]:
    return {item["column"]: item["code"] for item in dataset.preview["differences"]}


def test_the_next_file_is_read_as_the_last_one_and_says_so(any_app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    first = taken(caller, machine, COMMA, overrides={"decimal:c": ".", "encoding": "cp1252"})
    reasons = {d["name"]: d["reason"] for d in first.preview["decisions"]}
    assert REMEMBERED not in reasons.values()
    dataset = upload(caller, machine, COMMA, is_draft=True)
    assert dataset.overrides == {"decimal:c": ".", "encoding": "cp1252"}
    told = {(d["name"], d["column"]): d["reason"] for d in dataset.preview["decisions"]}
    assert told["encoding", None] == REMEMBERED
    assert told["decimal", None] != REMEMBERED
    # Taken back, it is found out; made again, it is the person's own.
    drafts.reread(caller, dataset.id, overrides={})
    assert dataset.overrides == {}
    drafts.reread(caller, dataset.id, overrides={"encoding": "utf-8"})
    assert REMEMBERED not in [d["reason"] for d in dataset.preview["decisions"]]


def test_the_import_still_knows_what_was_only_remembered(any_app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    taken(caller, machine, COMMA, overrides={"encoding": "cp1252"})
    dataset = taken(caller, machine, COMMA)
    reasons = {d["name"]: d["reason"] for d in dataset.preview["decisions"]}
    assert reasons["encoding"] == REMEMBERED


def test_what_is_remembered_refuses_no_file_that_can_be_read_without_it(
    app: Flask, caller: Caller
) -> None:
    machine = make_machine(caller)
    taken(caller, machine, COMMA, overrides={"first_row": "2"})
    short = b"x,y\n" + b"1,2\n3,5\n4,4\n" * 9
    dataset = upload(caller, machine, b"only,one,row\n" + short[4:], is_draft=True)
    assert dataset.state == "draft"
    with_workbook = {"sheet": "Dados"}
    machine.overrides = with_workbook
    db.session.commit()
    dataset = upload(caller, machine, short)
    assert dataset.preview["n_rows"] == 27


def test_a_file_that_differs_from_the_last_one_is_told_how(any_app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    taken(caller, machine, make_csv())
    figures = {v.name: v for v in remembered_variables(db.session(), machine.id)}
    heat = figures["heat"]
    assert heat.kind == "number"
    assert heat.low < heat.middle < heat.high
    lines = make_csv(seed=1).decode().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    changed = "heat,Speed,turn,yield\n" + "\n".join(
        f"{r[0]},{r[1]},{r[2]},{float(r[4]) * 1000:.1f}" for r in rows
    )
    dataset = upload(caller, machine, changed.encode(), is_draft=True)
    assert codes(dataset) == {
        "Speed": "renamed",
        "turn": "new",
        "shift": "missing",
        "noise": "missing",
        "yield": "scaled",
    }


def test_the_first_file_and_one_like_the_last_differ_in_nothing(
    any_app: Flask, caller: Caller
) -> None:
    machine = make_machine(caller)
    assert taken(caller, machine, make_csv()).preview["differences"] == []
    assert taken(caller, machine, make_csv(seed=2)).preview["differences"] == []


def test_a_column_of_another_kind_comes_with_its_remedy(app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    rows = b"".join(b"%d,%d\n" % (n % 7, n * n % 11) for n in range(60))
    taken(caller, machine, b"code,y\n" + rows, overrides={"kind:code": "category"})
    dataset = upload(caller, machine, b"code,y\n" + rows, is_draft=True)
    drafts.reread(caller, dataset.id, overrides={})
    (difference,) = dataset.preview["differences"]
    assert difference["code"] == "retyped"
    drafts.reread(caller, dataset.id, overrides=difference["remedy"])
    assert dataset.preview["differences"] == []


def table(*, name: str = "heat", factor: int = 1) -> bytes:
    lines = make_csv(seed=1).decode().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    body = "".join(f"{r[0]},{round(float(r[4]), 1) * factor:.1f}\n" for r in rows)
    return f"{name},yield\n{body}".encode()


def remedies(dataset: Dataset) -> dict[str, str]:
    return {k: v for d in dataset.preview["differences"] for k, v in d["remedy"].items()}


def test_a_renamed_column_and_one_in_another_unit_are_read_as_before(
    any_app: Flask, caller: Caller
) -> None:
    machine = make_machine(caller)
    before = taken(caller, machine, table())
    dataset = upload(caller, machine, table(name="Heat", factor=1000), is_draft=True)
    assert remedies(dataset) == {"name:Heat": "heat", "factor:yield": "0.001"}
    drafts.reread(caller, dataset.id, overrides=remedies(dataset))
    assert dataset.preview["differences"] == []
    assert dataset.preview["rows"] == before.preview["rows"]
    drafts.confirm(caller, dataset.id, settings=TableSettings())
    # The next file comes as the first one did: what was remembered for the second goes again.
    third = upload(caller, machine, table(), is_draft=True)
    assert codes(third) == {"yield": "scaled"}
    assert remedies(third) == {"factor:yield": "1"}
    drafts.reread(caller, third.id, overrides={**third.overrides, **remedies(third)})
    assert third.preview["rows"] == before.preview["rows"]


@pytest.mark.parametrize(
    ("choice", "value"),
    [("name:heat", "yield"), ("name:heat", ""), ("factor:yield", "0"), ("factor:yield", "much")],
)
def test_a_name_that_is_taken_and_a_factor_that_is_none_are_refused(
    app: Flask, caller: Caller, choice: str, value: str
) -> None:
    dataset = upload(caller, make_machine(caller), table(), is_draft=True)
    with pytest.raises(InvalidInput):
        drafts.reread(caller, dataset.id, overrides={choice: value})


def test_the_import_says_more_of_the_columns_than_their_names(
    any_app: Flask, caller: Caller
) -> None:
    machine = make_machine(caller)
    rows = make_csv(n_rows=400).decode().splitlines()
    copied = "\n".join(
        f"{row},{'copy' if place == 0 else row.split(',')[4]}" for place, row in enumerate(rows)
    )
    dataset = upload(caller, machine, copied.encode(), is_draft=True)
    assert not dataset.preview["profile"]["suspects"]  # no target is known yet
    settings = TableSettings(target="yield", sense="raise")
    drafts.confirm(caller, dataset.id, settings=settings)
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    profile = dataset.preview["profile"]
    assert [suspect["name"] for suspect in profile["suspects"]] == ["copy"]
    roles = {column["name"]: column["role"] for column in profile["columns"]}
    assert (roles["copy"], roles["yield"], roles["shift"]) == ("consequence", "target", "group")
    heat = profile["columns"][0]
    assert (len(heat["sketch"]), len(heat["sparkline"])) == (20, 40)
    assert json.dumps(dataset.preview, allow_nan=False)
    # The next file of the machine is looked at with its target.
    following = upload(caller, machine, copied.encode(), is_draft=True)
    assert [s["name"] for s in following.preview["profile"]["suspects"]] == ["copy"]


def test_the_profile_of_a_preview_is_of_all_rows_seen(app: Flask, caller: Caller) -> None:
    """The first rows alone mislead: of a file that was sorted they are all alike."""
    rows = "".join(f"{n // 100},{n % 17},{n // 100 + n % 3}\n" for n in range(6_000))
    machine = make_machine(caller)
    taken(caller, machine, b"y,x,copy\n" + rows.encode())
    save_variables(caller, machine.id, settings=TableSettings(target="y"))
    dataset = upload(caller, machine, b"y,x,copy\n" + rows.encode(), is_draft=True)
    assert sum(dataset.preview["profile"]["columns"][1]["sketch"]) == 6_000
    assert [s["name"] for s in dataset.preview["profile"]["suspects"]] == ["copy"]
