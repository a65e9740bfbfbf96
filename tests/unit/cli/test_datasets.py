"""``flask dataset …``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prodapp.datasets.jobs import import_dataset
from tests.factories import make_csv
from tests.unit.cli.conftest import Run


@pytest.fixture
def csv(tmp_path: Path) -> str:
    path = tmp_path / "produção.csv"
    path.write_bytes(make_csv(delimiter=";"))
    return str(path)


@pytest.fixture(autouse=True)
def machine(run: Run) -> None:
    run("machine", "create", "Press")


def test_a_file_is_previewed_and_nothing_stored(
    run: Run, run_json: Callable[..., Any], csv: str
) -> None:
    output = run("dataset", "preview", csv, "--override", "kind:speed=text").output
    assert "delimiter: ;" in output
    assert "kind of speed: text – Chosen by you." in output
    lines = [line.split()[:3] for line in output.splitlines()]
    assert ["heat", "number", "context"] in lines
    assert ["shift", "category", "group"] in lines
    document = run_json("dataset", "preview", csv)
    assert document["n_rows"] == 120
    assert run_json("dataset", "list", "1") == []


def test_a_preview_names_what_states_the_target(run: Run, tmp_path: Path) -> None:
    rows = "".join(f"{n},{n * 37 % 101}.5,{n * 37 % 101}.7,{n % 7}\n" for n in range(200))
    path = tmp_path / "leak.csv"
    path.write_text("n,y,copy,x\n" + rows)
    output = run("dataset", "preview", str(path), "--target", "y").output
    assert "may state the target: copy – Alone it explains 100 %" in output
    assert "may state" not in run("dataset", "preview", str(path)).output


def test_what_differs_from_the_last_file_comes_with_its_remedy(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("code,y\n" + "".join(f"{n % 7},{n * n % 31}\n" for n in range(90)))
    run("dataset", "import", "1", str(path), "--draft", "--override", "kind:code=category")
    run("dataset", "confirm", "1")
    import_dataset(1)
    # Remembered, the choice makes no difference; left out, it is offered.
    assert "to mend it" not in run("dataset", "import", "1", str(path), "--draft").output
    output = run("dataset", "reread", "2").output
    assert "was of kind category" in output
    assert "to mend it: --override 'kind:code=category'" in output


def test_a_draft_from_its_upload_to_its_import(
    run: Run, run_json: Callable[..., Any], csv: str
) -> None:
    draft = run_json("dataset", "import", "1", csv, "--draft", "--override", "decimal=.")
    assert (draft["state"], draft["overrides"]) == ("draft", {"decimal": "."})
    again = run_json("dataset", "reread", "1", "--delimiter", ";")
    assert again["overrides"] == {"delimiter": ";"}
    options = ["--target", "yield", "--sense", "hold", "--goal", "50", "--role", "heat=lever"]
    more = ["--unit", "heat=°C", "--label", "heat=Oven heat"]
    confirmed = run_json("dataset", "confirm", "1", *options, *more)
    assert confirmed["state"] == "queued"
    import_dataset(1)
    assert "(ready)" in run("dataset", "show", "1").output
    variables = run_json("machine", "variables", "1")
    assert variables[0]["name"] == "heat"
    assert (variables[0]["label"], variables[0]["unit"]) == ("Oven heat", "°C")
    assert (variables[-1]["role"], variables[-1]["goal"]) == ("target", 50.0)
    assert "Oven heat" in run("machine", "variables", "1").output
    result = run("dataset", "reread", "1", expect=1)
    assert "Upload the file again" in result.stderr


def test_rows_are_left_out_one_after_the_other_and_taken_back(
    run: Run, run_json: Callable[..., Any], csv: str
) -> None:
    run("dataset", "import", "1", csv)
    import_dataset(1)
    run("dataset", "exclude", "1", "--label", "start", "--last-row", "10")
    where = ["--where", "shift", "in", "day, evening", "--where", "heat", "<", "0"]
    found = run_json("dataset", "exclude", "1", *where)
    assert (found[0]["label"], found[0]["n_rows"]) == ("start", 10)
    assert found[1]["conditions"][0]["value"] == ["day", "evening"]
    assert found[1]["n_rows"] > 0
    assert "left out: 10 rows start" in run("dataset", "show", "1").output
    assert run("dataset", "exclude", "1", "--where", "noise", "missing", "").output
    assert len(run_json("dataset", "exclude", "1", "--clear", "--first-row", "100")) == 1
    assert run_json("dataset", "exclude", "1", "--clear") == []


def test_files_are_put_together(run: Run, run_json: Callable[..., Any], tmp_path: Path) -> None:
    for name, start in (("a", 0), ("b", 40)):
        rows = "".join(
            f"2026-03-{1 + n // 24:02d} {n % 24}:00;{n % 7};{n * n % 13}\n"
            for n in range(start, start + 48)
        )
        (tmp_path / f"{name}.csv").write_text("when;x;y\n" + rows)
    run("dataset", "import", "1", str(tmp_path / "a.csv"))
    import_dataset(1)
    run("dataset", "import", "1", str(tmp_path / "b.csv"), "--draft")
    run("dataset", "confirm", "2", "--append-to", "1", "--join-to", "1", expect=2)
    run("dataset", "confirm", "2", "--append-to", "1", "--time", "when")
    import_dataset(2)
    assert run_json("dataset", "show", "2")["n_rows"] == 88
    run("dataset", "import", "1", str(tmp_path / "b.csv"), "--draft")
    join = ["--join-to", "1", "--tolerance", "5", "--delay", "60", "--direction", "nearest"]
    run("dataset", "confirm", "3", *join, "--laboratory-time", "when")
    import_dataset(3)
    # An hour before each of 48 samples: production of nine of them is known.
    assert run_json("dataset", "show", "3")["n_rows"] == 9


def test_a_data_set_is_deleted_once_that_is_said(run: Run, csv: str) -> None:
    run("dataset", "import", "1", csv)
    run("dataset", "delete", "1", typed="n\n", expect=1)
    assert "Deleted produção.csv." in run("dataset", "delete", "1", typed="y\n").output
    assert "no data set 1" in run("dataset", "show", "1", expect=3).stderr


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["dataset", "confirm", "9"], 3, "no data set 9"),
        (["dataset", "confirm", "1", "--role", "heat"], 2, "Write NAME=VALUE"),
        (["dataset", "confirm", "1", "--role", "heat=king"], 1, "columns/0/role"),
        (["dataset", "confirm", "1", "--target", "x"], 1, "no column “x”"),
        (["dataset", "confirm", "1", "--sense", "up", "--target", "y"], 2, "'raise'"),
        (["dataset", "exclude", "1"], 2, "Say which rows"),
        (["dataset", "exclude", "1", "--where", "a", "~", "1"], 2, "not one of"),
        (["dataset", "exclude", "1", "--last-row", "5"], 1, "has been read"),
        (["dataset", "reread", "1", "--override", "colour=red"], 1, "cannot be chosen"),
        (["machine", "variables", "9"], 3, "no machine 9"),
    ],
)
def test_an_error_names_the_problem(
    run: Run, csv: str, args: list[str], code: int, words: str
) -> None:
    run("dataset", "import", "1", csv, "--draft")
    result = run(*args, expect=code)
    assert words in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("name", ["preview", "import", "reread", "confirm", "exclude", "delete"])
def test_each_command_explains_itself(run: Run, name: str) -> None:
    output = run("dataset", name, "--help").output
    assert "Usage:" in output
    assert "--help" in output
