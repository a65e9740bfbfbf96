"""The pages of results."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.error_text import error_text
from prodapp.exceptions import InvalidInput
from prodapp.i18n import gettext as _
from prodapp.models import ModelVersion
from prodapp.ranking import (
    acceptances,
    alarms,
    effects,
    lags,
    levers,
    segments,
    sentences,
    service,
    trust,
)
from prodapp.ranking.exports import ranking_csv
from prodapp.ranking.promotions import promotion_words

bp = Blueprint("ranking", __name__, url_prefix="/app/versions")
# The machine's page says the verdict too, and features do not import each other.
bp.add_app_template_global(sentences.verdict, "verdict_of")
bp.add_app_template_global(sentences.subject, "subject_of")
bp.add_app_template_global(sentences.scale, "scale_of")
bp.add_app_template_global(sentences.insights, "insights_of")
bp.add_app_template_global(sentences.confidence_note, "confidence_note_of")
bp.add_app_template_global(promotion_words, "promotion_words_of")


@bp.get("/<int:version_id>")
@requires("viewer")
def result(version_id: int) -> str:
    return _page(service.get_version(current_caller(), version_id))


@bp.post("/<int:version_id>/alarms/<key>/accept")
@requires("analyst")
def accept_alarm(version_id: int, key: str) -> Answer | tuple[str, int]:
    caller = current_caller()
    try:
        reason = request.form.get("reason", "")
        acceptances.accept_alarm(caller, version_id, key, reason=reason)
    except InvalidInput as error:
        version = service.get_version(caller, version_id)
        return _page(version, opened_alarm=key, alarm_error=error_text(error)), 422
    flash(_("The alarm was accepted, with your reason."), "success")
    return redirect(url_for("ranking.result", version_id=version_id))


@bp.post("/<int:version_id>/alarms/<key>/take-back")
@requires("analyst")
def take_back(version_id: int, key: str) -> Answer:
    acceptances.take_back(current_caller(), version_id, key)
    flash(_("The alarm counts again."), "success")
    return redirect(url_for("ranking.result", version_id=version_id))


def _page(version: ModelVersion, **more: Any) -> str:
    return render_template(
        "ranking/result.html",
        version=version,
        alarms=alarms.alarms(version),
        segments=segments.segments(version),
        column_word=segments.column_word,
        effects=effects.effects(version),
        effect_plot=effects.plot,
        levers=levers.levers(version),
        lags=lags.lags(version),
        levers_note=levers.levers_note(version),
        window_words=levers.window_words,
        trust_of=trust.trust,
        groups=trust.groups(version),
        companions_of=sentences.companions,
        verdict_word=sentences.verdict_word,
        **more,
    )


@bp.get("/<int:version_id>/ranking.csv")
@requires("viewer")
def download(version_id: int) -> Response:
    version = service.get_version(current_caller(), version_id)
    name = f"ranking-{version.machine_id}-{version.number}.csv"
    return Response(
        ranking_csv(version),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
