"""Model files: only what was signed is opened."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select, update

from prodapp.artifacts import library_changes, open_artifact
from prodapp.caller import Caller
from prodapp.exceptions import DataRefused, NotFound
from prodapp.extensions import command, db
from prodapp.models import ModelVersion
from prodapp.storage import storage
from prodapp.versions import service
from tests.factories import make_sibling

pytestmark = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)


@pytest.fixture
def version(filled: Flask) -> ModelVersion:
    return db.session.scalars(select(ModelVersion)).one()


def change(version: ModelVersion, **values: object) -> None:
    """Write to the row as somebody would who has the database and nothing else."""
    with command() as session:
        session.execute(update(ModelVersion).where(ModelVersion.id == version.id).values(**values))


def set_key(app: Flask, key: str, *, before: str | None = None) -> None:
    settings = app.extensions["prodapp.settings"]
    app.extensions["prodapp.settings"] = replace(settings, secret_key=key, secret_key_before=before)


def refusal(version: ModelVersion) -> str:
    with pytest.raises(DataRefused) as caught:
        open_artifact(version)
    return caught.value.error_code


def test_a_file_opens_as_it_was_stored(version: ModelVersion) -> None:
    estimator = open_artifact(version)[-1]
    assert type(estimator).__name__ == "RandomForestRegressor"
    assert estimator.n_estimators == version.evidence["hyperparameters"]["n_estimators"]


def test_a_file_with_other_bytes_is_refused(version: ModelVersion) -> None:
    with storage().local_path(version.artifact_key) as path:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    assert refusal(version) == "artifact_changed"


def test_a_file_that_the_row_was_made_to_name_is_refused(
    version: ModelVersion, owner: Caller
) -> None:
    poisoned = storage().put(io.BytesIO(b"a file of somebody else's"))
    change(version, artifact_key=poisoned.key)
    assert refusal(version) == "artifact_forged"
    change(version, artifact_signature=None)
    assert refusal(version) == "artifact_unsigned"
    change(version, artifact_signature="0" * 64)
    assert refusal(version) == "artifact_forged"


def test_the_file_of_another_version_is_refused_though_it_is_signed(
    version: ModelVersion, owner: Caller
) -> None:
    sibling = make_sibling(version)
    open_artifact(sibling)
    change(sibling, artifact_signature=version.artifact_signature)
    assert refusal(sibling) == "artifact_forged"


def test_after_a_change_of_the_key_files_open_with_the_one_before_until_they_are_signed_anew(
    filled: Flask, version: ModelVersion, owner: Caller
) -> None:
    old = filled.extensions["prodapp.settings"].secret_key
    new = "another secret of the tests that is long enough"
    set_key(filled, new)
    assert refusal(version) == "artifact_forged"
    assert service.sign(owner, takes_unsigned=True, takes_forged=False).signed == ()
    set_key(filled, new, before=old)
    open_artifact(version)
    assert service.sign(owner, takes_unsigned=False, takes_forged=False).signed == (version.id,)
    set_key(filled, new)
    open_artifact(version)
    assert service.sign(owner, takes_unsigned=False, takes_forged=False).signed == ()


def test_files_without_a_signature_are_signed_only_where_somebody_vouches(
    version: ModelVersion, owner: Caller
) -> None:
    change(version, artifact_signature=None)
    done = service.sign(owner, takes_unsigned=False, takes_forged=False)
    assert [version_id for version_id, _ in done.refused] == [version.id]
    assert service.sign(owner, takes_unsigned=True, takes_forged=False).signed == (version.id,)
    open_artifact(version)
    change(version, artifact_signature="0" * 64)
    assert service.sign(owner, takes_unsigned=True, takes_forged=False).signed == ()
    assert service.sign(owner, takes_unsigned=False, takes_forged=True).signed == (version.id,)
    storage().delete(version.artifact_key)
    with pytest.raises(NotFound):
        service.check_artifact(owner, version.id)


def test_a_file_of_older_libraries_says_why_it_does_not_open(
    version: ModelVersion, owner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert library_changes(version) == ([], [])
    change(version, library_versions={**version.library_versions, "scikit-learn": "0.24.2"})
    open_artifact(version)  # another release alone is no reason
    then, now = library_changes(version)
    assert then == ["scikit-learn 0.24.2"]
    # What scikit-learn says of trees whose nodes have other fields than today's.
    monkeypatch.setattr(
        "prodapp.ml.artifact._loaded", lambda _data: (_ for _ in ()).throw(ValueError("node array"))
    )
    with pytest.raises(DataRefused, match="Train the model again") as caught:
        service.check_artifact(owner, version.id)
    assert caught.value.error_code == "artifact_outdated"
    assert caught.value.params == {"then": then[0], "now": now[0]}
    run = service.train_again(owner, version.id)
    assert (run.dataset_id, run.specification) == (version.dataset_id, version.specification)
