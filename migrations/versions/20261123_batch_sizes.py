"""how large the files of batches are, which count as room of their site

Revision: e05a7b21d6f4, after b83d4f60c1a7
"""

import sqlalchemy as sa
from alembic import op

revision = "e05a7b21d6f4"
down_revision = "b83d4f60c1a7"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("prediction_batches") as table:
        table.add_column(
            sa.Column("source_bytes", sa.BigInteger(), nullable=False, server_default="0")
        )


def downgrade():
    with op.batch_alter_table("prediction_batches") as table:
        table.drop_column("source_bytes")
