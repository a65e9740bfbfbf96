"""when a version comes into use by itself, and the held-out samples by which versions are compared

Revision: 83ac5e1f7d06, after 4b1d9c7e2a60
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "83ac5e1f7d06"
down_revision = "4b1d9c7e2a60"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade():
    op.add_column("machines", sa.Column("promotion", sa.String(length=20), nullable=True))
    op.add_column("model_versions", sa.Column("promotion", JSON, nullable=True))
    op.add_column("model_versions", sa.Column("held_out_key", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_model_versions_held_out_key"), "model_versions", ["held_out_key"])


def downgrade():
    op.drop_index(op.f("ix_model_versions_held_out_key"), table_name="model_versions")
    with op.batch_alter_table("model_versions") as batch_op:
        batch_op.drop_column("held_out_key")
        batch_op.drop_column("promotion")
    with op.batch_alter_table("machines") as batch_op:
        batch_op.drop_column("promotion")
