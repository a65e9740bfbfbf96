"""The administrator's commands: ``flask user …``, ``flask train …``. They call services."""

from __future__ import annotations

from flask import Flask

from prodapp.cli import backup, data, demo, doctor, keys, processes, runs, users


def init_app(app: Flask) -> None:
    """Register every command."""
    for command in (
        users.user,
        keys.key,
        keys.site,
        data.machine,
        data.dataset,
        runs.train,
        runs.ranking,
        runs.run,
        processes.worker,
        processes.dispatcher,
        processes.config,
        backup.backup,
        doctor.doctor,
        demo.demo,
    ):
        app.cli.add_command(command)
