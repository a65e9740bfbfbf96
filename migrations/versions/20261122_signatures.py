"""signatures of model files

Revision: b7e20f94c1d3, after 5a8d2f6c9e14
"""

import sqlalchemy as sa
from alembic import op

revision = "b7e20f94c1d3"
down_revision = "5a8d2f6c9e14"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        "model_versions", sa.Column("artifact_signature", sa.String(length=64), nullable=True)
    )


def downgrade():
    with op.batch_alter_table("model_versions") as batch_op:
        batch_op.drop_column("artifact_signature")
