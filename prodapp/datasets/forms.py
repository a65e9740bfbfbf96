"""What the pages of data sets send and suggest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from prodapp.ml.algorithms import DEFAULT_ALGORITHM
from prodapp.models import Dataset

OVERRIDES = ("encoding", "delimiter", "decimal", "header")


@dataclass(frozen=True)
class TrainSuggestion:
    """What the training form shows before anybody has chosen."""

    target: str
    algorithm: str
    features: tuple[str, ...]
    hyperparameters: Mapping[str, str]


def upload_overrides(form: MultiDict[str, str]) -> dict[str, str]:
    """What a person decided instead of intake; empty fields leave it to intake."""
    return {name: form[name] for name in OVERRIDES if form.get(name)}


def suggested_form(dataset: Dataset, args: MultiDict[str, str]) -> TrainSuggestion:
    """The target that the address names, where the file has it; nothing is guessed."""
    names = [column["name"] for column in dataset.preview["columns"]]
    target = args.get("target", "")
    return TrainSuggestion(target if target in names else "", DEFAULT_ALGORITHM, (), {})
