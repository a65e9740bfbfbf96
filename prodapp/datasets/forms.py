"""What the pages of data sets send and suggest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from babel.numbers import NumberFormatError, parse_decimal
from werkzeug.datastructures import MultiDict

from prodapp.datasets.assembly import APPEND, JOIN, Assembly
from prodapp.exceptions import FieldError, InvalidInput, N_
from prodapp.formatting import local_decimal, locale
from prodapp.ml.algorithms import DEFAULT_ALGORITHM
from prodapp.models import Dataset
from prodapp.variables import TARGET, ColumnSettings, TableSettings

OVERRIDES: Final = ("encoding", "delimiter", "decimal", "header")
_READ: Final = "read."
_NONE: Final = "none."
#: Roles that enter a model; the target is chosen anew with each training.
_ENTERING: Final = ("lever", "context", TARGET)
_SAID: Final = ("label", "unit", "role")


@dataclass(frozen=True)
class TrainSuggestion:
    """What the training form shows before anybody has chosen."""

    target: str
    algorithm: str
    features: tuple[str, ...]
    hyperparameters: Mapping[str, str]


@dataclass(frozen=True)
class Said:
    """What a person said of the columns so far, as the form's fields hold it."""

    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    target: str = ""
    sense: str = ""
    goal: str = ""

    @classmethod
    def from_settings(cls, settings: TableSettings) -> Said:
        """What was said of the machine's earlier files, or when this one was confirmed."""
        columns = {
            column.name: {
                name: value for name in _SAID if (value := getattr(column, name)) is not None
            }
            for column in settings.columns
        }
        goal = "" if settings.goal is None else local_decimal(f"{settings.goal:.15g}")
        return cls(columns, settings.target or "", settings.sense or "", goal)

    @classmethod
    def parse(cls, form: MultiDict[str, str]) -> Said:
        columns: dict[str, dict[str, str]] = {}
        for key, text in form.items():
            name, mark, column = key.partition(":")
            if mark and name in _SAID:
                columns.setdefault(column, {})[name] = " ".join(text.split())
        return cls(
            columns,
            form.get("target", ""),
            form.get("sense", ""),
            form.get("goal", "").strip(),
        )

    def settings(self, dataset: Dataset) -> TableSettings:
        """As the service takes it, of the columns that the file has. Raises ``InvalidInput``."""
        is_hold = bool(self.target) and self.sense == "hold"
        return TableSettings(
            columns=tuple(
                self._column(column["name"], column.get("unit") or "")
                for column in dataset.preview["columns"]
                if column["name"] in self.columns
            ),
            target=self.target or None,
            sense=(self.sense or None) if self.target else None,
            goal=number_from(self.goal, "/goal") if is_hold else None,
        )

    def _column(self, name: str, file_unit: str) -> ColumnSettings:
        own = self.columns[name]
        unit = own.get("unit", file_unit)
        return ColumnSettings(
            name,
            label=own.get("label") or None,
            unit=None if unit == file_unit else unit,
            role=None if name == self.target else own.get("role") or None,
        )


@dataclass(frozen=True)
class AssemblyForm:
    """Whether the file stands alone (``kind`` "") or goes with another data set, as typed."""

    kind: str = ""
    dataset_id: str = ""
    time: str = ""
    laboratory_time: str = ""
    tolerance: str = "60"
    delay: str = "0"

    @classmethod
    def parse(cls, form: MultiDict[str, str]) -> AssemblyForm:
        names = {
            "kind": "assembly",
            "dataset_id": "with",
            "time": "time",
            "laboratory_time": "laboratory_time",
            "tolerance": "tolerance",
            "delay": "delay",
        }
        return cls(**{own: form[name].strip() for own, name in names.items() if name in form})

    def assembly(self) -> Assembly | None:
        """As the service takes it. Raises ``InvalidInput``."""
        if self.kind not in (APPEND, JOIN) or not self.dataset_id.isdecimal():
            return None
        if self.kind == APPEND:
            return Assembly(APPEND, int(self.dataset_id), time=self.time or None)
        return Assembly(
            JOIN,
            int(self.dataset_id),
            time=self.time or None,
            laboratory_time=self.laboratory_time or None,
            tolerance_minutes=number_from(self.tolerance, "/tolerance") or 0.0,
            delay_minutes=number_from(self.delay, "/delay") or 0.0,
        )


def upload_overrides(form: MultiDict[str, str]) -> dict[str, str]:
    """What a person decided instead of intake; empty fields leave it to intake."""
    return {name: form[name] for name in OVERRIDES if form.get(name)}


def chosen_overrides(form: MultiDict[str, str], current: Mapping[str, str]) -> dict[str, str]:
    """The choices of the page: those of its fields, and the ``current`` ones that have none.

    A pressed button of a remedy adds its own. Raises ``InvalidInput`` for one that is none.
    """
    asked = {key.removeprefix(_READ): text for key, text in form.items() if key.startswith(_READ)}
    without_codes = {key.removeprefix(_NONE) for key in form if key.startswith(_NONE)}
    chosen = {key: value for key, value in current.items() if key not in asked}
    # A tab is a choice; what is typed is not meant with the blanks around it.
    chosen |= {key: text.strip(" ") or text for key, text in asked.items() if text.strip(" ")}
    chosen |= {key: "" for key in without_codes if not asked.get(key, "").strip()}
    return chosen | _remedy(form.get("remedy"))


def opened_columns(form: MultiDict[str, str]) -> set[str]:
    """The columns whose controls are on the page, and the one whose button asks for them."""
    shown = {key.partition(":")[2] for key in form if key.startswith(_READ)}
    return (shown | {form.get("open", "")}) - {""}


def _remedy(text: str | None) -> dict[str, str]:
    if not text:
        return {}
    try:
        remedy: Any = json.loads(text)
    except ValueError:
        remedy = None
    if not isinstance(remedy, dict):
        raise InvalidInput(N_("This page is out of date. Load it again."))
    return {str(key): str(value) for key, value in remedy.items()}


def number_from(text: str, pointer: str) -> float | None:
    """A number as the reader's language writes it; None for none.

    Raises ``InvalidInput`` at ``pointer``.
    """
    if not text:
        return None
    try:
        return float(parse_decimal(text, locale=locale(), strict=True))
    except NumberFormatError:
        message = N_("“%(text)s” is not a number.")
        wrong = FieldError(pointer, message, {"text": text})
        raise InvalidInput(message, fields=(wrong,), text=text) from None


def suggested_form(dataset: Dataset, args: MultiDict[str, str]) -> TrainSuggestion:
    """The target that the address names or was said when the file was confirmed, and the variables
    that were said to be levers or context, or of which nothing was said and nothing is suspected.
    """
    columns = dataset.preview["columns"]
    settings = TableSettings.from_json(dataset.settings)
    names = [column["name"] for column in columns]
    target = next((n for n in (args.get("target"), settings.target) if n in names), None) or ""
    suspects = (dataset.preview.get("profile") or {}).get("suspects", ())
    roles: dict[str, str | None] = {suspect["name"]: "consequence" for suspect in suspects}
    roles |= {column.name: column.role for column in settings.columns if column.role}
    features = tuple(
        column["name"]
        for column in columns
        if column["role"] == "feature" and roles.get(column["name"]) in (None, *_ENTERING)
    )
    return TrainSuggestion(target, DEFAULT_ALGORITHM, features, {})
