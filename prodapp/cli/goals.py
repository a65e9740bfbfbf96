"""``flask version goal``: which settings the data support."""

from __future__ import annotations

from dataclasses import asdict

import click
from flask.cli import with_appcontext

from prodapp.cli.base import cli_caller, json_option, print_json, print_table
from prodapp.ranking import goals, service
from prodapp.ranking.goal_schemas import SENSES
from prodapp.ranking.goal_sentences import goal_sentence, settings_words


@click.command("goal")
@with_appcontext
@click.argument("version_id", type=int)
@click.option("--target", type=float, help="The value to reach; else as good as possible.")
@click.option("--sense", type=click.Choice(SENSES), help="What is better; else as was said.")
@json_option
def seek_goal(version_id: int, target: float | None, sense: str | None, as_json: bool) -> None:
    """Seek settings of the levers of VERSION_ID that the data support for what is wanted."""
    found = service.get_version(cli_caller(), version_id)
    answer = goals.seek(found, goals.Wanted(target, sense))
    said = goal_sentence(found, answer)
    if as_json:
        print_json({**asdict(answer), "sentence": said})
        return
    click.echo(said)
    if answer.best is not None:
        print_table(
            ("settings", "rows", "as run", "expected", "from", "to", "gain"),
            [
                (
                    settings_words(proposal.bounds),
                    proposal.n,
                    proposal.before,
                    proposal.expected,
                    proposal.expected_low,
                    proposal.expected_high,
                    proposal.gain,
                )
                for proposal in (answer.best, *answer.others)
            ],
        )
