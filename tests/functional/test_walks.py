"""The walks through the API in README and docs/api.md, exactly as they are written there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.functional.test_supervisor import ROOT, environment, is_up, supervisor, wait_until
from tests.services import private_folder

pytestmark = [
    pytest.mark.queue,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]
END = "==== end of a block ===="


@dataclass(frozen=True)
class Desk:
    """Where a reader sits: the address of prodapp, a key, and a folder of one's own."""

    api: str
    key: str
    folder: Path

    def run(self, *command: str, source: str) -> str:
        """What the program prints that reads ``source``; it has to end well."""
        done = subprocess.run(
            [*command],
            cwd=self.folder,
            env={**os.environ, "API": self.api, "KEY": self.key},
            input=source,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with private_folder() as folder, supervisor(folder / "instance") as running:
        (folder / "prodapp").symlink_to(ROOT / "prodapp")
        assert wait_until(lambda: is_up(running))
        assert running.answers(), running.said()
        environ = environment(running.instance, running.port)
        made = ""
        for words in (["user", "create", "maria", "--role", "analyst"], ["key", "create", "maria"]):
            made = subprocess.run(
                [sys.executable, "-m", "flask", "--app", "wsgi", *words],
                cwd=ROOT,
                env=environ,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        key = re.search(r"pa_\S+", made)
        assert key is not None
        yield Desk(f"http://127.0.0.1:{running.port}/api/v1", key.group(), folder)


def blocks(document: str) -> list[tuple[str, str]]:
    """Each block of code of a document: its language and its text."""
    text = (ROOT / document).read_text("utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_prices_are_learned_predicted_and_found_in_the_history(desk: Desk) -> None:
    (code,) = (text for language, text in blocks("README.md") if language == "python")
    lines = desk.run(sys.executable, "-", source=code).splitlines()
    prices = {}
    for line in lines[:2]:
        told = re.fullmatch(r"(\w+): (\d+) \[(\d+), (\d+)\]", line)
        assert told is not None, line
        price, low, high = (int(part) for part in told.groups()[1:])
        prices[told.group(1)] = price
        assert low < price < high
        assert 100_000 < price < 500_000
    assert list(prices) == ["linear_regression", "random_forest"]
    kept = [line.split() for line in lines[2:]]
    assert [row[2] for row in kept] == ["2", "1"]
    assert round(float(kept[0][3])) == prices["random_forest"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the journeys are written for curl")
def test_the_journeys_of_the_api_guide_answer_as_it_shows(desk: Desk) -> None:
    found = blocks("docs/api.md")
    steps = [text for language, text in found if language == "bash"]
    source = "set -o pipefail\n" + f"\necho; echo '{END}'\n".join(steps)
    printed = desk.run("bash", "-e", source=source).split(f"\n{END}\n")
    assert len(printed) == len(steps)
    answers = iter(printed)
    answer, compared = "", 0
    for language, text in found:
        if language == "bash":
            answer = next(answers)
        elif language != "python":
            compare(language, text, answer)
            compared += 1
    assert compared >= 9
    (code,) = (text for language, text in found if language == "python")
    told = desk.run(sys.executable, "-", source=code).splitlines()
    assert [line.split()[0] for line in told[1:4]] == ["1", "2", "3"]
    assert told[4].startswith("conflict:")


def compare(kind: str, shown: str, printed: str) -> None:
    """Whether an answer is the one that the document shows; ``…`` stands for anything."""
    if kind == "json":
        assert_holds(json.loads(printed), json.loads(shown), "")
    elif kind == "text":
        assert printed.split() == shown.split()
    else:
        for line in shown.splitlines():
            pattern = re.escape(line).replace("…", ".+")
            assert re.search(f"^{pattern}\\s*$", printed, re.MULTILINE), f"{line}\n{printed}"


def assert_holds(answer: Any, shown: Any, where: str) -> None:
    """Everything that is shown stands in the answer, which may hold more."""
    if isinstance(shown, dict):
        for name, value in shown.items():
            assert name in answer, f"{where}/{name}"
            assert_holds(answer[name], value, f"{where}/{name}")
    elif isinstance(shown, list):
        assert len(answer) >= len(shown), where
        for number, value in enumerate(shown):
            assert_holds(answer[number], value, f"{where}/{number}")
    elif shown != "…":
        assert answer == shown, where


def test_a_client_generated_from_the_document_goes_the_whole_way(desk: Desk) -> None:
    document = desk.folder / "openapi.json"
    with urlopen(desk.api.replace("/v1", "/openapi.json")) as answer:  # noqa: S310 - our own
        document.write_bytes(answer.read())
    settings = desk.folder / "generator.yaml"
    settings.write_text("post_hooks: []\npackage_name_override: prodapp_client\n")
    generator = Path(sys.executable).with_name("openapi-python-client")
    generated = desk.run(
        *(str(generator), "generate", "--fail-on-warning", "--meta", "none"),
        *("--path", str(document), "--output-path", str(desk.folder / "prodapp_client")),
        *("--config", str(settings)),
        source="",
    )
    assert "Warning" not in generated
    journey = (ROOT / "tests" / "functional" / "journey.py").read_text("utf-8")
    told = json.loads(desk.run(sys.executable, "-", source=journey))
    assert told["dataset"] == ["draft", "ready"]
    assert told["run"] == "succeeded"
    assert "cement" in told["ranked"][:3]
    low, high = told["interval"]
    assert low <= told["predicted"] <= high
    assert told["history"] == [[told["prediction"], told["predicted"]]]
    assert told["refused"] == [412, "stale"]
