"""Is a process of this host well? ``python -m prodapp.healthcheck [web|worker|dispatcher]``.

For container engines: ends with 0 where it is and 1 where not. Web is asked for ``/healthz``;
workers and dispatchers leave a sign of life in ``METRICS_FOLDER`` every few seconds.
"""

from __future__ import annotations

import http.client
import sys

from prodapp.config import Settings, load_settings
from prodapp.metrics import seconds_since_beat

ANSWER_SECONDS = 5.0
SILENT_SECONDS = 60.0
KINDS = ("web", "worker", "dispatcher")


def is_well(settings: Settings, kind: str) -> bool:
    """Whether the process of ``kind`` on this host is alive and at its work."""
    if kind == "web":
        return _answers(settings.reachable_host, settings.port)
    silence = seconds_since_beat(settings.metrics_folder, kind)
    return silence is not None and silence < SILENT_SECONDS


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main() -> None:
    """Judge the kind that the command line names, by default web."""
    kind = sys.argv[1] if len(sys.argv) > 1 else "web"
    if kind not in KINDS:
        raise SystemExit(f"Name one of {', '.join(KINDS)}.")
    raise SystemExit(0 if is_well(load_settings(), kind) else 1)


if __name__ == "__main__":
    main()
