"""how the documents of runs and data sets were written

Revision: e3b1a7c95d20, after 7c0d4e9a51b2
"""

import sqlalchemy as sa
from alembic import op

revision = "e3b1a7c95d20"
down_revision = "7c0d4e9a51b2"
branch_labels = None
depends_on = None


def upgrade():
    for table in ("datasets", "training_runs"):
        op.add_column(
            table, sa.Column("format", sa.Integer(), nullable=False, server_default="1")
        )


def downgrade():
    for table in ("datasets", "training_runs"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("format")
