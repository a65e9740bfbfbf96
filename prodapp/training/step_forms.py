"""What the training form sends of feature engineering."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from prodapp.ml.features.catalogue import STEPS, Parameter

_PREFIX: Final = "engineering."
#: A step has its name as key on the form, further ones of its kind a number from 2 on behind it.
_KEY: Final = re.compile(r"(?P<name>[a-z_]+)(?:-(?P<number>[2-9]|1\d|20))?")


@dataclass(frozen=True)
class StepsForm:
    """The keys of the steps that are ticked, and the texts of the fields of all of them."""

    chosen: tuple[str, ...] = ()
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, form: MultiDict[str, str]) -> StepsForm:
        return cls(
            chosen=tuple(key for key in form.getlist("engineering") if _name_of(key)),
            texts={
                key.removeprefix(_PREFIX): tuple(form.getlist(key))
                for key in form
                if key.startswith(_PREFIX)
            },
        )

    def steps(self, number: Callable[[str], Any]) -> list[dict[str, Any]]:
        """The steps as a specification takes them; ``number`` reads what a field holds."""
        return [self._step(key, number) for key in self.chosen]

    def numbers(self, name: str) -> list[int]:
        """Which steps of this kind the form has: the first, and further ones by number."""
        keys = {*self.chosen, *(field.partition(".")[0] for field in self.texts)}
        return sorted({1, *(_number_of(key) for key in keys if _name_of(key) == name)})

    def _step(self, key: str, number: Callable[[str], Any]) -> dict[str, Any]:
        name = _name_of(key)
        step = STEPS[name]
        columns = [text for text in self.texts.get(f"{key}.columns", ()) if text]
        found: dict[str, Any] = {"step": name, **({"columns": columns} if columns else {})}
        for item, parameter in step.parameters.items():
            texts = self.texts.get(f"{key}.{item}", ())
            if parameter.kind == "flag" or any(text.strip() for text in texts):
                found[item] = _value(parameter, texts, number)
        return found


def key_of(name: str, number: int) -> str:
    """What stands for the ``number``-th step of a kind on the form."""
    return name if number == 1 else f"{name}-{number}"


def _name_of(key: str) -> str:
    """The step that a key stands for, empty where it stands for none."""
    match = _KEY.fullmatch(key)
    return match["name"] if match and match["name"] in STEPS else ""


def _number_of(key: str) -> int:
    match = _KEY.fullmatch(key)
    return int(match["number"] or 1) if match else 1


def _value(parameter: Parameter, texts: tuple[str, ...], number: Callable[[str], Any]) -> Any:
    if parameter.kind == "flag":
        return bool(texts)
    if parameter.kind == "choices":
        return list(texts)
    if parameter.kind == "integers":
        return [number(text) for text in re.split(r"[\s,;]+", texts[0].strip()) if text]
    return texts[0] if parameter.kind == "choice" else number(texts[0].strip())
