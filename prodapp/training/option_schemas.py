"""What a specification has beside target and algorithm, as fields of requests."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from prodapp.ml.settings import CLASSES, SETTINGS, TUNINGS, VALIDATIONS

MAX_COLUMN_NAME = 500


def option_fields(
    integer: type[fields.Integer], number: type[fields.Float]
) -> dict[str, fields.Field[Any]]:
    """What a specification has beside target and algorithm, in JSON or in a form."""
    options: dict[str, fields.Field[Any]] = {
        "tuning": fields.String(
            validate=validate.OneOf(tuple(TUNINGS)),
            metadata={
                "description": "How the hyperparameters that are not given are searched: "
                + "; ".join(f"`{name}`: {choice.hint}" for name, choice in TUNINGS.items()),
                "default": "none",
            },
        ),
        "validation": fields.String(
            validate=validate.OneOf(tuple(VALIDATIONS)),
            metadata={
                "description": "How samples are held out: "
                + "; ".join(f"`{name}`: {choice.hint}" for name, choice in VALIDATIONS.items()),
                "default": "auto",
            },
        ),
        "classes": fields.String(
            validate=validate.OneOf(tuple(CLASSES)),
            metadata={
                "description": "What a target of three or more classes becomes: "
                + "; ".join(f"`{name}`: {choice.hint}" for name, choice in CLASSES.items()),
                "default": "joint",
            },
        ),
        "target_class": fields.String(
            validate=validate.Length(min=1, max=MAX_COLUMN_NAME),
            allow_none=True,
            metadata={
                "description": "Of a target of classes: the one whose probability is explained. By "
                "default the rarest. Makes classes of numbers too.",
                "examples": ["scrap"],
            },
        ),
        "time_column": _column_name("The column that tells when a row came; by default found."),
        "group_column": _column_name("The column whose groups are held out whole."),
    }
    for name, setting in SETTINGS.items():
        kind = integer if setting.is_integer else number
        options[name] = kind(
            validate=validate.Range(min=setting.minimum, max=setting.maximum),
            allow_none=setting.default is None,
            metadata={"description": setting.meaning, "default": setting.default},
        )
    return options


def _column_name(description: str) -> fields.String:
    return fields.String(
        validate=validate.Length(min=1, max=MAX_COLUMN_NAME),
        allow_none=True,
        metadata={"description": description},
    )
