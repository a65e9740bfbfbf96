"""What a training run is asked to do: one frozen record, stored with the run."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from prodapp.exceptions import DataRefused, FieldError, InvalidInput, N_
from prodapp.ml.algorithms import ALGORITHMS, DEFAULT_ALGORITHM
from prodapp.ml.features.plan import column_errors, date_columns, step_errors
from prodapp.ml.hyperparameters import Hyperparameter
from prodapp.ml.settings import SETTINGS, TUNINGS, VALIDATIONS
from prodapp.ml.table import Column

#: Fewer samples with a target than this carry no ranking worth reading.
MIN_SAMPLES: Final = 20

_FEATURE_KINDS: Final = ("number", "category", "boolean")
_CLASS_KINDS: Final = ("category", "boolean")
_LISTED_NAMES: Final = 20

NOT_A_FEATURE_KIND = N_("Dates and free texts cannot be variables of the model.")
IS_TARGET = N_("It is the target.")
NOT_CHOSEN = N_("It was not chosen.")
CLASS_NOT_NAMED = N_(
    "“%(column)s” has more than two classes: name the one to explain. It has: %(known)s."
)
TELLS_GROUPS = N_("It tells the groups that are held out; the model meets new ones.")


@dataclass(frozen=True)
class Specification:
    """One training run, wholly described.

    ``target_class`` names the class whose probability is explained (:mod:`prodapp.ml.classes`); of
    a target that holds no numbers and has two, None means the rarer.
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


def check_specification(spec: Specification, columns: Sequence[Column]) -> None:
    """Raise when ``spec`` cannot be trained on a table of these columns.

    ``InvalidInput`` for names that are not there, ``DataRefused`` for a target or variables that
    the data do not allow.
    """
    by_name = {column.name: column for column in columns}
    _check_names(spec, columns)
    target = by_name[spec.target]
    if target.kind not in ("number", *_CLASS_KINDS):
        raise DataRefused(
            N_("The target “%(column)s” must hold numbers or classes; it holds %(examples)s."),
            code="target_not_numeric",
            column=target.name,
            examples=", ".join(f"“{example}”" for example in target.examples) or "–",
        )
    if target.kind in _CLASS_KINDS and target.n_distinct > 2 and spec.target_class is None:
        raise DataRefused(
            CLASS_NOT_NAMED,
            code="class_not_named",
            column=target.name,
            known=", ".join(f"“{example}”" for example in target.examples),
        )
    if target.n_distinct < 2:
        raise DataRefused(
            N_("The target “%(target)s” has the same value in every row: nothing to explain."),
            code="target_constant",
            column=target.name,
            target=target.name,
        )
    names = chosen_features(spec, columns)
    if not names:
        raise DataRefused(
            N_("No column can serve as a variable. Upload a table with at least one that varies."),
            code="no_features",
        )
    errors = column_errors(spec.engineering, [by_name[name] for name in names])
    if errors:
        raise InvalidInput(N_("The training specification has wrong values."), fields=tuple(errors))


def _check_names(spec: Specification, columns: Sequence[Column]) -> None:
    by_name = {column.name: column for column in columns}
    for pointer, name in [
        ("/target", spec.target),
        *(("/features", f) for f in spec.features or ()),
        ("/time_column", spec.time_column),
        ("/group_column", spec.group_column),
    ]:
        if name is not None and name not in by_name:
            raise _unknown_column(pointer, name, list(by_name))
    if spec.time_column and by_name[spec.time_column].kind not in ("date", "number"):
        message = N_("“%(name)s” holds no times: name a column of dates or of numbers that count.")
        raise _refused("/time_column", message, {"name": spec.time_column})
    if spec.validation == "group" and group_column(spec, columns) is None:
        raise _refused("/group_column", N_("Name the column that tells the groups."), {})


def _refused(pointer: str, message: str, params: dict[str, Any]) -> InvalidInput:
    return InvalidInput(message, fields=(FieldError(pointer, message, params),), **params)


def _unknown_column(pointer: str, name: str, known: list[str]) -> InvalidInput:
    lowered = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.5)
    listed = ", ".join(known[:_LISTED_NAMES]) + ("…" if len(known) > _LISTED_NAMES else "")
    if close:
        message = N_(
            "There is no column “%(name)s”. Did you mean “%(close)s”? The columns are: %(known)s."
        )
        params: dict[str, Any] = {"name": name, "close": lowered[close[0]], "known": listed}
    else:
        message = N_("There is no column “%(name)s”. The columns are: %(known)s.")
        params = {"name": name, "known": listed}
    field_error = FieldError(pointer, message, params)
    return InvalidInput(message, code="unknown_column", fields=(field_error,), **params)


def chosen_features(spec: Specification, columns: Sequence[Column]) -> tuple[str, ...]:
    """The names of the variables, in the order of the table.

    Raises ``DataRefused`` when a variable was named whose values cannot enter a model.
    """
    dates = date_columns(spec.engineering, columns)
    if spec.features is None:
        others = (spec.target, spec.time_column, group_column(spec, columns))
        return tuple(
            c.name
            for c in columns
            if c.name in dates or (c.role == "feature" and c.name not in others)
        )
    for column in columns:
        if (
            column.name in spec.features
            and column.kind not in _FEATURE_KINDS
            and column.role != "empty"
            and column.name not in dates
        ):
            raise DataRefused(
                N_("“%(name)s” cannot be a variable: it holds dates or free text."),
                code="feature_not_usable",
                column=column.name,
                name=column.name,
            )
    return tuple(
        c.name
        for c in columns
        if c.name in dates or (c.name in spec.features and c.role not in ("empty", "constant"))
    )


def group_column(spec: Specification, columns: Sequence[Column]) -> str | None:
    """The column that tells the groups: the one named, else the first of that role."""
    if spec.group_column is not None or spec.validation not in ("auto", "group"):
        return spec.group_column
    return next((c.name for c in columns if c.role == "group" and c.name != spec.target), None)


def left_out(spec: Specification, columns: Sequence[Column]) -> tuple[tuple[str, str], ...]:
    """The columns that are neither target nor variable, each with the reason (a template)."""
    chosen = chosen_features(spec, columns)
    groups = group_column(spec, columns)
    return tuple(
        (column.name, TELLS_GROUPS if column.name == groups else column.role_reason or NOT_CHOSEN)
        for column in columns
        if column.name not in chosen and column.name != spec.target
    )
