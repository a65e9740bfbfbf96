"""the versions in use over time, notes on versions, and archived ones

Until now each new version came into use at once, which is what the history then says.

Revision: 6d1b9c40e7f2, after 2f8c5d1e9ab4
"""

import sqlalchemy as sa
from alembic import op

revision = "6d1b9c40e7f2"
down_revision = "2f8c5d1e9ab4"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    op.add_column("model_versions", sa.Column("notes", sa.Text(), nullable=True))
    op.add_column(
        "model_versions", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_table(
        "champion_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("machine_id", ID, nullable=False),
        sa.Column("version_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('first', 'newest', 'better', 'promoted', 'rolled_back')",
            name=op.f("ck_champion_changes_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machines.id"], name=op.f("fk_champion_changes_machine_id_machines")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_champion_changes_user_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["model_versions.id"],
            name=op.f("fk_champion_changes_version_id_model_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_champion_changes")),
    )
    op.create_index(op.f("ix_champion_changes_machine_id"), "champion_changes", ["machine_id"])
    op.execute(
        "INSERT INTO champion_changes (machine_id, version_id, kind, reason, changed_by, created_at) "
        "SELECT machine_id, id, CASE number WHEN 1 THEN 'first' ELSE 'newest' END, '', 'system', "
        "created_at FROM model_versions ORDER BY id"
    )


def downgrade():
    op.drop_index(op.f("ix_champion_changes_machine_id"), table_name="champion_changes")
    op.drop_table("champion_changes")
    with op.batch_alter_table("model_versions") as batch_op:
        batch_op.drop_column("archived_at")
        batch_op.drop_column("notes")
