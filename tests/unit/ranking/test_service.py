from __future__ import annotations

import pytest
from flask import Flask

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.champions import champion_or_none
from prodapp.exceptions import Conflict, NotFound
from prodapp.machines import service as machines
from prodapp.ranking import service
from tests.factories import make_csv, make_machine, make_ready_dataset, make_run, make_version


def test_the_champion_is_the_newest_version_with_its_ranking_in_order(
    any_app: Flask, caller: Caller
) -> None:
    first = make_version(caller)
    assert service.champion(caller, first.machine_id).id == first.id
    second = make_version(caller, make_run(caller, first.dataset))
    champion = service.champion(caller, first.machine_id)
    assert (champion.id, champion.number) == (second.id, 2)
    assert [item.rank for item in champion.ranking] == [1, 2, 3, 4]
    assert [item.feature for item in champion.ranking][:2] == ["heat", "speed"]
    shares = [item.score_final for item in champion.ranking]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)
    assert [v.is_champion for v in service.list_versions(caller).items] == [True, False]


def test_a_machine_without_champion_is_told_from_one_that_is_missing(
    app: Flask, caller: Caller
) -> None:
    machine = make_machine(caller)
    with pytest.raises(Conflict, match="not been trained yet") as caught:
        service.champion(caller, machine.id)
    assert caught.value.error_code == "not_trained"
    assert champion_or_none(machine.id) is None
    with pytest.raises(NotFound, match="no machine 999"):
        service.champion(caller, 999)


def test_results_of_another_site_and_of_deleted_machines_look_missing(
    app: Flask, caller: Caller
) -> None:
    version = make_version(caller)
    stranger = auth.system_caller(site="other")

    def assert_missing(who: Caller) -> None:
        for act, row_id in (
            (service.champion, version.machine_id),
            (service.get_version, version.id),
        ):
            with pytest.raises(NotFound):
                act(who, row_id)
        with pytest.raises(NotFound):
            service.list_versions(who, machine_id=version.machine_id)
        assert service.list_versions(who).total == 0

    assert_missing(stranger)
    assert service.get_version(caller, version.id) is version
    machines.delete_machine(caller, version.machine_id)
    assert_missing(caller)


def test_a_run_without_result_has_no_version(app: Flask, caller: Caller) -> None:
    run = make_run(caller)
    with pytest.raises(NotFound, match="has published no version"):
        service.version_of_run(run)


def test_versions_are_listed_newest_first_by_pages(app: Flask, caller: Caller) -> None:
    first = make_version(caller)
    second = make_version(caller, make_run(caller, first.dataset))
    page = service.list_versions(caller, machine_id=first.machine_id, page_size=1)
    assert ([v.id for v in page.items], page.total, page.has_next) == ([second.id], 2, True)
    assert service.list_versions(caller, page=10**30).items == []


def test_a_column_with_a_long_name_can_be_ranked_on_every_database(
    any_app: Flask, caller: Caller
) -> None:
    name, target = "h" * 2000, "y" * 2000
    content = make_csv().replace(b"heat", name.encode(), 1).replace(b"yield", target.encode(), 1)
    dataset = make_ready_dataset(caller, content=content)
    version = make_version(caller, make_run(caller, dataset, target=target))
    assert version.target == target
    assert version.ranking[0].feature == name
