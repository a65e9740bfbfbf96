"""signs of life of workers, dispatchers and backups

Revision: c41f6d2b8e07, after 51f21289d053
"""

import sqlalchemy as sa
from alembic import op

revision = "c41f6d2b8e07"
down_revision = "51f21289d053"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "process_presences",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("host_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_presences")),
        sa.UniqueConstraint("name", name=op.f("uq_process_presences_name")),
    )


def downgrade():
    op.drop_table("process_presences")
