from __future__ import annotations

from flask import Flask
from sqlalchemy import MetaData, String

from prodapp.caller import Caller
from prodapp.extensions import db
from prodapp.machines import service as machines
from prodapp.models import ModelVersion
from prodapp.models.file_references import FILE_COLUMNS, FileReference, file_references


def test_every_column_that_holds_a_storage_key_is_known() -> None:
    """Backups, the doctor and the sweep go by this list: a forgotten column loses its files."""
    known = {(place.table, place.column) for place in FILE_COLUMNS}
    found = {
        (table.name, column.name)
        for table in db.metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_key")
        and isinstance(column.type, String)
        and column.type.length == 64  # a SHA-256 in hex
    }
    assert found == known


def references() -> list[FileReference]:
    db.session.rollback()
    with db.engine.connect() as connection:
        return file_references(connection, db.metadata)


def test_each_row_speaks_of_its_files_until_its_machine_is_purged(
    filled: Flask, owner: Caller
) -> None:
    version = db.session.query(ModelVersion).one()
    names = [(found.table, found.column, found.row_id) for found in references()]
    assert names == [
        ("datasets", "source_key", version.dataset_id),
        ("datasets", "table_key", version.dataset_id),
        ("model_versions", "artifact_key", version.id),
        ("model_versions", "held_out_key", version.id),
        ("prediction_batches", "source_key", 1),
        ("prediction_batches", "result_key", 1),
    ]
    machines.delete_machine(owner, version.machine_id)
    assert len(references()) == 6
    machines.purge_deleted()
    assert references() == []


def test_a_table_that_is_not_there_yet_is_no_error(filled: Flask) -> None:
    older = MetaData()
    with db.engine.connect() as connection:
        older.reflect(connection, only=["machines", "datasets"], resolve_fks=False)
        assert len(file_references(connection, older)) == 2
