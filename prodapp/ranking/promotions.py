"""Why a version came into use by itself when it was made, or did not, in words."""

from __future__ import annotations

from typing import Any

from prodapp.formatting import integer, plain_number, sentence
from prodapp.i18n import gettext as _
from prodapp.models import ModelVersion


def promotion_words(version: ModelVersion) -> list[str]:
    """Sentences on how it did against the version in use then, and what followed from that.

    None of a machine's first version, and of versions made before that was kept.
    """
    decided = version.promotion
    if decided is None or decided["trial"] is None:
        return []
    return [_outcome(decided["trial"]), _consequence(decided)]


def _outcome(trial: dict[str, Any]) -> str:
    duel = trial["duel"]
    if duel is None:
        return sentence(trial["reason"], trial["params"])
    told = {
        "n": integer(duel["n"]),
        "number": trial["champion_number"],
        "gain": plain_number(abs(duel["gain"])),
    }
    if duel["is_better"]:
        told |= {"low": plain_number(duel["low"]), "high": plain_number(duel["high"])}
        return _(
            "On %(n)s held-out samples that neither had learned from, its R² is %(gain)s higher "
            "than that of version %(number)s (%(low)s to %(high)s): better beyond the noise.",
            **told,
        )
    if duel["is_worse"]:
        told |= {"low": plain_number(-duel["high"]), "high": plain_number(-duel["low"])}
        return _(
            "On %(n)s held-out samples that neither had learned from, its R² is %(gain)s lower "
            "than that of version %(number)s (%(low)s to %(high)s): worse beyond the noise.",
            **told,
        )
    told |= {"low": plain_number(duel["low"]), "high": plain_number(duel["high"])}
    return _(
        "On %(n)s held-out samples that neither had learned from, its R² differs from that of "
        "version %(number)s by no more than noise (%(low)s to %(high)s).",
        **told,
    )


def _consequence(decided: dict[str, Any]) -> str:
    if decided["rule"] == "newest":
        return _("By the rule for this machine, the newest version came into use.")
    if decided["rule"] == "manual":
        return _("By the rule for this machine, a person decides which version is used.")
    if decided["is_promoted"]:
        return _("So it came into use by itself.")
    number = decided["trial"]["champion_number"]
    return _("So version %(number)s stayed in use.", number=number)
