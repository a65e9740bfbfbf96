"""Which rows speak of which files of the storage."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, MetaData, select


@dataclass(frozen=True)
class FileColumn:
    """A column that holds storage keys; its table has ``id`` and ``machine_id``."""

    table: str
    column: str


#: Where a table has this column, files of rows that fill it may be gone.
PURGED_AT = "purged_at"
FILE_COLUMNS = (
    FileColumn("datasets", "source_key"),
    FileColumn("datasets", "table_key"),
    FileColumn("model_versions", "artifact_key"),
    FileColumn("model_versions", "held_out_key"),
    FileColumn("prediction_batches", "source_key"),
    FileColumn("prediction_batches", "result_key"),
)


@dataclass(frozen=True)
class FileReference:
    """``key`` is the file that column ``column`` of row ``row_id`` names."""

    key: str
    table: str
    column: str
    row_id: int


def file_references(connection: Connection, tables: MetaData) -> list[FileReference]:
    """What every row says that was not purged, nor its machine; files of such may be gone.

    ``tables`` are those the database has, which need not be those of the models: a backup may be
    made before a migration.
    """
    found = []
    machines = tables.tables["machines"]
    for place in FILE_COLUMNS:
        table = tables.tables.get(place.table)
        if table is None or place.column not in table.c:
            continue
        key = table.c[place.column]
        statement = (
            select(key, table.c.id)
            .join(machines, table.c.machine_id == machines.c.id)
            .where(machines.c.purged_at.is_(None), key.is_not(None))
            .order_by(table.c.id)
        )
        if PURGED_AT in table.c:
            statement = statement.where(table.c[PURGED_AT].is_(None))
        rows = connection.execute(statement)
        found += [FileReference(row[0], place.table, place.column, row[1]) for row in rows]
    return found
