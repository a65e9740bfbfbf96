"""Room for the files of a site."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from flask import Flask

from prodapp.auth import quotas, sites
from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, Forbidden, InvalidInput
from prodapp.extensions import db
from prodapp.models import Dataset, ModelVersion, PredictionBatch
from prodapp.predictions import batches
from prodapp.predictions.versions import named_version
from tests.factories import make_batch, make_csv, make_dataset, make_machine, make_version
from tests.pages import csrf_token

CONTENT = make_csv(n_rows=20_000)  # more than half a megabyte


def test_an_upload_beyond_the_room_is_refused_and_nothing_of_it_kept(
    any_app: Flask, caller: Caller
) -> None:
    sites.change_quota(caller, caller.site_id, quota_mb=1)
    machine = make_machine(caller)
    make_dataset(caller, machine, content=CONTENT)
    used = quotas.used_bytes(caller.site_id)
    assert used == len(CONTENT)
    with pytest.raises(Conflict) as caught:
        make_dataset(caller, machine, content=CONTENT + b"\n")
    assert caught.value.error_code == "quota_exceeded"
    assert "1 of its 1 MB" in str(caught.value)
    assert db.session.query(Dataset).count() == 1
    sites.change_quota(caller, caller.site_id, quota_mb=2)
    make_dataset(caller, machine, content=CONTENT + b"\n")


def test_what_is_found_full_in_the_end_is_refused_too(
    app: Flask, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another upload took the room while this one came in."""
    sites.change_quota(caller, caller.site_id, quota_mb=1)
    machine = make_machine(caller)
    make_dataset(caller, machine, content=CONTENT)
    monkeypatch.setattr(quotas, "check", lambda *_: None)
    with pytest.raises(Conflict):
        make_dataset(caller, machine, content=CONTENT + b"\n")
    assert db.session.query(Dataset).count() == 1


def test_files_of_batches_count_until_they_are_forgotten(app: Flask, caller: Caller) -> None:
    version = make_version(caller)
    before = quotas.used_bytes(caller.site_id)
    batch = make_batch(caller, version)
    assert quotas.used_bytes(caller.site_id) == before + len(make_csv(n_rows=30, seed=1))
    sites.change_quota(caller, caller.site_id, quota_mb=1)
    with pytest.raises(Conflict) as caught:
        batches.start_batch(
            caller,
            named_version(caller, version.id),
            source=io.BytesIO(CONTENT * 2),
            filename="rows.csv",
        )
    assert caught.value.error_code == "quota_exceeded"
    assert db.session.query(PredictionBatch).count() == 1
    batch.purged_at = batch.created_at
    db.session.commit()
    assert quotas.used_bytes(caller.site_id) == before


def test_models_count_and_other_sites_do_not(app: Flask, caller: Caller) -> None:
    version = make_version(caller)
    size = db.session.get_one(ModelVersion, version.id).artifact_bytes
    assert quotas.used_bytes(caller.site_id) > size > 0
    other = sites.create_site(caller, name="plant 2")
    assert quotas.used_bytes(other.id) == 0


def test_the_installations_room_counts_where_a_site_has_none_of_its_own(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(SITE_QUOTA_MB="1")
    with app.app_context():
        caller = auth.system_caller()
        machine = make_machine(caller)
        make_dataset(caller, machine, content=CONTENT)
        client = app.test_client()
        auth.create_user(caller, username="op", role="operator")
        key = auth.create_key(caller, username="op", name="x").secret
        answer = client.post(
            f"/api/v1/machines/{machine.id}/datasets",
            data={"file": (io.BytesIO(CONTENT[:400_000]), "x.csv")},
            headers={"X-API-Key": key},
        )
        assert (answer.status_code, answer.json["code"]) == (409, "quota_exceeded")
        sites.change_quota(caller, caller.site_id, quota_mb=5)
        make_dataset(caller, machine, content=CONTENT + b"\n")
        db.session.remove()
        db.engine.dispose()


def test_room_is_given_on_the_page_by_rest_and_command(
    app: Flask, caller: Caller, bearer: Callable[..., dict[str, str]]
) -> None:
    path = f"/api/v1/sites/{caller.site_id}"
    client, headers = app.test_client(), bearer("admin")
    told = client.patch(path, json={"quota_mb": 7}, headers=headers).json
    assert (told["quota_bytes"], told["used_bytes"]) == (7 * 1024**2, 0)
    assert client.patch(path, json={"quota_mb": -1}, headers=headers).status_code == 422

    boss = auth.create_user(caller, username="boss", role="admin")
    page = app.test_client()
    page.get(f"/app/sign-in/{auth.create_sign_in_link(boss)}")
    assert "7" in page.get("/app/sites/").text
    form = {"csrf_token": csrf_token(page, "/app/sites/")}
    where = f"/app/sites/{caller.site_id}/quota"
    assert page.post(where, data={**form, "quota_mb": "many"}).status_code == 422
    assert page.post(where, data={**form, "quota_mb": "9"}).status_code == 302
    assert sites.site_of(caller, caller.site_id).quota_bytes == 9 * 1024**2

    run = app.test_cli_runner().invoke
    assert "3 MB" in run(args=["site", "quota", "default", "3"]).stdout
    assert "no limit" in run(args=["site", "quota", "default", "default"]).stdout
    assert run(args=["site", "quota", "default", "x"]).exit_code == 2
    assert "used_bytes" in run(args=["site", "list"]).stdout


def test_only_administrators_of_all_give_room(app: Flask, caller: Caller) -> None:
    far = auth.create_user(caller, username="far", role="admin", site="plant 2")
    them = Caller(far.site_id, "admin", "far", "session", far.id)
    with pytest.raises(Forbidden):
        sites.change_quota(them, far.site_id, quota_mb=1)
    with pytest.raises(InvalidInput):
        sites.change_quota(caller, far.site_id, quota_mb=sites.MAX_QUOTA_MB + 1)
