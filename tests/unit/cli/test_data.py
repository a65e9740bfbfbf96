from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prodapp.auth.service import system_caller
from prodapp.machines import overviews
from tests.factories import make_csv
from tests.unit.cli.conftest import Run


@pytest.fixture
def csv(tmp_path: Path) -> str:
    path = tmp_path / "produção.csv"
    path.write_bytes(make_csv(delimiter=";"))
    return str(path)


def test_a_machine_from_its_creation_to_its_end(run: Run, run_json: Callable[..., Any]) -> None:
    made = run_json("machine", "create", " Prensa  01 ")
    assert made == {"id": 1, "name": "Prensa 01"}
    assert "Machine 2: Torno" in run("machine", "create", "Torno").output
    assert [m["name"] for m in run_json("machine", "list")] == ["Prensa 01", "Torno"]
    assert [m["name"] for m in run_json("machine", "list", "--search", "PREN")] == ["Prensa 01"]
    assert "Machine 1: Prensa 1" in run("machine", "rename", "1", "Prensa 1").output
    assert "Prensa 1" in run("machine", "list").output
    assert "Deleted Torno." in run("machine", "delete", "2", "--yes").output
    assert len(overviews.all_machines(system_caller())) == 1


def test_deleting_asks_first(run: Run) -> None:
    run("machine", "create", "Press")
    result = run("machine", "delete", "1", typed="n\n", expect=1)
    assert "Delete Press with all its data and results?" in result.output
    assert len(overviews.all_machines(system_caller())) == 1
    run("machine", "delete", "1", typed="y\n")
    assert not overviews.all_machines(system_caller())


def test_an_empty_list_is_a_list(run: Run, run_json: Callable[..., Any]) -> None:
    assert run_json("machine", "list") == []
    assert run("machine", "list").output.split()[:2] == ["id", "name"]


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["machine", "create", ""], 1, "Give the machine a name."),
        (["machine", "create", "TAKEN"], 1, "already a machine named"),
        (["machine", "rename", "9", "x"], 3, "no machine 9"),
        (["machine", "rename", "1", ""], 1, "Give the machine a name."),
        (["machine", "delete", "9", "--yes"], 3, "no machine 9"),
        (["machine", "delete", "9" * 40, "--yes"], 3, "no machine"),
        (["machine", "delete", "one", "--yes"], 2, "not a valid integer"),
        (["dataset", "list", "9"], 3, "no machine 9"),
        (["dataset", "show", "9"], 3, "no data set 9"),
        (["dataset", "import", "1", "/nowhere.csv"], 2, "does not exist"),
        (["dataset", "import", "1", "/"], 2, "is a directory"),
        (["ranking", "show", "1"], 1, "not been trained yet"),
        (["ranking", "show", "9"], 3, "no machine 9"),
        (["runs", "cancel", "9"], 3, "no training run 9"),
        (["runs", "retry", "9"], 3, "no training run 9"),
        (["runs", "list", "--machine", "9"], 3, "no machine 9"),
        (["runs", "list", "--state", "lost"], 2, "'queued'"),
        (["train", "1", "--target", "y"], 2, "either a FILE or a --dataset"),
        (["train", "1", "--dataset", "9", "--target", "y"], 3, "no data set 9"),
    ],
)
def test_an_error_names_the_problem_on_standard_error(
    run: Run, args: list[str], code: int, words: str
) -> None:
    run("machine", "create", "taken")
    result = run(*args, expect=code)
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_a_file_is_uploaded_and_its_reading_shown(
    run: Run, run_json: Callable[..., Any], csv: str
) -> None:
    run("machine", "create", "Press")
    output = run("dataset", "import", "1", csv).output
    assert "Data set 1 of machine 1: produção.csv (queued)" in output
    assert "delimiter: ;" in output
    assert any(line.split()[:2] == ["heat", "number"] for line in output.splitlines())
    assert run("dataset", "show", "1").output == output
    shown = run_json("dataset", "show", "1")
    assert shown["preview"]["columns"][0]["name"] == "heat"
    (listed,) = run_json("dataset", "list", "1")
    assert (listed["filename"], listed["state"]) == ("produção.csv", "queued")
    assert "produção.csv" in run("dataset", "list", "1").output


def test_a_file_that_is_no_table_is_refused(run: Run, tmp_path: Path) -> None:
    run("machine", "create", "Press")
    for name, content in (("empty.csv", b""), ("zeros.csv", b"\x00" * 99)):
        (tmp_path / name).write_bytes(content)
        result = run("dataset", "import", "1", str(tmp_path / name), expect=1)
        assert name in result.stderr


def test_machines_are_sorted_and_paged(run: Run, run_json: Callable[..., Any]) -> None:
    for name in ("Mill", "Kiln", "Press"):
        run("machine", "create", name)
    options = ["--sort", "name", "--descending", "--page-size", "2"]
    first = run_json("machine", "list", *options)
    assert [machine["name"] for machine in first] == ["Press", "Mill"]
    second = run("machine", "list", *options, "--page", "2")
    assert "Kiln" in second.stdout
    assert "page 2 of 2, 3 machines" in second.stderr


def test_one_machine_is_shown(run: Run, run_json: Callable[..., Any]) -> None:
    run("machine", "create", "Mill")
    assert run_json("machine", "show", "1")["status"] == "created"
    assert "Mill" in run("machine", "show", "1").stdout
    run("machine", "show", "2", expect=3)
