"""The pages of the audit trail."""

from __future__ import annotations

from dataclasses import asdict
from tempfile import SpooledTemporaryFile

from flask import Blueprint, Response, render_template, request, send_file

from prodapp import audit
from prodapp.admin import exports
from prodapp.admin.forms import EventQuery
from prodapp.audit import EventFilter
from prodapp.auth import sites
from prodapp.auth.guard import current_caller
from prodapp.auth.permissions import requires

IN_MEMORY = 4 * 1024**2

bp = Blueprint("audit", __name__, url_prefix="/app/audit")


@bp.get("/")
@requires("admin")
def index() -> str:
    query = EventQuery.parse(request.args)
    page = audit.events(_filter(query), cursor=query.cursor or None)
    return render_template("audit/list.html", **asdict(query), page=page)


@bp.get("/audit.csv")
@requires("admin")
def download() -> Response:
    # Through a file: a database that goes away in the middle is told, not a table that ends there.
    file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed with the response
    for line in exports.events_csv(audit.all_events(_filter(EventQuery.parse(request.args)))):
        file.write(line.encode())
    file.seek(0)
    return send_file(file, mimetype="text/csv", as_attachment=True, download_name="audit.csv")


def _filter(query: EventQuery) -> EventFilter:
    caller = current_caller()
    return EventFilter(
        site_ids=None if sites.governs_all(caller) else (caller.site_id,),
        actor=query.actor,
        action=query.action,
        subject=query.subject,
        since=query.since_moment,
        until=query.until_moment,
    )
