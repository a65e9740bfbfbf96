"""The page of one variable over sister machines."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.ranking import fleet, fleet_words
from prodapp.ranking.fleet_plot import fleet_plot
from prodapp.ranking.sentences import verdict_word

bp = Blueprint("fleet", __name__, url_prefix="/app")


@bp.get("/variables")
@requires("viewer")
def compare() -> str:
    """The variable of the query, else the one that most machines have."""
    caller = current_caller()
    known = fleet.known_variables(caller)
    name = request.args.get("name") or (known[0].name if known else "")
    found = fleet.compare_machines(caller, name)
    return render_template(
        "ranking/fleet.html",
        known=known,
        fleet=found,
        summary=fleet_words.summary(found),
        plot=fleet_plot(found.sisters),
        rank_words=fleet_words.rank_words,
        gain_words=fleet_words.gain_words,
        of_sister=fleet_words.of_sister,
        verdict_word=verdict_word,
    )
