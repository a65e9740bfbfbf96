"""The pages of results."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires
from prodapp.ranking import sentences, service, trust
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
    version = service.get_version(current_caller(), version_id)
    return render_template(
        "ranking/result.html",
        version=version,
        trust_of=trust.trust,
        groups=trust.groups(version),
        companions_of=sentences.companions,
        verdict_word=sentences.verdict_word,
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
