"""What the three ways to start a run send."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_smorest.fields import Upload
from marshmallow import fields, validate

from prodapp.datasets.schemas import OverridesForm, records_field
from prodapp.ml.algorithms import ALGORITHMS, DEFAULT_ALGORITHM
from prodapp.rest.arguments import Malformed, strict_json
from prodapp.rest.schemas import id_field, json_id_field
from prodapp.training.option_schemas import MAX_COLUMN_NAME, option_fields
from prodapp.training.schemas import SpecificationInput


class RunOnDatasetInput(SpecificationInput):
    """Train on data that are stored already."""

    dataset_id = json_id_field("The data set to train on.", required=True)


class RunOnRecordsInput(SpecificationInput):
    """Train on rows that come with the request."""

    machine_id = json_id_field("The machine that the rows come from.", required=True)
    records = records_field()


class RunForm(OverridesForm):
    """The fields beside the file. ``features`` may come several times."""

    machine_id = id_field("The machine that the file comes from.", required=True)
    target = fields.String(
        required=True,
        validate=validate.Length(min=1, max=MAX_COLUMN_NAME),
        metadata={"description": "The column to explain.", "examples": ["yield"]},
    )
    features = fields.List(
        fields.String(validate=validate.Length(min=1, max=MAX_COLUMN_NAME)),
        metadata={"description": "One field for each column; by default all that can."},
    )
    algorithm = fields.String(
        validate=validate.OneOf(tuple(ALGORITHMS)), metadata={"default": DEFAULT_ALGORITHM}
    )
    hyperparameters = fields.String(
        metadata={"description": "A JSON object.", "examples": ['{"n_estimators": 200}']}
    )
    engineering = fields.String(
        metadata={"description": "A JSON list.", "examples": ['[{"step": "lags", "lags": [1, 2]}]']}
    )

    class Meta(OverridesForm.Meta):
        include = option_fields(fields.Integer, fields.Float)

    @ma.post_load
    def _parse_json(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        for name in ("hyperparameters", "engineering"):
            text = data.get(name)
            if text is not None:
                try:
                    data[name] = strict_json(text.encode())
                except Malformed as error:
                    raise ma.ValidationError({name: [str(error)]}) from error
        return data


class RunUploadDocument(RunForm):
    """Train on a file that comes with the request."""

    file = Upload(required=True, metadata={"description": "The CSV file."})
