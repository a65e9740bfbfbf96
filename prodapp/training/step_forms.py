"""What the training form sends of feature engineering."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from prodapp.ml.features.catalogue import STEPS, Parameter

_PREFIX: Final = "engineering."


@dataclass(frozen=True)
class StepsForm:
    """The names of the steps that are ticked, and the texts of the fields of all of them."""

    chosen: tuple[str, ...] = ()
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, form: MultiDict[str, str]) -> StepsForm:
        return cls(
            chosen=tuple(name for name in form.getlist("engineering") if name in STEPS),
            texts={
                key.removeprefix(_PREFIX): tuple(form.getlist(key))
                for key in form
                if key.startswith(_PREFIX)
            },
        )

    def steps(self, number: Callable[[str], Any]) -> list[dict[str, Any]]:
        """The steps as a specification takes them; ``number`` reads what a field holds."""
        return [self._step(name, number) for name in self.chosen]

    def _step(self, name: str, number: Callable[[str], Any]) -> dict[str, Any]:
        step = STEPS[name]
        columns = [text for text in self.texts.get(f"{name}.columns", ()) if text]
        found: dict[str, Any] = {"step": name, **({"columns": columns} if columns else {})}
        for key, parameter in step.parameters.items():
            texts = self.texts.get(f"{name}.{key}", ())
            if parameter.kind == "flag" or any(text.strip() for text in texts):
                found[key] = _value(parameter, texts, number)
        return found


def _value(parameter: Parameter, texts: tuple[str, ...], number: Callable[[str], Any]) -> Any:
    if parameter.kind == "flag":
        return bool(texts)
    if parameter.kind == "choices":
        return list(texts)
    if parameter.kind == "integers":
        return [number(text) for text in re.split(r"[\s,;]+", texts[0].strip()) if text]
    return texts[0] if parameter.kind == "choice" else number(texts[0].strip())
