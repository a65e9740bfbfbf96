from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from prodapp.extensions import command, db
from prodapp.models import ModelVersion
from tests.factories import make_sibling

# The services are tested on both databases.
pytestmark = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)


@pytest.fixture
def pair(filled: Flask) -> tuple[ModelVersion, ModelVersion]:
    first = db.session.scalars(select(ModelVersion)).one()
    return first, make_sibling(first)


def test_versions_from_the_command_line(
    filled: Flask, pair: tuple[ModelVersion, ModelVersion]
) -> None:
    first, second = pair
    runner = filled.test_cli_runner()

    def flask(*arguments: object) -> str:
        done = runner.invoke(args=["version", *map(str, arguments)])
        assert done.exit_code == 0, done.output
        return done.output

    machine = first.machine_id
    assert "in use" in flask("list", machine)
    flask("promote", first.id, "--reason", "seen")
    listed = json.loads(flask("list", machine, "--json"))
    assert [(row["number"], row["is_champion"]) for row in listed] == [(2, False), (1, True)]
    assert "Version 2" in flask("rollback", machine)
    flask("archive", first.id)
    assert len(json.loads(flask("list", machine, "--json"))) == 1
    flask("note", first.id, "kept for the audit")
    shown = flask("show", first.id)
    assert "archived" in shown
    assert "kept for the audit" in shown
    told = json.loads(flask("history", machine, "--json"))
    assert [row["kind"] for row in told] == ["rolled_back", "promoted", "newest", "first"]
    assert "promoted" in flask("history", machine)
    assert "Neither is better" in flask("compare", first.id, second.id)
    assert json.loads(flask("compare", first.id, second.id, "--json"))["duel"]["gain"] == 0
    assert "opens" in flask("check", first.id)
    assert "is queued" in flask("retrain", first.id)
    assert flask("sign") == "0 model files signed.\n"
    assert "newest (by PROMOTION)" in flask("rule", machine)
    assert "better (set for this machine)" in flask("rule", machine, "--set", "better")
    assert "newest (by PROMOTION)" in flask("rule", machine, "--set", "default")
    flask("archive", first.id, "--undo")
    assert json.loads(flask("show", first.id, "--json"))["archived_at"] is None


def test_refusals_have_a_message_and_a_code(
    filled: Flask, pair: tuple[ModelVersion, ModelVersion]
) -> None:
    runner = filled.test_cli_runner()
    refused = runner.invoke(args=["version", "archive", str(pair[1].id)])
    assert refused.exit_code == 1
    assert "in use" in refused.output
    missing = runner.invoke(args=["version", "promote", "999"])
    assert missing.exit_code == 3


def test_pictures_are_drawn_into_a_folder(
    filled: Flask, pair: tuple[ModelVersion, ModelVersion], tmp_path: Path
) -> None:
    folder = tmp_path / "drawn"
    done = filled.test_cli_runner().invoke(
        args=["version", "pictures", str(pair[0].id), str(folder)]
    )
    assert done.exit_code == 0, done.output
    assert "nine of ten" in done.output
    assert (folder / "predicted.svg").read_text("utf-8").startswith("<svg")


def test_signing_tells_what_nobody_vouches_for(
    filled: Flask, pair: tuple[ModelVersion, ModelVersion]
) -> None:
    with command() as session:
        session.execute(update(ModelVersion).values(artifact_signature=None))
    runner = filled.test_cli_runner()
    refused = runner.invoke(args=["version", "sign"])
    assert refused.exit_code == 1
    assert f"version {pair[0].id}: The model file is not signed" in refused.output
    done = runner.invoke(args=["version", "sign", "--unsigned"])
    assert done.output == "2 model files signed.\n"


def test_a_goal_is_sought_and_why_not_is_said(filled: Flask) -> None:
    found = db.session.scalars(select(ModelVersion)).one()
    runner = filled.test_cli_runner()
    # The file of the filled installation was uploaded without saying what can be set.
    plain = runner.invoke(args=["version", "goal", str(found.id)])
    assert plain.exit_code == 0, plain.output
    assert "No column was said to be a lever" in plain.output
    asked = ["version", "goal", str(found.id), "--target", "55", "--sense", "raise", "--json"]
    document = json.loads(runner.invoke(args=asked).output)
    assert (document["code"], document["target"]) == ("no_levers", 55.0)
    missing = runner.invoke(args=["version", "goal", "999"])
    assert missing.exit_code != 0
