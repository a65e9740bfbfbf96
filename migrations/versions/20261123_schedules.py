"""watched folders of machines, and the files that were found in them

Revision: b83d40f1c7e6, after e05a7b21d6f4
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "b83d40f1c7e6"
down_revision = "e05a7b21d6f4"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)
WAITS = sa.text("next_attempt_at IS NOT NULL")


def upgrade():
    op.create_table(
        "schedules",
        sa.Column("id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("machine_id", ID, nullable=False),
        sa.Column("folder", sa.String(length=1000), nullable=False),
        sa.Column("pattern", sa.String(length=200), nullable=False),
        sa.Column("cron", sa.String(length=100), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("n_attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=True),
        sa.Column("looked_at", INSTANT, nullable=True),
        sa.Column("problem_code", sa.String(length=40), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("problem_params", JSON, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machines.id"], name=op.f("fk_schedules_machine_id_machines")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_schedules_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
        sa.UniqueConstraint("machine_id", name=op.f("uq_schedules_machine_id")),
    )
    op.create_index(
        "ix_schedules_next_attempt_at",
        "schedules",
        ["next_attempt_at"],
        sqlite_where=WAITS,
        postgresql_where=WAITS,
    )
    _create_files()


def _create_files():
    op.create_table(
        "scheduled_files",
        sa.Column("id", ID, nullable=False),
        sa.Column("schedule_id", ID, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size_bytes", BIG, nullable=False),
        sa.Column("modified_ns", BIG, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("dataset_id", ID, nullable=True),
        sa.Column("run_id", ID, nullable=True),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("error_params", JSON, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name=op.f("fk_scheduled_files_dataset_id_datasets")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["training_runs.id"],
            name=op.f("fk_scheduled_files_run_id_training_runs"),
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["schedules.id"],
            name=op.f("fk_scheduled_files_schedule_id_schedules"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduled_files")),
        sa.UniqueConstraint(
            "schedule_id",
            "name",
            "size_bytes",
            "modified_ns",
            name=op.f("uq_scheduled_files_schedule_id_name_size_bytes_modified_ns"),
        ),
    )


def downgrade():
    for table in ("scheduled_files", "schedules"):
        op.drop_table(table)
