"""``flask worker``, ``flask dispatcher`` and ``flask config check``."""

from __future__ import annotations

import sys
from dataclasses import astuple
from typing import cast

import click
from flask import Flask, current_app

from prodapp import embedded_queue
from prodapp.cli.base import DomainGroup, command, json_option, print_json, print_table
from prodapp.config import Settings
from prodapp.extensions import settings_of
from prodapp.processes import spawn
from prodapp.settings_report import report

config = DomainGroup("config", help="Settings of this installation.")


@command("worker")
@click.option("--burst", is_flag=True, help="End when the queue is empty.")
def worker(burst: bool) -> None:
    """Work on queued imports and training runs until stopped.

    With the embedded queue and nothing running yet, the queue server and a dispatcher are started
    too, and end with this command.
    """
    from prodapp.worker import run_worker

    app = _app()
    settings = settings_of(app)
    if settings.is_embedded_queue and not embedded_queue.is_running(settings.instance_path):
        embedded_queue.start(settings.instance_path)
        spawn([sys.executable, "-m", "flask", "--app", "wsgi", "dispatcher"])
    _export_figures(settings)
    run_worker(app, burst=burst)


@command("dispatcher")
def dispatcher() -> None:
    """Send due work to the queue and take back lost work, until stopped."""
    from prodapp.dispatcher import run_dispatcher

    _export_figures(settings_of(_app()))
    run_dispatcher()


@config.command("check")
@json_option
def check_config(as_json: bool) -> None:
    """Print the effective settings with their sources, secrets masked. Fails where one is wrong."""
    rows = report(settings_of(_app()))
    if as_json:
        print_json({row.name: {"value": row.value, "source": row.source} for row in rows})
    else:
        print_table(("variable", "value", "source"), [astuple(row) for row in rows])


def _export_figures(settings: Settings) -> None:
    """Have the figures of this process served where ``METRICS_PORT`` says; ends with it."""
    if settings.metrics_port is not None:
        spawn([sys.executable, "-m", "prodapp.exporter"])


def _app() -> Flask:
    return cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
