"""The administrator's commands: ``flask user …``, ``flask train …``. They call services."""

from __future__ import annotations

from flask import Flask

from prodapp.cli import (
    backup,
    datasets,
    demo,
    doctor,
    goals,
    keys,
    machines,
    predictions,
    processes,
    runs,
    schedules,
    upgrade,
    users,
    version_files,
    webhooks,
)


def init_app(app: Flask) -> None:
    """Register every command."""
    version_files.version.add_command(goals.seek_goal)
    for command in (
        users.user,
        keys.key,
        keys.site,
        machines.machine,
        datasets.dataset,
        runs.train,
        runs.ranking,
        runs.run,
        version_files.version,
        predictions.predict,
        webhooks.webhook,
        schedules.schedule,
        processes.worker,
        processes.dispatcher,
        processes.config,
        backup.backup,
        upgrade.upgrade,
        doctor.doctor,
        demo.demo,
    ):
        app.cli.add_command(command)
