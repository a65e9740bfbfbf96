"""The options of ``flask train`` that say how a run is made, from the settings themselves."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from prodapp.ml.settings import CLASSES, SETTINGS, TUNINGS, VALIDATIONS

Function = TypeVar("Function", bound=Callable[..., Any])

#: The shorter word that people type.
_WORDS: Final = {"random_state": "seed"}
_NAMES: Final = (
    "target_class",
    "classes",
    "tuning",
    "validation",
    "time_column",
    "group_column",
    *SETTINGS,
)


def setting_options(function: Function) -> Function:
    """Options for tuning, validation, budgets and the seed; see :func:`settings_of`."""
    for name, setting in reversed(list(SETTINGS.items())):
        flag = "--" + _WORDS.get(name, name).replace("_", "-")
        kind = int if setting.is_integer else float
        default = "found" if setting.default is None else f"{setting.default:g}"
        words = f"{setting.meaning}  [default: {default}]"
        function = click.option(flag, name, type=kind, help=words)(function)
    for option in (
        click.option(
            "--engineer",
            "engineering",
            multiple=True,
            metavar="JSON",
            help='A step of feature engineering (repeat), as {"step": "lags", "lags": [1, 2]}.',
        ),
        click.option("--group-column", help="The column whose groups are held out whole."),
        click.option("--time-column", help="The column that tells when a row came."),
        click.option(
            "--validation",
            type=click.Choice(list(VALIDATIONS)),
            help="How samples are held out.  [default: auto]",
        ),
        click.option(
            "--target-class",
            help="Of a target of classes: the one to explain.  [default: the rarest]",
        ),
        click.option(
            "--classes",
            type=click.Choice(list(CLASSES)),
            help="Of three or more: one model for all of them, or for one against the rest.  "
            "[default: joint]",
        ),
        click.option(
            "--tuning",
            type=click.Choice(list(TUNINGS)),
            help="Search the hyperparameters that --set leaves open.  [default: none]",
        ),
    ):
        function = option(function)
    return function


def settings_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a specification that the options say, without those that were not given."""
    said = {name: value for name in _NAMES if (value := options[name]) is not None}
    return {**said, "engineering": [_step(text) for text in options["engineering"]]}


def _step(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"Write --engineer as JSON, not {text!r}.") from error
