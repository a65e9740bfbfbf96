"""A ranking as a file for spreadsheets."""

from __future__ import annotations

import csv
import io

from prodapp.i18n import gettext as _
from prodapp.models import ModelVersion
from prodapp.ranking.sentences import direction, scale, subject, verdict_word
from prodapp.ranking.trust import Trust, trust
from prodapp.spreadsheets import neutral


def ranking_csv(version: ModelVersion) -> str:
    """The ranking as CSV in ISO number style, with a byte order mark for Excel."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(
        [
            _("Rank"),
            _("Variable"),
            _("Share"),
            neutral(_("Mean |SHAP| in the unit of %(target)s", target=scale(version))),
            _("Native importance"),
            _("Direction"),
            _("Verdict"),
            _("First rank possible"),
            _("Last rank possible"),
        ]
    )
    for item in version.ranking:
        judged = trust(item)
        writer.writerow(
            [
                item.rank,
                neutral(item.feature),
                item.score_final,
                item.importance_shap_mean_abs,
                item.importance_native,
                neutral(direction(item, target=subject(version))),
                *(("", "", "") if judged is None else _judgement(judged)),
            ]
        )
    return "\ufeff" + text.getvalue()


def _judgement(judged: Trust) -> tuple[str, int, int]:
    return verdict_word(judged.verdict), judged.rank_low, judged.rank_high
