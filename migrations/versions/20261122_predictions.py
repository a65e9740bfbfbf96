"""predictions, batches of them, and what a version needs to make them

Revision: 4be3c9bd009d, after c2f7a91e4d38
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "4be3c9bd009d"
down_revision = "c2f7a91e4d38"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade():
    op.create_table(
        "predictions",
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("machine_id", ID, nullable=False),
        sa.Column("version_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("request_key", sa.String(length=200), nullable=True),
        sa.Column("body_hash", sa.String(length=64), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("inputs", JSON, nullable=False),
        sa.Column("output", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("level", sa.Double(), nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("details", JSON, nullable=False),
        sa.Column("duration_ms", sa.Double(), nullable=False),
        sa.Column("actual", sa.Double(), nullable=True),
        sa.Column("actual_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("actual_by", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("occurred_at", "id", name=op.f("pk_predictions")),
    )
    with op.batch_alter_table("predictions", schema=None) as batch_op:
        batch_op.create_index("ix_predictions_id", ["id"], unique=False)
        batch_op.create_index(
            "ix_predictions_machine_id_occurred_at", ["machine_id", "occurred_at"], unique=False
        )
        batch_op.create_index(
            "ix_predictions_site_id_occurred_at", ["site_id", "occurred_at"], unique=False
        )
        batch_op.create_index(
            "ix_predictions_version_id_occurred_at", ["version_id", "occurred_at"], unique=False
        )
        batch_op.create_index(
            "uq_predictions_request_key",
            ["site_id", "request_key", "position"],
            unique=True,
            sqlite_where=sa.text("request_key IS NOT NULL"),
            postgresql_where=sa.text("request_key IS NOT NULL"),
        )

    op.create_table(
        "prediction_batches",
        sa.Column("id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("machine_id", ID, nullable=False),
        sa.Column("version_id", ID, nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("source_key", sa.String(length=64), nullable=False),
        sa.Column("result_key", sa.String(length=64), nullable=True),
        sa.Column("overrides", JSON, nullable=True),
        sa.Column("level", sa.Double(), nullable=False),
        sa.Column("n_rows", sa.Integer(), nullable=True),
        sa.Column("n_new", sa.Integer(), nullable=True),
        sa.Column("summary", JSON, nullable=True),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("created_by_id", ID, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("format", sa.Integer(), server_default="1", nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=True),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("n_failures", sa.Integer(), nullable=False),
        sa.Column("n_lost", sa.Integer(), nullable=False),
        sa.Column("worker_name", sa.String(length=100), nullable=True),
        sa.Column("trace_parent", sa.String(length=55), nullable=True),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("error_message", sa.String(length=2000), nullable=True),
        sa.Column("error_params", JSON, nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed', 'canceled')",
            name=op.f("ck_prediction_batches_state"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_prediction_batches_created_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machines.id"], name=op.f("fk_prediction_batches_machine_id_machines")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_prediction_batches_site_id_sites")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["model_versions.id"],
            name=op.f("fk_prediction_batches_version_id_model_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prediction_batches")),
    )
    with op.batch_alter_table("prediction_batches", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_prediction_batches_machine_id"), ["machine_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_prediction_batches_result_key"), ["result_key"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_prediction_batches_source_key"), ["source_key"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_prediction_batches_state"), ["state"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_prediction_batches_version_id"), ["version_id"], unique=False
        )

    with op.batch_alter_table("model_versions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reference", JSON, nullable=True))


def downgrade():
    with op.batch_alter_table("model_versions", schema=None) as batch_op:
        batch_op.drop_column("reference")

    with op.batch_alter_table("prediction_batches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_prediction_batches_version_id"))
        batch_op.drop_index(batch_op.f("ix_prediction_batches_state"))
        batch_op.drop_index(batch_op.f("ix_prediction_batches_source_key"))
        batch_op.drop_index(batch_op.f("ix_prediction_batches_result_key"))
        batch_op.drop_index(batch_op.f("ix_prediction_batches_machine_id"))

    op.drop_table("prediction_batches")
    with op.batch_alter_table("predictions", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_predictions_request_key",
            sqlite_where=sa.text("request_key IS NOT NULL"),
            postgresql_where=sa.text("request_key IS NOT NULL"),
        )
        batch_op.drop_index("ix_predictions_version_id_occurred_at")
        batch_op.drop_index("ix_predictions_site_id_occurred_at")
        batch_op.drop_index("ix_predictions_machine_id_occurred_at")
        batch_op.drop_index("ix_predictions_id")

    op.drop_table("predictions")
