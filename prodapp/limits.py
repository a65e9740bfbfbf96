"""How often each caller may call, by class of route, in windows of one minute.

Counts are kept in the queue server, so that all processes count together; while it does not answer
each process counts by itself. Signing in has narrower limits of its own, at its views.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import TooManyRequests

from prodapp import queue
from prodapp.addresses import calling_network
from prodapp.auth.permissions import policy_of
from prodapp.extensions import limiter, settings_of

WINDOW_SECONDS = 60
# What load balancers and browsers fetch by themselves.
FREE_ENDPOINTS = frozenset({"static", "health.alive", "health.ready", "monitoring.figures"})
READING = frozenset({"GET", "HEAD"})
EXTENSION = "prodapp.limits"


@dataclass(frozen=True)
class Allowance:
    """What a caller has left in this window; ``reset`` is the seconds until the next one."""

    limit: int
    n_used: int
    reset: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.n_used)

    @property
    def is_exceeded(self) -> bool:
        return self.n_used > self.limit


class LocalCounts:
    """Counts of one process, for one window at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def add(self, key: str, window: int) -> int:
        """Count one more under ``key``, and return how many these are."""
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, {}
            self._counts[key] = self._counts.get(key, 0) + 1
            return self._counts[key]


def init_app(app: Flask) -> None:
    """Limit every route of ``app``. Comes after the guard, which finds out who calls."""
    app.extensions[EXTENSION] = LocalCounts()
    app.before_request(_count)
    app.after_request(_announce)


def route_class() -> str:
    """``upload``, ``write`` or ``read``: what this request costs, roughly."""
    policy = policy_of(current_app, request.endpoint or "", request.method)
    if policy is not None and policy.is_upload:
        return "upload"
    return "read" if request.method in READING else "write"


def caller_key() -> str:
    """Users count by themselves, whatever they come with; strangers by where they call from."""
    caller = g.get("caller")
    if caller is None or caller.user_id is None:
        return f"address:{calling_network()}"
    return f"user:{caller.user_id}"


def _count() -> None:
    if request.endpoint is None or request.endpoint in FREE_ENDPOINTS:
        return
    if request.method == "OPTIONS":
        return
    settings = settings_of(current_app)
    kind = route_class()
    limit = {
        "read": settings.reads_per_minute,
        "write": settings.writes_per_minute,
        "upload": settings.uploads_per_minute,
    }[kind]
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    key = f"{kind}:{caller_key()}"
    n_used = queue.count(f"prodapp:calls:{key}:{window}", seconds=2 * WINDOW_SECONDS)
    if n_used is None:
        n_used = current_app.extensions[EXTENSION].add(key, window)
    reset = max(1, round((window + 1) * WINDOW_SECONDS - now))
    g.allowance = Allowance(limit, n_used, reset)
    if g.allowance.is_exceeded:
        raise TooManyRequests(retry_after=reset)


def _announce(response: Response) -> Response:
    allowance = g.get("allowance")
    if allowance is not None:
        response.headers["RateLimit-Limit"] = str(allowance.limit)
        response.headers["RateLimit-Remaining"] = str(allowance.remaining)
        response.headers["RateLimit-Reset"] = str(allowance.reset)
    if response.status_code == 429 and "Retry-After" not in response.headers:
        narrow = limiter.current_limit  # a view's own limit, such as that on signing in
        if narrow is not None:
            wait = max(1, round(narrow.reset_at - time.time()))
            response.headers["Retry-After"] = str(wait)
            response.headers["RateLimit-Limit"] = str(narrow.limit.amount)
            response.headers["RateLimit-Remaining"] = "0"
            response.headers["RateLimit-Reset"] = str(wait)
    return response
