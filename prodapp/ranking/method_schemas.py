"""How a model was found and judged, as the REST API gives it."""

from __future__ import annotations

from marshmallow import fields

from prodapp.formatting import sentence
from prodapp.ranking.metric_schemas import IntervalSchema
from prodapp.rest.schemas import AnswerSchema


class FoldScoreSchema(AnswerSchema):
    """How well one fold was predicted. Errors in the target's unit."""

    r2 = fields.Float(required=True)
    mae = fields.Float(required=True)
    rmse = fields.Float(required=True)
    skill = fields.Float(required=True)
    n_train = fields.Integer(required=True)
    n_test = fields.Integer(required=True)


class GapSchema(AnswerSchema):
    """R² in random folds, and in folds that keep apart what belongs together."""

    shuffled_r2 = fields.Float(required=True)
    blocked_r2 = fields.Float(required=True)
    n_folds = fields.Integer(required=True)
    n_samples = fields.Integer(required=True)
    blocks = fields.String(
        dump_default="order",
        required=True,
        metadata={"description": "Blocks of what.", "examples": ["time", "group", "order"]},
    )
    is_small = fields.Boolean(
        dump_default=True,
        required=True,
        metadata={"description": "Of small models: the two figures are for each other only."},
    )


class ValidationSchema(AnswerSchema):
    """How samples were held out, and the scores by fold."""

    scheme = fields.String(
        required=True,
        metadata={
            "description": "The held-out samples: random rows (`shuffled`), the last in `time`, "
            "whole groups (`group`), or stretches of neighbours where no column tells the time "
            "(`order`).",
            "examples": ["time"],
        },
    )
    reason = fields.Function(
        lambda plan: sentence(plan["reason"], plan["params"]),
        required=True,
        metadata={"type": "string", "description": "For people."},
    )
    column = fields.String(required=True, allow_none=True)
    gap_rows = fields.Integer(required=True)
    n_repeats = fields.Integer(required=True)
    folds = fields.List(fields.Nested(FoldScoreSchema), required=True)


class ContenderSchema(AnswerSchema):
    """One row of a leaderboard. Errors in the target's unit."""

    algorithm = fields.String(
        required=True, metadata={"description": "`baseline` always answers the mean."}
    )
    r2 = fields.Float(required=True)
    r2_interval = fields.Nested(IntervalSchema, required=True)
    mae = fields.Float(required=True)
    rmse = fields.Float(required=True)
    seconds = fields.Float(required=True)


class ComparisonSchema(AnswerSchema):
    """Algorithms compared on the same folds of the training samples, best first."""

    leaderboard = fields.List(fields.Nested(ContenderSchema), required=True)
    n_folds = fields.Integer(required=True)
    n_samples = fields.Integer(required=True)


class TrialSchema(AnswerSchema):
    """One configuration that a search tried, judged as contenders are."""

    hyperparameters = fields.Dict(keys=fields.String(), required=True)
    is_default = fields.Boolean(required=True)
    n_samples = fields.Integer(required=True)
    r2 = fields.Float(required=True)
    r2_interval = fields.Nested(IntervalSchema, required=True)
    mae = fields.Float(required=True)
    rmse = fields.Float(required=True)
    seconds = fields.Float(required=True)


class TuningSchema(AnswerSchema):
    """A search for hyperparameters on folds of the training samples; the first trial was taken."""

    method = fields.String(required=True)
    trials = fields.List(fields.Nested(TrialSchema), required=True)
    n_folds = fields.Integer(required=True)
    n_samples = fields.Integer(required=True)
