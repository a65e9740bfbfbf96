"""rows left out of training, and data sets put together from two files

Revision: 2f8c5d1e9ab4, after 9a4e6b2f7c13
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2f8c5d1e9ab4"
down_revision = "9a4e6b2f7c13"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade():
    op.add_column("datasets", sa.Column("assembly", JSON, nullable=True))
    op.add_column("datasets", sa.Column("exclusions", JSON, nullable=True))
    op.add_column("training_runs", sa.Column("exclusions", JSON, nullable=True))


def downgrade():
    with op.batch_alter_table("training_runs") as batch_op:
        batch_op.drop_column("exclusions")
    with op.batch_alter_table("datasets") as batch_op:
        batch_op.drop_column("exclusions")
        batch_op.drop_column("assembly")
