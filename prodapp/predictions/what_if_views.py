"""The page of what-ifs: levers to move, and the answer beside them as they move."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.error_text import error_text
from prodapp.exceptions import Conflict, DataRefused, InvalidInput
from prodapp.formatting import sentence, typed_number
from prodapp.predictions import what_if
from prodapp.predictions.charts import contribution_bars
from prodapp.predictions.forms import FIELD
from prodapp.predictions.predictors import predictor_of
from prodapp.predictions.sentences import contribution_sentence
from prodapp.predictions.versions import ServedVersion, named_version
from prodapp.predictions.what_if_documents import what_if_document, what_if_sentence

if TYPE_CHECKING:
    from prodapp.ml.serving.variables import Variable

bp = Blueprint("what_if", __name__, url_prefix="/app/versions")

#: A slider moves in so many steps.
_STEPS: Final = 200
_MAX_OPTIONS: Final = 200


@dataclass(frozen=True)
class Control:
    """A field for one lever: ``name`` in the form, what it was held at, and the texts of it all.

    A number field takes a point in every language; the browser shows it in the reader's.
    """

    name: str
    lever: Variable
    value: str
    held: Any
    low: str
    high: str
    step: str
    options: tuple[str, ...]


@bp.get("/<int:version_id>/what-if")
@requires("operator")
def page(version_id: int) -> str | tuple[str, int]:
    version = named_version(current_caller(), version_id)
    try:
        levers = what_if.levers_of(version)
    except (Conflict, DataRefused) as error:
        nothing = {"controls": (), "levers": None, "found": None, "wrong": ()}
        refused = render_template(
            "predictions/what_if.html", version=version, error=error_text(error), **nothing
        )
        return refused, 409
    asked = _answered(version, levers)
    held = asked["found"]["held"] if asked["found"] else {}
    return render_template(
        "predictions/what_if.html",
        version=version,
        levers=levers,
        controls=_controls(levers, held, request.args),
        **asked,
    )


@bp.get("/<int:version_id>/what-if/answer")
@requires("operator")
def answer(version_id: int) -> Response:
    version = named_version(current_caller(), version_id)
    levers = what_if.levers_of(version)
    asked = _answered(version, levers)
    shown = render_template("predictions/_what_if.html", version=version, **asked)
    response = make_response(shown)
    # The address of the page is what a person copies, so it says what stands on it.
    response.headers["HX-Replace-Url"] = url_for(
        "what_if.page", version_id=version_id, **asked["state"]
    )
    return response


@bp.post("/<int:version_id>/what-if")
@requires("operator")
def keep(version_id: int) -> AnyResponse:
    version = named_version(current_caller(), version_id)
    question = _question(what_if.levers_of(version), request.form)
    kept = what_if.keep(current_caller(), version, question)
    return redirect(url_for("predictions.detail", prediction_id=kept))


def _answered(version: ServedVersion, levers: what_if.Levers) -> dict[str, Any]:
    """What the answer's fragment shows, and ``state``, the parts of its address."""
    question = _question(levers, request.args)
    more: dict[str, Any] = {"found": None, "bars": (), "said": (), "error": None, "wrong": ()}
    state = {} if question.prediction_id is None else {"from": str(question.prediction_id)}
    try:
        found = what_if_document(what_if.ask(current_caller(), version, question))
    except InvalidInput as error:
        wrong = [sentence(field.message, field.params) for field in error.fields]
        return more | {"error": error_text(error), "wrong": wrong, "state": state}
    for place, lever in enumerate(levers.variables):
        if found["record"][lever.name] != found["held"][lever.name]:
            state[f"{FIELD}{place}"] = _plain(found["record"][lever.name])
    units = {variable.name: variable.unit for variable in predictor_of(version).variables}
    said = (what_if_sentence(found), contribution_sentence(found))
    bars = contribution_bars(found["contributions"], units)
    return more | {"found": found, "bars": bars, "said": said, "state": state}


def _question(levers: what_if.Levers, fields: MultiDict[str, str]) -> what_if.Question:
    """What a form or an address asks. An empty field is no change; ``at`` holds settings by name,
    as another page that links here knows them."""
    changes = _settings(fields.get("at", ""))
    for place, lever in enumerate(levers.variables):
        text = fields.get(f"{FIELD}{place}", "").strip()
        if text:
            changes[lever.name] = typed_number(text) if lever.is_number else text
    return what_if.Question(changes, prediction_id=_uuid(fields.get("from", "")))


def _controls(
    levers: what_if.Levers, held: dict[str, Any], fields: MultiDict[str, str]
) -> list[Control]:
    controls = []
    settings = _settings(fields.get("at", ""))
    for place, lever in enumerate(levers.variables):
        name = f"{FIELD}{place}"
        low, high = lever.low or 0.0, lever.high or 0.0
        value = held.get(lever.name)
        controls.append(
            Control(
                name=name,
                lever=lever,
                value=fields.get(name, "").strip() or _plain(settings.get(lever.name, value)),
                held=value,
                low=_plain(low),
                high=_plain(high),
                step=_plain((high - low) / _STEPS) if high > low else "any",
                options=lever.seen[:_MAX_OPTIONS],
            )
        )
    return controls


def _settings(text: str) -> dict[str, Any]:
    """The settings of a JSON object; none where the text is none, or nested without end."""
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _plain(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
