"""Changes of versions as the REST API takes and gives them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from prodapp.champions import rule_of
from prodapp.config import PROMOTIONS
from prodapp.models import ChangeKind
from prodapp.ranking.promotion_schemas import DuelSchema
from prodapp.ranking.row_schemas import EFFECTS
from prodapp.ranking.trust import VERDICTS
from prodapp.rest.schemas import AnswerSchema, Instant, RequestSchema
from prodapp.versions import change_words, sentences
from prodapp.versions.changes import KINDS as CHANGES
from prodapp.versions.drawing import svg_of
from prodapp.versions.report import KINDS
from prodapp.versions.service import MAX_NOTES, MAX_REASON


class ReasonInput(RequestSchema):
    """Why another version is to be in use."""

    reason = fields.String(
        load_default="",
        validate=validate.Length(max=MAX_REASON),
        metadata={"description": "Kept in the history.", "examples": ["Checked on line 2"]},
    )


class NotesInput(RequestSchema):
    """What people say of a version."""

    notes = fields.String(
        required=True,
        validate=validate.Length(max=MAX_NOTES),
        metadata={"description": "In place of the notes before; empty: none."},
    )


class RuleInput(RequestSchema):
    """When a machine's new versions come into use by themselves."""

    rule = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(PROMOTIONS),
        metadata={
            "description": "`newest`: always; `better`: if better beyond the noise on the same "
            "held-out samples; `manual`: never; null: as the installation is set."
        },
    )


class RuleSchema(AnswerSchema):
    """When a machine's new versions come into use by themselves."""

    rule = fields.String(
        required=True,
        allow_none=True,
        attribute="promotion",
        validate=validate.OneOf(PROMOTIONS),
        metadata={"description": "Null: as the installation is set."},
    )
    in_force = fields.Function(
        rule_of,
        required=True,
        metadata={"type": "string", "enum": list(PROMOTIONS)},
    )


class ChampionChangeSchema(AnswerSchema):
    """One change of a machine's version in use."""

    version_id = fields.Integer(required=True, metadata={"description": "Came into use."})
    version_number = fields.Integer(required=True, attribute="version.number")
    kind = fields.String(
        required=True,
        validate=validate.OneOf([str(kind) for kind in ChangeKind]),
        metadata={
            "description": "`first`: there was none; `newest`, `better`: by the rule; `promoted`, "
            "`rolled_back`: by a person."
        },
    )
    reason = fields.String(required=True)
    changed_by = fields.String(required=True)
    created_at = Instant(required=True)


class ArtifactSchema(AnswerSchema):
    """A model file that can be opened."""

    sha256 = fields.String(required=True, attribute="version.artifact_key")
    size_bytes = fields.Integer(required=True, attribute="version.artifact_bytes")
    made_with = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Libraries that are of another release today, as they were."},
    )
    opened_with = fields.List(
        fields.String(), required=True, metadata={"description": "The same, as they are."}
    )


class ComparedFigureSchema(AnswerSchema):
    """One figure of two versions, each with its 95 % interval."""

    name = fields.String(required=True)
    first = fields.Float(required=True, allow_none=True)
    first_interval = fields.List(fields.Float(), required=True, allow_none=True)
    second = fields.Float(required=True, allow_none=True)
    second_interval = fields.List(fields.Float(), required=True, allow_none=True)


class ComparedDifferenceSchema(AnswerSchema):
    """An entry of the specification that is not the same."""

    name = fields.String(required=True)
    first = fields.String(required=True, allow_none=True)
    second = fields.String(required=True, allow_none=True)


class ComparedPlaceSchema(AnswerSchema):
    """A rank, and the ranks that are possible; null where that was not judged."""

    rank = fields.Integer(required=True)
    low = fields.Integer(required=True, allow_none=True)
    high = fields.Integer(required=True, allow_none=True)
    verdict = fields.String(required=True, allow_none=True, validate=validate.OneOf(VERDICTS))
    direction = fields.String(required=True, validate=validate.OneOf(EFFECTS))


class ComparedChangeSchema(AnswerSchema):
    """One thing that is surely not the same: the intervals of both versions do not meet."""

    feature = fields.String(required=True)
    kind = fields.String(
        required=True,
        validate=validate.OneOf(CHANGES),
        metadata={
            "description": "`verdict`, `gain`: what it alone explains; `direction`: it has turned; "
            "`effect`: how far it moves the target over its values."
        },
    )
    sentence = fields.String(required=True, metadata={"description": "For people."})


class ComparedMovedSchema(AnswerSchema):
    """A variable's place in both rankings; null where it has none."""

    feature = fields.String(required=True)
    first = fields.Nested(ComparedPlaceSchema, required=True, allow_none=True)
    second = fields.Nested(ComparedPlaceSchema, required=True, allow_none=True)
    is_beyond = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "Its possible ranks do not meet; null where not judged in both."},
    )


class VersionComparisonSchema(AnswerSchema):
    """Two versions of a machine side by side."""

    first_id = fields.Integer(required=True, attribute="first.id")
    second_id = fields.Integer(required=True, attribute="second.id")
    figures = fields.List(fields.Nested(ComparedFigureSchema), required=True)
    duel = fields.Nested(
        DuelSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The second as challenger on shared held-out samples, or null."},
    )
    verdict = fields.Function(
        sentences.who_is_better,
        required=True,
        metadata={"type": "string", "description": "Which is better, or why that is not told."},
    )
    differences = fields.List(fields.Nested(ComparedDifferenceSchema), required=True)
    ranking = fields.List(fields.Nested(ComparedMovedSchema), required=True)
    moved = fields.Function(
        sentences.what_moved,
        required=True,
        metadata={"type": "string", "description": "What moved beyond its possible ranks."},
    )
    changes = fields.Method(
        "_changes",
        required=True,
        metadata={
            "type": ["array", "null"],
            "items": {"$ref": "#/components/schemas/ComparedChange"},
            "description": "Null where they cannot be compared: different targets, or one of them "
            "explains nothing.",
        },
    )

    def _changes(self, found: Any) -> Any:
        if found.changes is None:
            return None
        return [
            ComparedChangeSchema().dump(
                {**vars(change), "sentence": change_words.change_sentence(found, change)}
            )
            for change in found.changes
        ]


class ReportQuery(RequestSchema):
    """As which kind of file."""

    format = fields.String(
        load_default="pdf",
        validate=validate.OneOf(KINDS),
        metadata={"description": "As which kind of file."},
    )


class PictureSchema(AnswerSchema):
    """A picture of a version with what it shows."""

    key = fields.String(required=True)
    title = fields.String(required=True)
    finding = fields.String(
        required=True, metadata={"description": "What it shows in one sentence, for people."}
    )
    headers = fields.List(fields.String(), required=True)
    rows = fields.List(
        fields.List(fields.Float()),
        required=True,
        metadata={"description": "What is drawn, under the headers."},
    )
    svg = fields.Function(
        svg_of, required=True, metadata={"type": "string", "description": "The drawing as SVG."}
    )
