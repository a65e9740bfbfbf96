"""The REST API and its document: OpenAPI 3.1 at ``/api/openapi.json``, Swagger UI and ReDoc."""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    jsonify,
    render_template,
    request,
    url_for,
)

from prodapp.admin import api as admin_api
from prodapp.auth import api as auth_api
from prodapp.auth.operations import CommonPlugin, detail_response, problem_response
from prodapp.auth.permissions import public
from prodapp.datasets import api as datasets_api
from prodapp.machines import api as machines_api
from prodapp.ml.algorithms import ALGORITHMS, DEFAULT_ALGORITHM, Algorithm
from prodapp.predictions import api as predictions_api
from prodapp.predictions import batch_api, what_if_api
from prodapp.ranking import api as ranking_api
from prodapp.ranking import fleet_api, goal_api
from prodapp.ranking.alarm_schemas import AlarmSchema
from prodapp.ranking.class_schemas import AllClassesSchema
from prodapp.ranking.fleet_schemas import SisterSchema
from prodapp.ranking.method_schemas import (
    ComparisonSchema,
    GapSchema,
    TuningSchema,
    ValidationSchema,
)
from prodapp.ranking.metric_schemas import ClassMetricsSchema
from prodapp.ranking.promotion_schemas import PromotionSchema
from prodapp.ranking.trust_schemas import CompanionsSchema, SegmentationSchema, TrustSchema
from prodapp.rest.converters import IdConverter
from prodapp.rest.problems import PROBLEMS
from prodapp.rest.schemas import FailureSchema
from prodapp.rest.spec import EXTENSION, RestApi, api_of
from prodapp.retraining import api as retraining_api
from prodapp.submissions import api as submissions_api
from prodapp.training import api as training_api
from prodapp.training.schemas import hyperparameter_schema
from prodapp.versions import api as versions_api
from prodapp.versions.schemas import ComparedChangeSchema
from prodapp.webhooks import api as webhooks_api

OPENAPI_VERSION = "3.1.0"
DESCRIPTION = """\
Which production variables of a machine drive its result, and how far to trust that.

Register a machine, upload a table, start a run on a target column, follow it, read the ranking.

**Errors** are `application/problem+json` (RFC 9457) with a stable `code`.
**Lists** come by pages; `Link` and `X-Pagination` tell about the others.
**Reads** carry an `ETag` and answer 304 to `If-None-Match`.
**Changes** take it back in `If-Match`: 412 where somebody else was faster.
**What is sent twice** under the same `Idempotency-Key` is done once.
**Work that takes time** answers 202 with `Location` and `Retry-After`; `?wait=20` there
answers when it has ended.
Sentences for people follow `Accept-Language` (English, Portuguese of Brazil).
"""

ANYTHING_ELSE = "Anything else, such as 500 or 503."

SECURITY_SCHEMES: dict[str, dict[str, str]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token (a JWT of POST /api/v1/auth/token), or an API key.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "An API key, made by an administrator.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "prodapp",
        "description": "The session of a signed-in browser (`__Host-prodapp` under HTTPS). "
        "Methods that change something need the header X-CSRFToken as well.",
    },
}

bp = Blueprint("docs", __name__, url_prefix="/api")


def init_app(app: Flask) -> None:
    """Build the Api of ``app`` and register the blueprints of ``/api/v1`` and the document's."""
    app.url_map.converters["id"] = IdConverter
    api = RestApi(
        before=_describe_components,
        after=_tie_hyperparameters,
        spec_kwargs={
            "title": "prodapp",
            "version": "1",
            "openapi_version": OPENAPI_VERSION,
            "extra_plugins": [CommonPlugin(app)],
            "info": {"description": DESCRIPTION},
        },
    )
    api.init_app(app)
    app.extensions[EXTENSION] = api
    for blueprint in (
        auth_api.blp,
        machines_api.blp,
        datasets_api.blp,
        training_api.blp,
        ranking_api.blp,
        fleet_api.blp,
        predictions_api.blp,
        webhooks_api.blp,
        retraining_api.blp,
        admin_api.blp,
    ):
        api.add(blueprint)
    api.add_more(submissions_api.blp)
    api.add_more(versions_api.blp)
    api.add_more(batch_api.blp)
    api.add_more(what_if_api.blp)
    api.add_more(goal_api.blp)
    app.register_blueprint(bp)


def document(app: Flask) -> dict[str, Any]:
    """The OpenAPI document of ``app``."""
    made: dict[str, Any] = api_of(app).spec.to_dict()
    return made


@bp.get("/openapi.json", endpoint="openapi")
@public
def _document() -> Response:
    response = jsonify(document(current_app))
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@bp.get("/docs", endpoint="swagger")
@public
def _swagger() -> str:
    return render_template("docs/swagger.html", document_url=url_for("docs.openapi"))


@bp.get("/redoc", endpoint="redoc")
@public
def _redoc() -> str:
    return render_template("docs/redoc.html", document_url=url_for("docs.openapi"))


def _describe_components(api: RestApi) -> None:
    components = api.spec.components
    for name, scheme in SECURITY_SCHEMES.items():
        components.security_scheme(name, scheme)
    for status, text in PROBLEMS.items():
        components.response(f"Problem{status}", problem_response(text, status))
        components.response(f"Detail{status}", detail_response(text))
    components.response("ProblemDefault", problem_response(ANYTHING_ELSE))
    components.response("DetailDefault", detail_response(ANYTHING_ELSE))
    # Named by schemas that are no marshmallow fields themselves.
    components.schema("Failure", schema=FailureSchema)
    components.schema("Alarm", schema=AlarmSchema)
    components.schema("AllClasses", schema=AllClassesSchema)
    components.schema("Trust", schema=TrustSchema)
    components.schema("Sister", schema=SisterSchema)
    components.schema("ComparedChange", schema=ComparedChangeSchema)
    components.schema("Companions", schema=CompanionsSchema)
    components.schema("Segmentation", schema=SegmentationSchema)
    components.schema("Comparison", schema=ComparisonSchema)
    components.schema("Tuning", schema=TuningSchema)
    components.schema("ClassMetrics", schema=ClassMetricsSchema)
    components.schema("Validation", schema=ValidationSchema)
    components.schema("Gap", schema=GapSchema)
    components.schema("Promotion", schema=PromotionSchema)


def _tie_hyperparameters(api: RestApi) -> None:
    """Say which hyperparameters go with which algorithm, where a schema names both."""
    rules: dict[str, Any] = {}
    for name, algorithm in ALGORITHMS.items():
        names_it: dict[str, Any] = {"properties": {"algorithm": {"const": name}}}
        if name != DEFAULT_ALGORITHM:  # which is meant where none is named
            names_it["required"] = ["algorithm"]
        rules = {
            "if": names_it,
            "then": {"properties": {"hyperparameters": _only(algorithm)}},
            **({"else": rules} if rules else {}),
        }
    for schema in api.spec.components.schemas.values():
        if schema.get("properties", {}).get("hyperparameters", {}).get("type") == "object":
            schema.update(rules)


def _only(algorithm: Algorithm) -> dict[str, Any]:
    known = algorithm.hyperparameters
    if not known:
        return {"maxProperties": 0}
    schemas = {name: hyperparameter_schema(schema) for name, schema in known.items()}
    return {"propertyNames": {"enum": sorted(known)}, "properties": schemas}
