"""What the training form sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict


@dataclass(frozen=True)
class TrainForm:
    target: str
    algorithm: str
    features: tuple[str, ...]

    @classmethod
    def parse(cls, form: MultiDict[str, str]) -> TrainForm:
        return cls(
            target=form.get("target", ""),
            algorithm=form.get("algorithm", "random_forest"),
            features=tuple(form.getlist("features")),
        )

    def specification(self) -> dict[str, Any]:
        """The target is never among its variables, whatever boxes were left ticked."""
        features = [name for name in self.features if name != self.target]
        return {"target": self.target, "algorithm": self.algorithm, "features": features or None}
