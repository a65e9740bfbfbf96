"""What a version found, as a document for people without the application."""

from __future__ import annotations

from dataclasses import dataclass

from prodapp.exceptions import N_, NotFound
from prodapp.formatting import date_and_time, decimal, integer, number, percent, sentence
from prodapp.i18n import gettext as _
from prodapp.ml.algorithms import ALGORITHMS
from prodapp.models import ModelVersion, VariableRanking
from prodapp.ranking import sentences
from prodapp.ranking.alarms import alarms
from prodapp.ranking.promotions import promotion_words
from prodapp.ranking.trust import trust
from prodapp.versions.pictures import Picture, pictures

KINDS = ("html", "pdf", "xlsx")


@dataclass(frozen=True)
class Grid:
    """A table of texts under ``headers``."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Report:
    """All texts are in one language; ``warnings`` are to be read before acting on the rest."""

    title: str
    machine: str
    verdict: str
    warnings: tuple[str, ...]
    figures: Grid
    ranking: Grid
    facts: Grid
    pictures: tuple[Picture, ...]
    is_withheld: bool


def report_of(version: ModelVersion) -> Report:
    """The report of ``version`` in the caller's language."""
    return Report(
        title=_("What drives %(target)s?", target=sentences.subject(version)),
        machine=_(
            "%(machine)s, version %(number)s", machine=version.machine.name, number=version.number
        ),
        verdict=sentences.verdict(version),
        warnings=tuple(alarm.message for alarm in alarms(version)),
        figures=_figures(version),
        ranking=_ranking(version),
        facts=_facts(version),
        pictures=tuple(pictures(version)),
        is_withheld=not version.metrics["explains"],
    )


def check_kind(kind: str) -> str:
    """``kind``, if reports are made as such. Raises :class:`NotFound`."""
    if kind not in KINDS:
        raise NotFound(
            N_("There is no report as %(kind)s; use one of %(known)s."),
            kind=kind,
            known=", ".join(KINDS),
        )
    return kind


def _figures(version: ModelVersion) -> Grid:
    metrics = version.metrics
    meanings = {
        "r2": (_("Explained variation, R²"), _("1 is perfect, 0 no better than the mean")),
        "mae": (_("Typical error, MAE"), _("in the unit of %(target)s", target=version.target)),
        "rmse": (
            _("Error that punishes outliers, RMSE"),
            _("in the unit of %(target)s", target=version.target),
        ),
    }
    rows = []
    for name, (word, note) in meanings.items():
        interval = metrics[f"{name}_interval"]
        ends = _("%(low)s to %(high)s", low=number(interval["low"]), high=number(interval["high"]))
        rows.append((word, number(metrics[name]), ends, note))
    headers = (_("Figure"), _("Value"), _("With 95 percent confidence"), _("Meaning"))
    return Grid(_("Figures on held-out samples"), headers, tuple(rows))


def _ranking(version: ModelVersion) -> Grid:
    headers = (
        _("Rank"),
        _("Possible ranks"),
        _("Variable"),
        _("Share"),
        _("Verdict"),
        _("Direction"),
    )
    rows = tuple(_row(item, sentences.subject(version)) for item in version.ranking)
    return Grid(_("Ranking of %(n)s variables", n=len(rows)), headers, rows)


def _row(item: VariableRanking, target: str) -> tuple[str, ...]:
    judged = trust(item)
    ranks, verdict = "–", "–"
    if judged is not None:
        ranks = _("%(low)s to %(high)s", low=judged.rank_low, high=judged.rank_high)
        verdict = sentences.verdict_word(judged.verdict)
    told = sentences.direction(item, target=target)
    return (str(item.rank), ranks, item.feature, percent(item.score_final), verdict, told)


def _facts(version: ModelVersion) -> Grid:
    metrics, evidence = version.metrics, version.evidence
    algorithm = ALGORITHMS[evidence.get("algorithm", version.specification["algorithm"])]
    rows = [
        (_("Data"), version.dataset.filename),
        (_("Made"), date_and_time(version.created_at)),
        (_("Algorithm"), sentence(algorithm.label)),
        (
            _("Learned from"),
            _(
                "%(n)s rows, %(features)s variables",
                n=integer(metrics["n_train"]),
                features=integer(metrics["n_features"]),
            ),
        ),
        (_("Tested on"), _("%(n)s rows it had not seen", n=integer(metrics["n_test"]))),
    ]
    validation = evidence.get("validation")
    if validation is not None:
        rows.append((_("Because"), sentence(validation["reason"], validation["params"])))
    skill, ends = metrics.get("skill"), metrics.get("skill_interval")
    if skill is not None and ends is not None:
        interval = _("%(low)s to %(high)s", low=decimal(ends["low"]), high=decimal(ends["high"]))
        rows.append((_("Skill"), f"{decimal(skill)} ({interval})"))
    decided = " ".join(promotion_words(version))
    rows += [(_("In use"), _("Yes") if version.is_champion else _("No"))]
    rows += [(_("Against the version before"), decided)] if decided else []
    rows += [(_("Notes"), version.notes)] if version.notes else []
    libraries = ", ".join(f"{name} {v}" for name, v in sorted(version.library_versions.items()))
    rows.append((_("Versions of the libraries"), libraries))
    return Grid(_("How it was made"), (_("What"), _("How")), tuple(rows))
