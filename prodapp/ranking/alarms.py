"""Warnings that belong to a result: what to think of before acting on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from prodapp.extensions import db
from prodapp.models import AlarmAcceptance, ModelVersion
from prodapp.ranking.alarm_words import message, why
from prodapp.ranking.sentences import FEW_SAMPLES, subject

CODES = (
    *("explains_nothing", "leak_suspect", "row_order", "order_leak", "group_leak"),
    *("too_few_samples", "sign_flip", "damage", "barely_moved"),
)
_WEIGHTS = {"critical": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class Acceptance:
    """That a person knows the alarm, and why it may stand."""

    reason: str
    accepted_by: str
    accepted_at: datetime


@dataclass(frozen=True)
class Alarm:
    """``code`` is stable; ``severity`` is ``info``, ``warning`` or ``critical``; ``features`` are
    the variables it is about, none where it is about the whole; ``message`` is for people, and
    ``evidence`` tells them what it rests on. ``key`` is the same for the same alarm on the same
    target in every version of a machine."""

    key: str
    code: str
    severity: str
    features: tuple[str, ...]
    message: str
    evidence: str
    acceptance: Acceptance | None = None


def alarms(version: ModelVersion) -> list[Alarm]:
    """The alarms of a version: those that nobody accepted first, of them the gravest."""
    accepted = _accepted(version.machine_id)
    found = [_alarm(version, document, accepted) for document in _documents(version)]
    return sorted(found, key=lambda a: (a.acceptance is not None, _WEIGHTS[a.severity]))


def _documents(version: ModelVersion) -> list[dict[str, Any]]:
    """What the run kept; of a version made before it did, what its metrics tell."""
    kept = version.evidence.get("alarms")
    if kept is not None:
        return [document for document in kept if document["code"] in CODES]
    metrics, found = version.metrics, []
    if not metrics["explains"]:
        # Versions of that release lack the skill, but all have R².
        bounds = metrics.get("skill_interval") or metrics["r2_interval"]
        params = {"n": metrics["n_test"], "r2": metrics["r2"]}
        params |= {"low": bounds["low"], "high": bounds["high"]}
        found.append(_document("explains_nothing", "critical", params))
    if metrics["n_test"] < FEW_SAMPLES:
        params = {"n": metrics["n_test"], "limit": FEW_SAMPLES}
        found.append(_document("too_few_samples", "warning", params))
    return found


def _document(code: str, severity: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "severity": severity, "variables": [], "params": params}


def _alarm(
    version: ModelVersion, document: Mapping[str, Any], accepted: Mapping[str, Acceptance]
) -> Alarm:
    code, names, params = document["code"], document["variables"], document["params"]
    key = _key(version.target, document)
    about = subject(version)
    return Alarm(
        key=key,
        code=code,
        severity=document["severity"],
        features=tuple(names),
        message=message(code, names, params, target=about),
        evidence=why(code, names, params, target=about),
        acceptance=accepted.get(key),
    )


def _key(target: str, document: Mapping[str, Any]) -> str:
    params = document["params"]
    told = [params.get("rule"), params.get("column"), params.get("reason")]
    identity = [document["code"], target, sorted(document["variables"]), *told]
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]


def _accepted(machine_id: int) -> dict[str, Acceptance]:
    statement = select(AlarmAcceptance).where(
        AlarmAcceptance.machine_id == machine_id, AlarmAcceptance.taken_back_at.is_(None)
    )
    return {
        row.alarm_key: Acceptance(row.reason, row.accepted_by, row.created_at)
        for row in db.session.scalars(statement)
    }
