"""drafts of data sets, and what is remembered of a machine's columns

The states of data sets are no longer listed in a check: each release may have more of them.

Revision: 9a4e6b2f7c13, after e3b1a7c95d20
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "9a4e6b2f7c13"
down_revision = "e3b1a7c95d20"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    with op.batch_alter_table("datasets") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_datasets_state"), type_="check")
        batch_op.add_column(sa.Column("settings", JSON, nullable=True))
        batch_op.add_column(sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("machines", sa.Column("overrides", JSON, nullable=True))
    op.create_table(
        "machine_variables",
        sa.Column("id", ID, nullable=False),
        sa.Column("machine_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=True),
        sa.Column("unit", sa.String(length=40), nullable=True),
        sa.Column("role", sa.String(length=40), nullable=True),
        sa.Column("sense", sa.String(length=40), nullable=True),
        sa.Column("goal", sa.Double(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("middle", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machines.id"], name=op.f("fk_machine_variables_machine_id_machines")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_machine_variables")),
        sa.UniqueConstraint(
            "machine_id", "position", name=op.f("uq_machine_variables_machine_id_position")
        ),
    )


def downgrade():
    op.drop_table("machine_variables")
    with op.batch_alter_table("machines") as batch_op:
        batch_op.drop_column("overrides")
    # A draft was never asked to be read: the release before has no better word for that.
    op.execute("UPDATE datasets SET state = 'refused' WHERE state = 'draft'")
    with op.batch_alter_table("datasets") as batch_op:
        batch_op.drop_column("purged_at")
        batch_op.drop_column("settings")
        batch_op.create_check_constraint(
            batch_op.f("ck_datasets_state"),
            "state IN ('queued', 'importing', 'ready', 'refused')",
        )
