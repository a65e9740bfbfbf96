"""alarms that people accepted, with their reasons

Revision: 6d1f0c84b7ea, after 83ac5e1f7d06
"""

import sqlalchemy as sa
from alembic import op

revision = "6d1f0c84b7ea"
down_revision = "83ac5e1f7d06"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    op.create_table(
        "alarm_acceptances",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("site_id", BIG_ID, nullable=False),
        sa.Column("machine_id", BIG_ID, nullable=False),
        sa.Column("alarm_key", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("accepted_by_id", BIG_ID, nullable=True),
        sa.Column("accepted_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["accepted_by_id"], ["users.id"], name=op.f("fk_alarm_acceptances_accepted_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machines.id"], name=op.f("fk_alarm_acceptances_machine_id_machines")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_alarm_acceptances_site_id_sites")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_acceptances")),
    )
    op.create_index(
        "uq_alarm_acceptances_holding",
        "alarm_acceptances",
        ["machine_id", "alarm_key"],
        unique=True,
        sqlite_where=sa.text("taken_back_at IS NULL"),
        postgresql_where=sa.text("taken_back_at IS NULL"),
    )


def downgrade():
    op.drop_index("uq_alarm_acceptances_holding", table_name="alarm_acceptances")
    op.drop_table("alarm_acceptances")
