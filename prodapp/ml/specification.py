"""What a training run is asked to do: one frozen record, stored with the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from prodapp.exceptions import FieldError, InvalidInput, N_
from prodapp.ml.algorithms import ALGORITHMS, DEFAULT_ALGORITHM
from prodapp.ml.features.plan import step_errors
from prodapp.ml.hyperparameters import Hyperparameter
from prodapp.ml.settings import CLASSES, SETTINGS, TUNINGS, VALIDATIONS

#: Fewer samples with a target than this carry no ranking worth reading.
MIN_SAMPLES: Final = 20


@dataclass(frozen=True)
class Specification:
    """One training run, wholly described.

    ``target_class`` names the class whose probability is explained (:mod:`prodapp.ml.classes`); of
    a target that holds no numbers None means the rarest. With three or more, ``classes`` says
    whether one model answers for all of them (:mod:`prodapp.ml.class_codes`) or for that one
    against the rest.
    ``features`` None means every column whose suggested role is "feature", but the target.
    ``engineering`` holds steps of :mod:`prodapp.ml.features.catalogue`.
    ``test_size`` is the share of samples held out, parted from the others as ``validation`` says
    (:mod:`prodapp.ml.splits`): in the order of ``time_column`` with ``gap_rows`` samples between
    (None: found), by ``group_column``, or at random. The model is also judged in ``n_folds`` folds
    (None: small models, three folds). ``tuning`` searches the hyperparameters that are not given
    (:mod:`prodapp.ml.tuning`), ``n_candidates`` at most but in a grid. Samples are explained until
    the order is clear, ``max_explained_samples`` at most; :mod:`prodapp.ml.budget` says what gives
    way when time or memory run out. Wrong values raise ``InvalidInput`` at once.
    """

    target: str
    target_class: str | None = None
    classes: str = "joint"
    features: tuple[str, ...] | None = None
    algorithm: str = DEFAULT_ALGORITHM
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    tuning: str = "none"
    n_candidates: int = 20
    engineering: tuple[Mapping[str, Any], ...] = ()
    validation: str = "auto"
    time_column: str | None = None
    group_column: str | None = None
    gap_rows: int | None = None
    n_folds: int | None = None
    test_size: float = 0.2
    random_state: int = 0
    max_explained_samples: int = 4000
    time_budget_seconds: float = 600
    memory_budget_megabytes: int = 4000

    def __post_init__(self) -> None:
        errors = [
            *self._field_errors(),
            *self._validation_errors(),
            *step_errors(self.engineering),
            *self._hyperparameter_errors(),
        ]
        if errors:
            raise InvalidInput(
                N_("The training specification has wrong values."), fields=tuple(errors)
            )

    def _field_errors(self) -> list[FieldError]:
        errors = []
        if not isinstance(self.target, str) or not self.target:
            errors.append(FieldError("/target", N_("Name the target column.")))
        if self.target_class is not None and (
            not isinstance(self.target_class, str) or not self.target_class
        ):
            errors.append(FieldError("/target_class", N_("Name a class of the target.")))
        if self.classes not in CLASSES:
            known = {"known": ", ".join(CLASSES)}
            errors.append(FieldError("/classes", N_("Choose one of: %(known)s."), known))
        if self.features is not None and (not self.features or self.target in self.features):
            message = N_("Name at least one variable, and not the target.")
            errors.append(FieldError("/features", message))
        if self.algorithm not in ALGORITHMS:
            known = {"known": ", ".join(ALGORITHMS)}
            errors.append(FieldError("/algorithm", N_("Choose one of: %(known)s."), known))
        elif (obstacle := ALGORITHMS[self.algorithm].obstacle) is not None:
            errors.append(obstacle)
        if self.tuning not in TUNINGS:
            known = {"known": ", ".join(TUNINGS)}
            errors.append(FieldError("/tuning", N_("Choose one of: %(known)s."), known))
        for name, setting in SETTINGS.items():
            value, low, high = getattr(self, name), setting.minimum, setting.maximum
            if not (setting.default is None and value is None) and not _is_within(
                value, low, high, is_integer=setting.is_integer
            ):
                errors.append(_range_error(f"/{name}", low, high))
        return errors

    def _validation_errors(self) -> list[FieldError]:
        errors = []
        if self.validation not in VALIDATIONS:
            known = {"known": ", ".join(VALIDATIONS)}
            errors.append(FieldError("/validation", N_("Choose one of: %(known)s."), known))
        for name in ("time_column", "group_column"):
            column = getattr(self, name)
            if column is not None and (not isinstance(column, str) or column in ("", self.target)):
                errors.append(FieldError(f"/{name}", N_("Name a column, and not the target.")))
        return errors

    def _hyperparameter_errors(self) -> list[FieldError]:
        errors = []
        known = self._schemas()
        for name, value in self.hyperparameters.items():
            pointer = f"/hyperparameters/{name}"
            schema = known.get(name)
            if schema is None:
                params = {"known": ", ".join(known) or "–"}
                message = N_("This algorithm has no such hyperparameter; it has: %(known)s.")
                errors.append(FieldError(pointer, message, params))
            elif not (schema.is_optional and value is None) and not _is_within(
                value, schema.minimum, schema.maximum, is_integer=schema.is_integer
            ):
                errors.append(_range_error(pointer, schema.minimum, schema.maximum))
        return errors

    def _schemas(self) -> Mapping[str, Hyperparameter]:
        algorithm = ALGORITHMS.get(self.algorithm)
        return {} if algorithm is None else algorithm.hyperparameters

    def resolved_hyperparameters(self) -> dict[str, Any]:
        """Every hyperparameter of the algorithm, defaults filled in."""
        defaults = {name: schema.default for name, schema in self._schemas().items()}
        return {**defaults, **self.hyperparameters}

    def to_json(self) -> dict[str, Any]:
        """A dict of plain values that ``from_json`` takes back."""
        plain = asdict(self)
        plain["features"] = None if self.features is None else list(self.features)
        plain["hyperparameters"] = dict(self.hyperparameters)
        plain["engineering"] = [dict(step) for step in self.engineering]
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Specification:
        """The specification of a dict of plain values; unknown keys raise ``InvalidInput``."""
        known = [item.name for item in fields(cls)]
        unknown = [
            FieldError(
                f"/{name}", N_("Unknown; known are: %(known)s."), {"known": ", ".join(known)}
            )
            for name in plain
            if name not in known
        ]
        if unknown or "target" not in plain:
            unknown += (
                [] if "target" in plain else [FieldError("/target", N_("Name the target column."))]
            )
            raise InvalidInput(
                N_("The training specification has wrong values."), fields=tuple(unknown)
            )
        values = dict(plain)
        _check_shapes(values)
        if values.get("features") is not None:
            values["features"] = tuple(values["features"])
        if isinstance(values.get("engineering"), list):
            values["engineering"] = tuple(values["engineering"])
        return cls(**values)


def _check_shapes(values: Mapping[str, Any]) -> None:
    errors = []
    names = values.get("features")
    if names is not None and not (
        isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    ):
        errors.append(FieldError("/features", N_("Give a list of column names.")))
    if not isinstance(values.get("hyperparameters", {}), Mapping):
        errors.append(FieldError("/hyperparameters", N_("Give an object of names and values.")))
    if errors:
        raise InvalidInput(N_("The training specification has wrong values."), fields=tuple(errors))


def _is_within(value: Any, low: float, high: float, *, is_integer: bool) -> bool:
    kinds = (int,) if is_integer else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool) and low <= value <= high


def _range_error(pointer: str, low: float, high: float) -> FieldError:
    message = N_("Give a number from %(low)s to %(high)s.")
    return FieldError(pointer, message, {"low": low, "high": high})
