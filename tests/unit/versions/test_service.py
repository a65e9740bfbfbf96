from __future__ import annotations

import pytest
from sqlalchemy import select

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.champions import champion_of
from prodapp.exceptions import Conflict, InvalidInput, NotFound
from prodapp.extensions import db
from prodapp.machines import overviews
from prodapp.models import AuditEvent, ModelVersion
from prodapp.ranking import service as rankings
from prodapp.versions import service

Versions = list[ModelVersion]


def in_use(version: ModelVersion) -> int:
    """The number of the version in use, of which there must be one."""
    db.session.expire_all()
    found = db.session.scalars(
        select(ModelVersion.number).where(
            ModelVersion.machine_id == version.machine_id, ModelVersion.is_champion.is_(True)
        )
    ).one()
    assert champion_of(version.machine_id).number == found
    return found


def kinds(caller: Caller, version: ModelVersion) -> list[tuple[int, str, str]]:
    told = service.history(caller, version.machine_id)
    return [(change.version.number, change.kind, change.reason) for change in told]


def test_a_promoted_version_is_in_use_and_the_history_says_who_and_why(
    versions: Versions, owner: Caller
) -> None:
    first = versions[0]
    assert in_use(first) == 3
    service.promote(owner, first.id, reason="  seen on\r\nthe line ")
    assert in_use(first) == 1
    assert rankings.champion(owner, first.machine_id).id == first.id
    assert overviews.overview(owner, first.machine_id).champion_id == first.id
    latest = service.history(owner, first.machine_id)[0]
    assert (latest.version_id, latest.kind, latest.changed_by) == (first.id, "promoted", "tester")
    assert latest.reason == "seen on\nthe line"
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "version.promoted"))
    kept = event.one()
    assert kept.subject == f"version:{first.id}"
    assert (kept.before, kept.after) == (
        {"version": versions[2].id},
        {"version": first.id, "reason": "seen on\nthe line"},
    )


def test_rolling_back_leads_from_one_version_in_use_to_the_one_before_it(
    versions: Versions, owner: Caller
) -> None:
    first, second, third = versions
    assert service.roll_back(owner, first.machine_id, reason="worse") is second
    assert service.roll_back(owner, first.machine_id) is first
    assert in_use(first) == 1
    with pytest.raises(Conflict, match="no earlier version") as caught:
        service.roll_back(owner, first.machine_id)
    assert caught.value.error_code == "no_former"
    assert kinds(owner, first) == [
        (1, "rolled_back", ""),
        (2, "rolled_back", "worse"),
        (3, "newest", ""),
        (2, "newest", ""),
        (1, "first", ""),
    ]
    service.promote(owner, third.id)
    service.promote(owner, second.id)
    assert service.roll_back(owner, first.machine_id) is third


def test_rolling_back_passes_over_archived_versions(versions: Versions, owner: Caller) -> None:
    first, second, _third = versions
    service.set_archived(owner, second.id, is_archived=True)
    history = service.history(owner, first.machine_id)
    assert service.way_back(champion_of(first.machine_id), history) is first
    assert service.roll_back(owner, first.machine_id) is first


def test_an_archived_version_is_out_of_lists_but_readable(
    versions: Versions, owner: Caller
) -> None:
    first, second, third = versions
    service.set_archived(owner, second.id, is_archived=True)
    service.set_archived(owner, second.id, is_archived=True)
    machine_id = first.machine_id

    def listed(archived: bool | None) -> list[int]:
        found = rankings.list_versions(owner, machine_id=machine_id, archived=archived)
        return [version.number for version in found.items]

    assert (listed(False), listed(True), listed(None)) == ([3, 1], [2], [3, 2, 1])
    assert {v.number for v in overviews.story(owner, machine_id).versions} == {1, 3}
    assert rankings.get_version(owner, second.id).archived_at is not None
    with pytest.raises(Conflict, match="is archived"):
        service.promote(owner, second.id)
    with pytest.raises(Conflict, match="in use"):
        service.set_archived(owner, third.id, is_archived=True)
    service.set_archived(owner, second.id, is_archived=False)
    assert listed(False) == [3, 2, 1]
    acts = db.session.scalars(
        select(AuditEvent.action).where(AuditEvent.subject == f"version:{second.id}")
    )
    assert sorted(acts) == ["version.archived", "version.unarchived"]


def test_a_version_in_use_is_not_promoted_again(versions: Versions, owner: Caller) -> None:
    with pytest.raises(Conflict, match="in use already"):
        service.promote(owner, versions[2].id)
    assert len(kinds(owner, versions[0])) == 3


def test_notes_are_kept_until_they_are_emptied(versions: Versions, owner: Caller) -> None:
    version = versions[0]
    service.set_notes(owner, version.id, notes=" trusted by João \n")
    assert rankings.get_version(owner, version.id).notes == "trusted by João"
    service.set_notes(owner, version.id, notes=" ")
    assert version.notes is None


@pytest.mark.parametrize(
    ("text", "problem"), [("x" * 4001, "longer than 4000"), ("a\x00b", "cannot be stored")]
)
def test_notes_that_cannot_be_kept_are_refused(
    versions: Versions, owner: Caller, text: str, problem: str
) -> None:
    with pytest.raises(InvalidInput, match=problem) as caught:
        service.set_notes(owner, versions[0].id, notes=text)
    assert caught.value.fields[0].pointer == "/notes"


def test_versions_of_another_site_look_missing(versions: Versions) -> None:
    stranger = auth.system_caller(site="other")
    version = versions[0]
    for act in (
        lambda: service.promote(stranger, version.id),
        lambda: service.set_archived(stranger, version.id, is_archived=True),
        lambda: service.set_notes(stranger, version.id, notes="mine"),
        lambda: service.roll_back(stranger, version.machine_id),
        lambda: service.history(stranger, version.machine_id),
    ):
        with pytest.raises(NotFound):
            act()
    assert in_use(version) == 3
