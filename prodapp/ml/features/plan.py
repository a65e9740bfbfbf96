"""Engineering as it is asked for → checked, and with every column named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from prodapp.exceptions import FieldError, N_
from prodapp.ml.features.catalogue import STEPS, Parameter
from prodapp.ml.table import Column

#: More steps, more numbers in a list, or more columns made than this help nobody.
MAX_STEPS: Final = 20
MAX_LISTED: Final = 20
MAX_MADE: Final = 2_000

WRONG_COLUMNS = N_("Give a list of column names.")


def step_errors(engineering: Any) -> list[FieldError]:
    """What is wrong with steps as they came, by themselves; pointers begin at ``/engineering``."""
    if not isinstance(engineering, list | tuple) or len(engineering) > MAX_STEPS:
        message = N_("Give a list of at most %(limit)d steps.")
        return [FieldError("/engineering", message, {"limit": MAX_STEPS})]
    errors = []
    for place, given in enumerate(engineering):
        errors += _errors_of(given, f"/engineering/{place}")
    return errors


def _errors_of(given: Any, pointer: str) -> list[FieldError]:
    if not isinstance(given, Mapping):
        return [FieldError(pointer, N_("Give an object with the name of a step."))]
    step = STEPS.get(given["step"]) if isinstance(given.get("step"), str) else None
    if step is None:
        message = N_("Choose one of: %(known)s.")
        return [FieldError(f"{pointer}/step", message, {"known": ", ".join(STEPS)})]
    errors = []
    names = given.get("columns")
    if step.is_pair and not (_are_names(names) and len(names or ()) == 2):
        errors.append(FieldError(f"{pointer}/columns", N_("Name exactly two columns.")))
    elif names is not None and not (_are_names(names) and names):
        errors.append(FieldError(f"{pointer}/columns", WRONG_COLUMNS))
    for name, value in given.items():
        if name in ("step", "columns"):
            continue
        parameter = step.parameters.get(name)
        if parameter is None:
            known = {"known": ", ".join(("step", "columns", *step.parameters))}
            errors.append(
                FieldError(f"{pointer}/{name}", N_("Unknown; known are: %(known)s."), known)
            )
        elif problem := _problem(parameter, value):
            errors.append(FieldError(f"{pointer}/{name}", *problem))
    return errors


def _are_names(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


def _problem(parameter: Parameter, value: Any) -> tuple[str, dict[str, Any]] | None:
    """A template and its values, None where the value is right."""
    if parameter.kind == "flag":
        return None if isinstance(value, bool) else (N_("Give true or false."), {})
    if parameter.kind == "choice":
        known = {"known": ", ".join(parameter.options)}
        is_known = isinstance(value, str) and value in parameter.options
        return None if is_known else (N_("Choose one of: %(known)s."), known)
    if parameter.kind == "choices":
        is_right = _are_names(value) and value and set(value) <= set(parameter.options)
        known = {"known": ", ".join(parameter.options)}
        return None if is_right else (N_("Choose some of: %(known)s."), known)
    bounds = {"low": parameter.minimum, "high": parameter.maximum}
    if parameter.kind == "integers":
        is_list = isinstance(value, list | tuple) and 0 < len(value) <= MAX_LISTED
        if is_list and all(_is_within(parameter, item, int) for item in value):
            return None
        return N_("Give a list of whole numbers from %(low)s to %(high)s."), bounds
    kinds = int if parameter.kind == "integer" else (int, float)
    if _is_within(parameter, value, kinds):
        return None
    return N_("Give a number from %(low)s to %(high)s."), bounds


def _is_within(parameter: Parameter, value: Any, kinds: Any) -> bool:
    low, high = parameter.minimum or 0, parameter.maximum or 0
    return isinstance(value, kinds) and not isinstance(value, bool) and low <= value <= high


def resolve_steps(
    engineering: Iterable[Mapping[str, Any]], columns: Sequence[Column]
) -> list[dict[str, Any]]:
    """Steps with defaults filled in, and with the names of the columns that they take.

    ``columns`` are the variables of the run; a step takes those of its kind, or of them those that
    it names. Steps that find none are left out.
    """
    steps = []
    for given in engineering:
        step = STEPS[given["step"]]
        suited = [column.name for column in columns if column.kind in step.takes]
        names = [n for n in given["columns"] if n in suited] if given.get("columns") else suited
        if names:
            defaults = {name: p.default for name, p in step.parameters.items()}
            steps.append({**defaults, **given, "columns": names})
    return steps


def column_errors(
    engineering: Iterable[Mapping[str, Any]], variables: Sequence[Column]
) -> list[FieldError]:
    """Names in steps that are no variables of the run, or of a kind that the step cannot take."""
    kinds = {column.name: column.kind for column in variables}
    errors = []
    for place, given in enumerate(engineering):
        takes = STEPS[given["step"]].takes
        for name in given.get("columns") or ():
            pointer = f"/engineering/{place}/columns"
            if name not in kinds:
                message = N_("“%(name)s” is not among the variables.")
                errors.append(FieldError(pointer, message, {"name": name}))
            elif kinds[name] not in takes:
                message = N_("“%(name)s” is of a kind that this step cannot take.")
                errors.append(FieldError(pointer, message, {"name": name}))
    n_made = sum(_n_made(step) for step in resolve_steps(engineering, variables))
    if n_made > MAX_MADE:
        message = N_("These steps would make %(n)d columns; at most %(limit)d are allowed.")
        errors.append(FieldError("/engineering", message, {"n": n_made, "limit": MAX_MADE}))
    return errors


def _n_made(step: Mapping[str, Any]) -> int:
    if step["step"] in ("ratio", "product"):
        return 1
    if step["step"] in ("transform", "imputation", "encoding"):
        return 0
    n_each = {
        "lags": len(step.get("lags", ())),
        "differences": len(step.get("lags", ())),
        "rolling": len(step.get("windows", ())) * len(step.get("statistics", ())),
        "calendar": len(step.get("parts", ())),
        "polynomial": step.get("degree", 1) - 1,
    }
    return int(n_each[step["step"]]) * len(step["columns"])


def date_columns(
    engineering: Iterable[Mapping[str, Any]], columns: Sequence[Column]
) -> tuple[str, ...]:
    """The dates whose parts are variables."""
    dates = [column for column in columns if column.kind == "date"]
    taken = resolve_steps((s for s in engineering if s["step"] == "calendar"), dates)
    return tuple(dict.fromkeys(name for step in taken for name in step["columns"]))


def first_ordered(engineering: Sequence[Mapping[str, Any]]) -> int | None:
    """The place of the first step that needs rows in the order of time."""
    places = (n for n, step in enumerate(engineering) if STEPS[step["step"]].needs_order)
    return next(places, None)
