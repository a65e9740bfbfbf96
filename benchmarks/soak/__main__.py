"""``python -m benchmarks.soak``: run a soak, or report on one from its raw samples.

Stop it with Ctrl-C or SIGTERM: the report is then made of what there is.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import threading
import time
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from benchmarks.soak.client import Client, Record
from benchmarks.soak.figures import Raw
from benchmarks.soak.installation import ROOT, Installation, installation
from benchmarks.soak.people import ENDS, Analyst, Ledger, Operator, Person, Program, Reader
from benchmarks.soak.report import write_report
from benchmarks.soak.watch import Watch

RESULTS = ROOT / "benchmarks" / "results" / "soak"
SHARES = ((Operator, 11), (Reader, 5), (Program, 2), (Analyst, 2))
DRAIN_SECONDS = 300


def main() -> None:
    options = _options()
    if options.report:
        print(f"Report: {write_report(Raw.read(options.report / 'raw'), options.results)}")
        return
    folder = options.folder or ROOT / "build" / "soak" / f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    raw = folder / "raw"
    raw.mkdir(parents=True)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    print(f"Soak of {options.minutes:g} minutes in {folder}", flush=True)
    with installation(folder, nice=options.nice) as served:
        _soak(served, raw, options, stop)
    path = write_report(Raw.read(raw), options.results)
    print(path.read_text(encoding="utf-8").split("![")[0])
    print(f"Report: {path}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0, help="how long (120)")
    parser.add_argument("--nice", type=int, default=5, help="lower the priority by this (5)")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between samples (5)")
    parser.add_argument("--folder", type=Path, help="where to work (build/soak/<time>)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the report goes")
    parser.add_argument("--report", type=Path, help="only report on the soak in this folder")
    return parser.parse_args()


def _soak(
    served: Installation, raw: Path, options: argparse.Namespace, stop: threading.Event
) -> None:
    ledger, gone = Ledger(), threading.Event()
    with (
        (raw / "requests.jsonl").open("a") as requests,
        (raw / "samples.jsonl").open("a") as samples,
    ):
        people = _people(served, requests, ledger, gone)
        _note_meta(raw, people, options)
        served.register(people)
        for person in people:
            person.start()
        watch = Watch(served.supervisor.pid, served.instance)
        deadline = time.monotonic() + options.minutes * 60
        while time.monotonic() < deadline and not stop.wait(options.every):
            samples.write(json.dumps(watch.sample()) + "\n")
            samples.flush()
            if served.supervisor.poll() is not None:
                print("The installation ended by itself!", flush=True)
                break
        gone.set()
        for person in people:
            person.join(90)
    account = _account(served, ledger)
    (raw / "account.json").write_text(json.dumps(account))


def _people(
    served: Installation, log: TextIO, ledger: Ledger, stop: threading.Event
) -> list[Person]:
    lock = threading.Lock()

    def note(record: Record) -> None:
        with lock:
            log.write(json.dumps(asdict(record)) + "\n")
            log.flush()

    kinds = [kind for kind, n in SHARES for _ in range(n)]
    people: list[Person] = []
    for number, kind in enumerate(kinds):
        name = f"{kind.__name__.lower()}-{number:02}"
        client = Client(name, port=served.port, note=note)
        people.append(kind(name, client=client, ledger=ledger, stop=stop, seed=number))
    return people


def _note_meta(raw: Path, people: list[Person], options: argparse.Namespace) -> None:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    meta = {
        "begun": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": commit or "unknown",
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}",
        "users": Counter(type(person).__name__.lower() + "s" for person in people),
        "nice": options.nice,
    }
    (raw / "meta.json").write_text(json.dumps(meta))


def _account(served: Installation, ledger: Ledger) -> dict[str, object]:
    """What became of each acknowledged run, once the line has drained."""
    deadline = time.monotonic() + DRAIN_SECONDS
    states = served.states(ledger.runs)
    while time.monotonic() < deadline and served.supervisor.poll() is None:
        states = served.states(ledger.runs)
        if all(state in ENDS for state, _code in states.values()):
            break
        time.sleep(1)
    unasked = [
        run_id
        for run_id, (state, _code) in states.items()
        if state == "canceled" and run_id not in ledger.canceled
    ]
    return {
        "n_acknowledged": len(ledger.runs),
        "states": {run_id: state for run_id, (state, _code) in states.items()},
        "codes": Counter(code for _state, code in states.values() if code),
        "n_canceled_unasked": len(unasked),
    }


if __name__ == "__main__":
    main()
