"""The page of goals: what is wanted, and what the data support."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, render_template, request

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.exceptions import N_
from prodapp.formatting import sentence, typed_number
from prodapp.ranking import goals, service
from prodapp.ranking.goal_schemas import LARGEST, SENSES
from prodapp.ranking.goal_sentences import bound_words, goal_sentence

bp = Blueprint("goals", __name__, url_prefix="/app/versions")

_NOT_A_NUMBER = N_("The value must be a number.")


@bp.get("/<int:version_id>/goal")
@requires("viewer")
def page(version_id: int) -> str | tuple[str, int]:
    version = service.get_version(current_caller(), version_id)
    text = request.args.get("target", "").strip()
    asked = request.args.get("sense", "")
    sense = asked if asked in SENSES else None
    target = typed_number(text) if text else None
    found: dict[str, Any] = {"version": version, "text": text, "sense": sense, "error": None}
    if isinstance(target, str) or (target is not None and not abs(target) <= LARGEST):
        found |= {"error": sentence(_NOT_A_NUMBER), "answer": None}
        return render_template("ranking/goal.html", **found), 422
    answer = goals.seek(version, goals.Wanted(target, sense))
    return render_template(
        "ranking/goal.html",
        **found,
        answer=answer,
        said=goal_sentence(version, answer),
        purpose=version.evidence.get("purpose") or {},
        bound_words=bound_words,
        at_text=lambda proposal: json.dumps(dict(proposal.at)),
    )
