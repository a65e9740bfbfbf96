"""Alarms as plain sentences: what is the matter, what to do, and what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prodapp.formatting import decimal, integer, number, percent, sentence
from prodapp.i18n import gettext as _
from prodapp.ranking.segments import column_word

Params = Mapping[str, Any]


def message(code: str, variables: Sequence[str], params: Params, *, target: str) -> str:
    """What is the matter and what to do about it."""
    return _MESSAGES[code](variables, params, target)


def why(code: str, variables: Sequence[str], params: Params, *, target: str) -> str:
    """The figures behind it."""
    return _REASONS[code](variables, params, target)


def _explains_nothing(_variables: Sequence[str], _params: Params, target: str) -> str:
    return _(
        "These variables do not explain %(target)s: the model does no better than always "
        "predicting the mean. Do not act on this order.",
        target=target,
    )


def _why_nothing(_variables: Sequence[str], params: Params, _target: str) -> str:
    return _(
        "On %(n)s samples that the model had not seen, R² is %(r2)s. The share of the mean's "
        "squared error that it takes away lies between %(low)s and %(high)s with 95%% confidence; "
        "both must be clearly above zero.",
        n=integer(params["n"]),
        r2=decimal(params["r2"]),
        low=percent(params["low"]),
        high=percent(params["high"]),
    )


def _leak(variables: Sequence[str], params: Params, target: str) -> str:
    names = {"variables": ", ".join(variables), "target": target}
    if params["rule"] == "pair":
        return _(
            "%(variables)s together give %(target)s almost exactly, as in a formula. If they are "
            "measured or calculated with it, leave them out and train again.",
            **names,
        )
    if len(variables) > 1:
        return _(
            "%(variables)s together seem to state %(target)s rather than drive it. If they are "
            "known only with it, leave them out and train again.",
            **names,
        )
    return _(
        "%(variables)s seems to state %(target)s rather than drive it. If it is known only with "
        "the target, leave it out and train again.",
        **names,
    )


def _why_leak(variables: Sequence[str], params: Params, target: str) -> str:
    if params["rule"] == "pair":
        return _(
            "A function of %(first)s added to, or multiplied by, a function of %(second)s explains "
            "%(share)s of %(target)s on rows that it was not fitted to. Real processes have more "
            "noise.",
            first=variables[0],
            second=variables[1],
            share=percent(min(params["share"], 0.999), 1),
            target=target,
        )
    return sentence(params["reason"], params["params"])


def _row_order(variables: Sequence[str], _params: Params, target: str) -> str:
    return _(
        "%(variable)s runs on with time like a counter, so the model can look up when a row came "
        "instead of why %(target)s was so. Leave it out, or use how fast it changes.",
        variable=variables[0],
        target=target,
    )


def _why_row_order(variables: Sequence[str], params: Params, _target: str) -> str:
    return _(
        "In the order of %(column)s, %(share)s of the steps of %(variable)s go the same way.",
        column=params["column"],
        share=percent(params["share"], 1),
        variable=variables[0],
    )


def _order_leak(_variables: Sequence[str], params: Params, target: str) -> str:
    if params["is_kept_apart"]:
        return _(
            "Rows are like their neighbours, and what was learned of %(target)s hardly holds on "
            "stretches of rows that were not learned from. The order may only show what drifted at "
            "the same time.",
            target=target,
        )
    return _(
        "Rows are like their neighbours, yet they were held out at random: the figures flatter, "
        "since near-copies of the tested rows of %(target)s were learned from. Train again with "
        "validation in time.",
        target=target,
    )


def _group_leak(_variables: Sequence[str], params: Params, target: str) -> str:
    if params["is_kept_apart"]:
        return _(
            "Rows of a group are alike, and what was learned of %(target)s hardly holds on new "
            "groups. The order may only show which group a row belongs to.",
            target=target,
        )
    return _(
        "Rows of a group are alike, yet they were held out at random: the figures flatter, since "
        "other rows of the same groups were learned from. Train again for %(target)s with "
        "validation by whole groups.",
        target=target,
    )


def _why_leaking(_variables: Sequence[str], params: Params, _target: str) -> str:
    return _(
        "In %(folds)s folds of %(n)s rows, R² is %(shuffled)s where rows are drawn at random, and "
        "%(blocked)s where what belongs together is kept apart.",
        folds=integer(params["n_folds"]),
        n=integer(params["n"]),
        shuffled=decimal(params["shuffled"]),
        blocked=decimal(params["blocked"]),
    )


def _few_samples(_variables: Sequence[str], params: Params, _target: str) -> str:
    return _(
        "Only %(n)s samples were held out: read the order as a first hint.", n=number(params["n"])
    )


def _why_few(_variables: Sequence[str], params: Params, _target: str) -> str:
    return _(
        "Below %(limit)s held-out samples, a few odd rows decide the figures. Some hundreds of "
        "rows are a good start.",
        limit=integer(params["limit"]),
    )


def _sign_flip(variables: Sequence[str], params: Params, target: str) -> str:
    return _(
        "Raising %(variable)s goes along with a higher %(target)s where %(column)s is %(up)s, and "
        "with a lower one where it is %(down)s. Decide for each by itself.",
        variable=variables[0],
        target=target,
        column=column_word(params["column"]),
        up=params["level_up"],
        down=params["level_down"],
    )


def _why_flip(variables: Sequence[str], params: Params, target: str) -> str:
    figures = {
        f"{name}_{end}": decimal(params[f"slope_{end}"] + factor * params[f"error_{end}"])
        for end in ("up", "down")
        for name, factor in (("low", -1.96), ("high", 1.96))
    }
    return _(
        "The other variables held, a usual step of %(variable)s moves %(target)s by %(low_up)s to "
        "%(high_up)s of its spread in the %(n_up)s rows of %(up)s, and by %(low_down)s to "
        "%(high_down)s in the %(n_down)s rows of %(down)s (95%% sure).",
        variable=variables[0],
        target=target,
        up=params["level_up"],
        down=params["level_down"],
        n_up=integer(params["n_up"]),
        n_down=integer(params["n_down"]),
        **figures,
    )


def _damage(variables: Sequence[str], _params: Params, target: str) -> str:
    return _(
        "The file may not hold what was measured in %(variable)s, and the ranking for %(target)s "
        "rests on it. Look at the values, correct the file or its reading, and train again.",
        variable=variables[0],
        target=target,
    )


def _why_damage(_variables: Sequence[str], params: Params, _target: str) -> str:
    return sentence(params["reason"], params["params"])


def _barely_moved(variables: Sequence[str], params: Params, target: str) -> str:
    names = {"variable": variables[0], "target": target}
    if params.get("low") is None:
        return _(
            "%(variable)s was hardly ever anything else than %(value)s: these data cannot tell "
            "what it does to %(target)s.",
            value=params["value"],
            **names,
        )
    return _(
        "%(variable)s hardly moved, so these data cannot tell what it does to %(target)s. To find "
        "out, run it for a while near %(low)s and near %(high)s, where that is safe.",
        low=number(params["low"]),
        high=number(params["high"]),
        **names,
    )


def _why_still(variables: Sequence[str], params: Params, _target: str) -> str:
    if params.get("share") is not None:
        value = params["value"]
        return _(
            "%(variable)s is %(value)s in %(share)s of the rows.",
            variable=variables[0],
            value=value if isinstance(value, str) else number(value),
            share=percent(min(params["share"], 0.999), 1),
        )
    return _(
        "All values of %(variable)s lie between %(low)s and %(high)s, nearly all of them within a "
        "ten-thousandth of %(value)s.",
        variable=variables[0],
        low=number(params["low"], 6),
        high=number(params["high"], 6),
        value=number(params["value"], 6),
    )


Words = Callable[[Sequence[str], Params, str], str]

_MESSAGES: Mapping[str, Words] = {
    "explains_nothing": _explains_nothing,
    "leak_suspect": _leak,
    "row_order": _row_order,
    "order_leak": _order_leak,
    "group_leak": _group_leak,
    "too_few_samples": _few_samples,
    "sign_flip": _sign_flip,
    "damage": _damage,
    "barely_moved": _barely_moved,
}
_REASONS: Mapping[str, Words] = {
    "explains_nothing": _why_nothing,
    "leak_suspect": _why_leak,
    "row_order": _why_row_order,
    "order_leak": _why_leaking,
    "group_leak": _why_leaking,
    "too_few_samples": _why_few,
    "sign_flip": _why_flip,
    "damage": _why_damage,
    "barely_moved": _why_still,
}
