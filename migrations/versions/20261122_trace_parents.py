"""which span asked for a run or an import

Revision: 5a8d2f6c9e14, after 6d1f0c84b7ea
"""

import sqlalchemy as sa
from alembic import op

revision = "5a8d2f6c9e14"
down_revision = "6d1f0c84b7ea"
branch_labels = None
depends_on = None


def upgrade():
    for table in ("datasets", "training_runs"):
        op.add_column(table, sa.Column("trace_parent", sa.String(55), nullable=True))


def downgrade():
    for table in ("datasets", "training_runs"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("trace_parent")
