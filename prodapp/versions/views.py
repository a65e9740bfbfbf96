"""The pages of versions: all of a machine's, and what can be done to one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask import Response as Answer
from werkzeug.wrappers import Response

from prodapp.artifacts import library_changes
from prodapp.auth.guard import current_caller
from prodapp.auth.objects import machine_of, version_of
from prodapp.auth.permissions import requires
from prodapp.champions import champion_or_none, rule_of
from prodapp.error_text import error_text
from prodapp.exceptions import Conflict, DataRefused, InvalidInput
from prodapp.extensions import settings_of
from prodapp.i18n import gettext as _
from prodapp.models import ModelVersion
from prodapp.pagination import MAX_PAGE_SIZE
from prodapp.ranking import service as rankings
from prodapp.ranking.sentences import verdict_word
from prodapp.versions import change_words, comparison, sentences, service
from prodapp.versions import pictures as drawn
from prodapp.versions.drawing import png_of, svg_of
from prodapp.versions.report_files import report_answer

bp = Blueprint("versions", __name__, url_prefix="/app")
PAGE_SIZE = 50


@bp.get("/machines/<int:machine_id>/versions")
@requires("viewer")
def index(machine_id: int) -> str:
    caller = current_caller()
    machine = machine_of(caller, machine_id)
    is_archive = request.args.get("archived") == "yes"
    champion = champion_or_none(machine.id)
    history = service.history(caller, machine_id)
    return render_template(
        "versions/list.html",
        machine=machine,
        champion=champion,
        is_archive=is_archive,
        page=rankings.list_versions(
            caller,
            machine_id=machine_id,
            archived=is_archive,
            page=request.args.get("page", 1, type=int),
            page_size=PAGE_SIZE,
        ),
        history=history,
        rules=rule_words(),
        rule=rule_of(machine),
        default_rule=settings_of(current_app).promotion,
        former=service.way_back(champion, history),
    )


@bp.get("/machines/<int:machine_id>/compare")
@requires("viewer")
def compare(machine_id: int) -> str:
    """Two versions side by side; by default the one in use and the newest other one."""
    caller = current_caller()
    machine = machine_of(caller, machine_id)
    listed = rankings.list_versions(
        caller, machine_id=machine_id, archived=None, page_size=MAX_PAGE_SIZE
    ).items
    first, second = _chosen(listed, champion_or_none(machine.id))
    found = None if first is None or second is None else comparison.compare(caller, first, second)
    return render_template(
        "versions/compare.html",
        machine=machine,
        versions=listed,
        found=found,
        verdict=None if found is None else sentences.who_is_better(found),
        moved=None if found is None else sentences.what_moved(found),
        changed=[] if found is None else change_words.change_sentences(found),
        verdict_word=verdict_word,
    )


def _chosen(
    listed: Sequence[ModelVersion], champion: ModelVersion | None
) -> tuple[int | None, int | None]:
    first = request.args.get("first", type=int)
    second = request.args.get("second", type=int)
    if first is None:
        first = None if champion is None else champion.id
    if second is None:
        second = next((version.id for version in listed if version.id != first), None)
    return first, second


@bp.get("/versions/<int:version_id>/pictures")
@requires("viewer")
def pictures(version_id: int) -> str:
    version = version_of(current_caller(), version_id)
    return render_template(
        "versions/pictures.html", version=version, pictures=drawn.pictures(version)
    )


@bp.get("/versions/<int:version_id>/pictures/<key>.<any(svg, png):kind>")
@requires("viewer")
def picture(version_id: int, key: str, kind: str) -> Answer:
    version = version_of(current_caller(), version_id)
    found = drawn.picture_of(version, key)
    name = f"{key}-{version.machine_id}-{version.number}.{kind}"
    return Answer(
        svg_of(found) if kind == "svg" else png_of(found),
        mimetype="image/svg+xml" if kind == "svg" else "image/png",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@bp.get("/versions/<int:version_id>/report.<kind>")
@requires("viewer")
def report(version_id: int, kind: str) -> Answer:
    return report_answer(version_of(current_caller(), version_id), kind)


@bp.post("/machines/<int:machine_id>/versions/rollback")
@requires("analyst")
def roll_back(machine_id: int) -> Response:
    back = url_for("versions.index", machine_id=machine_id)
    reason = request.form.get("reason", "")
    return _attempt(
        lambda: service.roll_back(current_caller(), machine_id, reason=reason),
        back,
        _("The version in use before is in use again."),
    )


@bp.post("/machines/<int:machine_id>/versions/rule")
@requires("analyst")
def change_rule(machine_id: int) -> Response:
    rule = request.form.get("rule") or None
    return _attempt(
        lambda: service.set_rule(current_caller(), machine_id, rule=rule),
        url_for("versions.index", machine_id=machine_id),
        _("The rule is kept. It holds for trainings that end from now on."),
    )


@bp.post("/versions/<int:version_id>/promote")
@requires("analyst")
def promote(version_id: int) -> Response:
    reason = request.form.get("reason", "")
    return _attempt(
        lambda: service.promote(current_caller(), version_id, reason=reason),
        url_for("ranking.result", version_id=version_id),
        _("This version is in use now."),
    )


@bp.post("/versions/<int:version_id>/check")
@requires("viewer")
def check(version_id: int) -> Response:
    return _attempt(
        lambda: service.check_artifact(current_caller(), version_id),
        url_for("ranking.result", version_id=version_id),
        _("The model file is the one that was signed, and opens."),
    )


@bp.post("/versions/<int:version_id>/retrain")
@requires("operator")
def retrain(version_id: int) -> Response:
    try:
        run = service.train_again(current_caller(), version_id)
    except (Conflict, InvalidInput, DataRefused) as error:
        flash(error_text(error), "error")
        return redirect(url_for("ranking.result", version_id=version_id))
    return redirect(url_for("training.detail", run_id=run.id))


@bp.post("/versions/<int:version_id>/archive")
@requires("analyst")
def archive(version_id: int) -> Response:
    is_archived = request.form.get("archived") != "no"
    return _attempt(
        lambda: service.set_archived(current_caller(), version_id, is_archived=is_archived),
        url_for("ranking.result", version_id=version_id),
        _("This version is archived.") if is_archived else _("This version is listed again."),
    )


@bp.post("/versions/<int:version_id>/notes")
@requires("operator")
def note(version_id: int) -> Response:
    notes = request.form.get("notes", "")
    return _attempt(
        lambda: service.set_notes(current_caller(), version_id, notes=notes),
        url_for("ranking.result", version_id=version_id),
        _("Your notes are kept."),
    )


def _attempt(act: Callable[[], object], back: str, told: str) -> Response:
    """Do ``act`` and lead back to the page, which says how it went."""
    try:
        act()
    except (Conflict, InvalidInput, DataRefused) as error:
        flash(error_text(error), "error")
    else:
        flash(told, "success")
    return redirect(back)


def rule_words() -> dict[str, str]:
    """When a new version comes into use, in the caller's language."""
    return {
        "newest": _("Always: the newest version is used"),
        "better": _("If it is better than the one in use, beyond the noise"),
        "manual": _("Never: a person decides"),
    }


def change_word(change: Any) -> str:
    """Why a version came into use, in the caller's language."""
    words = {
        "first": _("The first of this machine"),
        "newest": _("By the rule: the newest is used"),
        "better": _("By the rule: better beyond the noise"),
        "promoted": _("Chosen"),
        "rolled_back": _("Gone back to"),
    }
    return words[change.kind]


bp.add_app_template_filter(change_word)
bp.add_app_template_global(library_changes, "library_changes_of")
