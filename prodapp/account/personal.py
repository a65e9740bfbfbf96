"""One's own personal data, to be taken along."""

from __future__ import annotations

from werkzeug.wrappers import Response

from prodapp.account.views import bp
from prodapp.auth import personal
from prodapp.auth.downloads import document
from prodapp.auth.guard import current_caller
from prodapp.auth.objects import own_user
from prodapp.auth.permissions import requires


@bp.get("/personal-data.json")
@requires("viewer")
def personal_data() -> Response:
    return document(personal.personal_data(own_user(current_caller())), "personal-data.json")
