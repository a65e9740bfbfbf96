"""Who uses the installation: operators, readers, an analyst at the pages; programs at the API.

Each is a thread that visits, thinks, and visits again until asked to stop. Times to think are
drawn from a log-normal distribution around a few seconds, as people's are.
"""

from __future__ import annotations

import random
import re
import threading
import time
from abc import abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field

from benchmarks.soak.client import Answer, Client, NoUse, id_in
from benchmarks.soak.tables import TARGETS, broken_table, make_table

POLL_SECONDS = 1.0
COMING_SECONDS = 45.0
TOKEN_SECONDS = 400.0  # an access token lives ten minutes
SIGMA = 0.6
ACTIVE = re.compile(r'hx-trigger="every 1s"')
VERSION = re.compile(r'href="(/app/versions/\d+)"')
MACHINE = re.compile(r'href="(/app/machines/\d+)"')
# A machine or run of somebody else may just have been deleted or ended.
GONE = (404,)
ENDED = (409,)
ENDS = ("succeeded", "failed", "canceled")


@dataclass
class Ledger:
    """What the installation acknowledged, for the account at the end. Shared by all threads."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    runs: list[int] = field(default_factory=list)
    canceled: set[int] = field(default_factory=set)

    def add_run(self, run_id: int) -> None:
        with self.lock:
            self.runs.append(run_id)

    def add_cancel(self, run_id: int) -> None:
        with self.lock:
            self.canceled.add(run_id)


class Person(threading.Thread):
    """One user; ``seed`` decides everything that is left to chance."""

    role = "operator"
    think_seconds = 4.0

    def __init__(
        self, name: str, *, client: Client, ledger: Ledger, stop: threading.Event, seed: int
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.client = client
        self.ledger = ledger
        self.rng = random.Random(seed)
        self.password = f"{name} looks after the presses {seed}"
        self._stop_asked = stop

    def run(self) -> None:
        with suppress(_Leaving):
            self.pause(self.rng.uniform(0, COMING_SECONDS))  # nobody comes at the same second
            while True:
                with suppress(NoUse):
                    self._stay()
                self.think()
        self.client.close()

    def _stay(self) -> None:
        self.come()
        for _ in range(self.rng.randint(8, 16)):
            self.visit()
            self.think()
        self.leave()

    def come(self) -> None:
        """Sign in at the page."""
        page = self.client.page("sign-in page", "/app/sign-in", also=(302,))
        if page.status == 302:
            return
        self.think(2.0)
        self.client.send_form(
            "sign in", "/app/sign-in", page, username=self.name, password=self.password
        )

    def leave(self) -> None:
        """Sign out."""
        page = self.client.page("machine list", "/app/machines/")
        self.client.send_form("sign out", "/app/sign-out", page)
        self.client.page("sign-in page", "/app/sign-in")

    @abstractmethod
    def visit(self) -> None:
        """One round of what this user does. May raise :class:`NoUse`."""

    def think(self, seconds: float | None = None) -> None:
        seconds = self.think_seconds if seconds is None else seconds
        self.pause(self.rng.lognormvariate(0, SIGMA) * seconds)

    def pause(self, seconds: float) -> None:
        if self._stop_asked.wait(seconds):
            raise _Leaving

    def poll_page(self, kind: str, path: str) -> Answer:
        """Follow a part of a page that asks again by itself, until it does not any more."""
        while True:
            self.pause(POLL_SECONDS)
            part = self.client.get(kind, path, also=GONE)
            if part.status in GONE or not ACTIVE.search(part.text):
                return part


class _Leaving(Exception):
    """The test is over."""


class Operator(Person):
    """Uploads a file, trains on it, waits for the ranking and reads it."""

    _machine_id: int | None = None

    def visit(self) -> None:
        client, rng = self.client, self.rng
        client.page("machine list", "/app/machines/")
        self.think()
        machine_id = self._machine_id or self._register()
        client.page("machine page", f"/app/machines/{machine_id}")
        self.think()
        form = client.page("upload page", f"/app/machines/{machine_id}/datasets/new")
        self.think()
        address = f"/app/machines/{machine_id}/datasets"
        if rng.random() < 0.05:
            client.send_form("upload, refused", address, form, file=broken_table(rng), right=(422,))
            return
        dataset_id, page = self._upload(address, form)
        if ACTIVE.search(page.text):
            self.poll_page("data set status", f"/app/datasets/{dataset_id}/status")
        self.think()
        algorithm = "linear_regression" if rng.random() < 0.2 else "random_forest"
        sent = client.send_form(
            "train",
            f"/app/datasets/{dataset_id}/runs",
            page,
            target=rng.choice(TARGETS),
            algorithm=algorithm,
        )
        run_id = id_in(sent.headers["Location"], "runs")
        self.ledger.add_run(run_id)
        self._follow(run_id)

    def _upload(self, address: str, form: Answer) -> tuple[int, Answer]:
        """Upload a file and confirm how it is read; its id and its page."""
        sent = self.client.send_form("upload", address, form, file=make_table(self.rng))
        dataset_id = id_in(sent.headers["Location"], "datasets")
        path = f"/app/datasets/{dataset_id}"
        check = self.client.page("check page", path)
        self.think()
        said = {"target": TARGETS[0], "action": "confirm"}
        self.client.send_form("confirm", f"{path}/check", check, **said)
        return dataset_id, self.client.page("data set page", path)

    def _register(self) -> int:
        page = self.client.page("new machine page", "/app/machines/new")
        self.think()
        name = f"Line of {self.name}"
        sent = self.client.send_form("register machine", "/app/machines/", page, name=name)
        self._machine_id = id_in(sent.headers["Location"], "machines")
        return self._machine_id

    def _follow(self, run_id: int) -> None:
        page = self.client.page("run page", f"/app/runs/{run_id}")
        if self.rng.random() < 0.06:
            self.think(2.0)
            # Already over by then: that is said with a 409.
            address = f"/app/runs/{run_id}/cancel"
            sent = self.client.send_form("cancel", address, page, right=(302, *ENDED))
            if sent.status == 302:
                self.ledger.add_cancel(run_id)
        part = page
        if ACTIVE.search(page.text):
            part = self.poll_page("run progress", f"/app/runs/{run_id}/progress")
        found = VERSION.search(part.text)
        if found:
            self.client.page("ranking page", found[1])
            self.think(8.0)
            if self.rng.random() < 0.3:
                self.client.get("ranking file", f"{found[1]}/ranking.csv")


class Reader(Person):
    """Looks at what others have found out."""

    role = "viewer"
    think_seconds = 6.0

    def visit(self) -> None:
        query = self.rng.choice(("", "?q=Line", "?sort=name&order=desc", "?status=trained"))
        page = self.client.page("machine list", f"/app/machines/{query}")
        self.think()
        machines = sorted(set(MACHINE.findall(page.text)))
        if not machines:
            return
        page = self.client.page("machine page", self.rng.choice(machines), also=GONE)
        self.think()
        versions = sorted(set(VERSION.findall(page.text)))
        if versions:
            path = self.rng.choice(versions)
            page = self.client.page("ranking page", path, also=GONE)
            self.think(10.0)
            self.client.get("ranking file", f"{path}/ranking.csv", also=GONE)


class Analyst(Operator):
    """Works as an operator does, on machines that are deleted again, at times amid a training."""

    role = "analyst"

    def visit(self) -> None:
        super().visit()
        if self._machine_id is None or self.rng.random() < 0.6:
            return
        machine_id, self._machine_id = self._machine_id, None
        address = f"/app/machines/{machine_id}"
        if self.rng.random() < 0.5:
            self._train_unseen(machine_id)
        page = self.client.page("delete page", f"{address}/delete")
        self.think()
        self.client.send_form("delete machine", f"{address}/delete", page)
        self.client.get("machine page, deleted", address, also=GONE)

    def _train_unseen(self, machine_id: int) -> None:
        form = self.client.page("upload page", f"/app/machines/{machine_id}/datasets/new")
        address = f"/app/machines/{machine_id}/datasets"
        dataset_id, page = self._upload(address, form)
        address = f"/app/datasets/{dataset_id}/runs"
        sent = self.client.send_form("train", address, page, target=TARGETS[0])
        run_id = id_in(sent.headers["Location"], "runs")
        self.ledger.add_run(run_id)
        self.ledger.add_cancel(run_id)  # deleting the machine may cancel it


class Program(Person):
    """A program at the REST API that keeps the queue from running dry."""

    think_seconds = 2.0
    wanted_active = 4
    n_rows = (1000, 4000)  # a run takes long enough that the next is there before its end

    def come(self) -> None:
        credentials = {"username": self.name, "password": self.password}
        answer = self.client.call("API: token", "POST", "/api/v1/auth/token", data=credentials)
        self._use(answer)
        name = f"Cell of {self.name} {self.rng.randrange(10**9)}"
        made = self.client.call(
            "API: machine", "POST", "/api/v1/machines", data={"name": name}, right=(201,)
        )
        self._machine_id = made.json()["id"]

    def leave(self) -> None:
        token = {"refresh_token": self._refresh_token}
        self.client.call("API: revoke", "POST", "/api/v1/auth/revoke", data=token, right=(204,))

    def _use(self, answer: Answer) -> None:
        pair = answer.json()
        self._refresh_token = pair["refresh_token"]
        self.client.headers["Authorization"] = f"Bearer {pair['access_token']}"
        self._token_until = time.monotonic() + TOKEN_SECONDS

    def _renew(self) -> None:
        if time.monotonic() > self._token_until:
            token = {"refresh_token": self._refresh_token}
            self._use(self.client.call("API: refresh", "POST", "/api/v1/auth/refresh", data=token))

    def visit(self) -> None:
        self._renew()
        while self._n_active() >= self.wanted_active:
            self.pause(POLL_SECONDS)
            self._renew()
        fields = {"machine_id": str(self._machine_id), "target": self.rng.choice(TARGETS)}
        table = make_table(self.rng, n_rows=self.n_rows)
        run = self.client.call(
            "API: run", "POST", "/api/v1/runs", file=table, right=(202,), **fields
        ).json()
        self.ledger.add_run(run["id"])
        while run["state"] not in ENDS:
            self.pause(POLL_SECONDS)
            self._renew()
            run = self.client.call("API: run state", "GET", f"/api/v1/runs/{run['id']}").json()
        if run["state"] == "succeeded":
            address = f"/api/v1/machines/{self._machine_id}/ranking"
            self.client.call("API: ranking", "GET", address)
        self.client.call("API: machines", "GET", "/api/v1/machines?page_size=50")

    def _n_active(self) -> int:
        answers = [
            self.client.call("API: runs", "GET", f"/api/v1/runs?state={state}&page_size=5")
            for state in ("queued", "running")
        ]
        return sum(len(answer.json()) for answer in answers)
