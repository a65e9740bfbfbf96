"""Every command of README and docs is executed, or stands here with the reason why it is not."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from flask import Flask

from prodapp.backup import archive
from tests.conftest import ROOT
from tests.factories import make_csv

DOCUMENTS = [
    path for pattern in ("*.md", "docs/*.md", "docs/*/*.md") for path in sorted(ROOT.glob(pattern))
]
NOT_HERE = {
    r"^make run|^make test": "tests/functional/test_supervisor.py runs the one, CI the other",
    r"^make bundle|^sha256sum|^tar |/install\.sh": "tests/unit/test_bundle.py",
    r"^python3 -m venv|^pip install": "make does the same; CI begins with it",
    r"flask --app wsgi (worker|run|dispatcher)\b": "runs until stopped: tests/functional",
    r"flask --app wsgi train 1 data\.csv --target \S+$": "waits for a worker: tests/functional",
    r"^(KEY|API)=|^curl ": "needs a server: tests/functional/test_walks.py makes such calls",
    r"^docker |^kubectl |^cp deploy/": "needs an engine or a cluster: make check-delivery reads it",
    r"^export FLASK_APP|^eval ": "tests/unit/cli/test_completion.py",
    r"^\d+ \d+ \* \* \*": "a line for cron; its command is executed",
}
# What ends with another code than 0 here, and why.
CODES = {
    "doctor": {0, 1},  # no worker is running
    "backup restore NAME": {1},  # refused: the installation is not empty
    "backup restore NAME --replace": {2},  # nobody there to be asked
    "backup verify NAME": {0},
}


@dataclass(frozen=True)
class Command:
    document: str
    line: str

    @property
    def reason(self) -> str | None:
        """Why it is not executed, ``None`` where it is."""
        return next((why for what, why in NOT_HERE.items() if re.search(what, self.line)), None)

    @property
    def words(self) -> list[str]:
        """What follows ``flask --app wsgi``; optional parts are left out."""
        line = re.sub(r"\[[^\]]*\]", "", self.line)
        return shlex.split(line, comments=True)[3:]


def commands(path: Path) -> Iterator[Command]:
    """The command lines in the blocks marked ``sh``, continued lines joined."""
    text = path.read_text(encoding="utf-8")
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            bare = re.split(r"(?:^|\s)# ?", line)[0].strip()
            if bare:
                yield Command(path.name, bare)


@pytest.fixture
def desk(app: Flask, tmp_path: Path) -> Path:
    """A folder as a reader has it: a file of data."""
    content = make_csv(n_rows=80).replace(b"yield", b"strength", 1)
    (tmp_path / "data.csv").write_bytes(content)
    return tmp_path


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_tells_to_type_works(app: Flask, desk: Path, path: Path) -> None:
    found = list(commands(path))
    if any("machine create" not in c.line and " 1" in c.line for c in found) and not any(
        "machine create" in c.line for c in found
    ):
        _run(app, desk, ["machine", "create", "Press 01"])
    unknown = [c.line for c in found if c.reason is None and not _is_ours(c)]
    assert unknown == []
    for command in found:
        if command.reason is None:
            _run(app, desk, command.words)


def _is_ours(command: Command) -> bool:
    return command.line.startswith("flask --app wsgi ")


def _run(app: Flask, desk: Path, words: list[str]) -> None:
    told = " ".join(words)
    backups = [folder.name for folder, _ in archive.find_backups(archive.default_folder())]
    args = [word.replace("/mnt/backups/prodapp", str(desk / "backups")) for word in words]
    args = [backups[-1] if word == "NAME" else word for word in args]
    args = [str(desk / word) if word == "data.csv" else word for word in args]
    result = app.test_cli_runner().invoke(args=args)
    wanted = next((codes for start, codes in CODES.items() if told == start), None)
    if wanted is None:
        wanted = CODES["doctor"] if words[0] == "doctor" else {0}
    assert result.exit_code in wanted, f"flask {told}\n{result.output}\n{result.exception!r}"


def test_most_commands_are_executed() -> None:
    found = [command for path in DOCUMENTS for command in commands(path)]
    executed = [command for command in found if command.reason is None]
    assert len(executed) >= 25
    reasons = {what for what in NOT_HERE if not any(re.search(what, c.line) for c in found)}
    assert reasons == {r"^\d+ \d+ \* \* \*"}  # that block is not marked as a shell's


def test_commands_in_running_text_exist(app: Flask) -> None:
    known = {*app.cli.commands, "run", "shell", "routes", "db"}
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(r"`flask (?:--app wsgi )?([a-z]+)", text))
        assert named <= known, path.name


def test_targets_that_are_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    for path in DOCUMENTS:
        named = set(re.findall(r"`make ([a-z][a-z-]*)", path.read_text(encoding="utf-8")))
        assert named <= targets, path.name


def test_files_that_are_named_exist() -> None:
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (path.parent / link).exists(), f"{path.name}: {link}"
        pattern = r"`((?:prodapp|tests|deploy|scripts|migrations|\.github)/[\w./-]+)`"
        for name in re.findall(pattern, text):
            assert (ROOT / name).exists(), f"{path.name}: {name}"


def test_pictures_are_small_and_each_is_shown_somewhere() -> None:
    pictures = set((ROOT / "docs" / "screens").rglob("*.webp"))
    assert sum(picture.stat().st_size for picture in pictures) < 10_000_000
    shown = {
        (path.parent / link).resolve()
        for path in DOCUMENTS
        for link in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", path.read_text(encoding="utf-8"))
    }
    assert pictures <= shown


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_the_guide_calls_things_as_the_pages_do(language: str) -> None:
    """What is in bold type in the guide is a text of the interface, in its language."""
    with (ROOT / "prodapp/translations/pt_BR/LC_MESSAGES/messages.po").open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    texts = set()
    for message in messages:
        told = message.id if language == "en" else message.string
        texts |= {told} if isinstance(told, str) else set(told)
    guide = (ROOT / "docs" / "guide" / f"{language}.md").read_text(encoding="utf-8")
    named = {" ".join(words.split()) for words in re.findall(r"\*\*(.+?)\*\*", guide, re.DOTALL)}
    assert len(named) > 60
    stems = {text.rstrip(".:") for text in texts}
    foreign = [
        words
        for words in named
        if (stem := words.rstrip(".:")) not in stems
        and not (len(stem) > 16 and any(text.startswith(stem) for text in texts))
    ]
    assert foreign == []


def test_figures_of_intervals_are_those_measured() -> None:
    measured = json.loads((ROOT / "benchmarks/results/predict/coverage.json").read_text("utf-8"))
    told = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for row in measured:
        line = f"| `{row['data']}` | {row['target']} | {row['coverage']:.1%} "
        line += f"| {row['standard_error']:.1%} | {row['width_in_target_spreads']:.2f} |"
        assert line in told, "docs/benchmarks.md shows what was measured before"
