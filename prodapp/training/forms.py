"""What the training form sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from prodapp.ml.algorithms import ALGORITHMS, DEFAULT_ALGORITHM
from prodapp.ml.hyperparameters import Hyperparameter
from prodapp.ml.settings import SETTINGS
from prodapp.training.step_forms import StepsForm

SETTING_FIELDS: Final = (
    "target_class",
    "classes",
    "tuning",
    "validation",
    "time_column",
    "group_column",
    *SETTINGS,
)


@dataclass(frozen=True)
class TrainForm:
    """``hyperparameters`` are the texts of the chosen algorithm's fields, ``settings`` those of the
    fields beside it."""

    target: str
    algorithm: str
    features: tuple[str, ...]
    hyperparameters: Mapping[str, str]
    settings: Mapping[str, str]
    engineering: StepsForm

    @classmethod
    def parse(cls, form: MultiDict[str, str]) -> TrainForm:
        algorithm = form.get("algorithm", DEFAULT_ALGORITHM)
        prefix = f"{algorithm}."
        return cls(
            target=form.get("target", ""),
            algorithm=algorithm,
            features=tuple(form.getlist("features")),
            hyperparameters={
                name.removeprefix(prefix): text.strip()
                for name, text in form.items()
                if name.startswith(prefix)
            },
            settings={name: form[name].strip() for name in SETTING_FIELDS if name in form},
            engineering=StepsForm.parse(form),
        )

    def specification(self) -> dict[str, Any]:
        """The target is never among its variables, whatever boxes were left ticked."""
        features = [name for name in self.features if name != self.target]
        return {
            **{
                name: _value(text) if name in SETTINGS else text
                for name, text in self.settings.items()
                if text
            },
            "target": self.target,
            "algorithm": self.algorithm,
            "features": features or None,
            "engineering": self.engineering.steps(_value),
            "hyperparameters": {
                name: _value(text)
                for name, text in self.hyperparameters.items()
                if (text or self._is_optional(name)) and not self._is_searched(name, text)
            },
        }

    def _is_optional(self, name: str) -> bool:
        """Whether an empty field means "no limit" rather than the default."""
        schema = self._schema(name)
        return schema is not None and schema.is_optional

    def _schema(self, name: str) -> Hyperparameter | None:
        algorithm = ALGORITHMS.get(self.algorithm)
        return algorithm.hyperparameters.get(name) if algorithm else None

    def _is_searched(self, name: str, text: str) -> bool:
        """Whether a search decides: it is wanted, and the field holds what it held at first."""
        schema = self._schema(name)
        is_searching = self.settings.get("tuning", "none") != "none"
        return is_searching and schema is not None and _value(text) == schema.default


def _value(text: str) -> Any:
    """The number that a field holds; what is none is left for the specification to refuse."""
    if not text:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
