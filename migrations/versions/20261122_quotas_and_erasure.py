"""room for the files of a site, and users of whom a pseudonym is left

Revision: c2f7a91e4d38, after 8e5a0c3d7b19
"""

import sqlalchemy as sa
from alembic import op

revision = "c2f7a91e4d38"
down_revision = "8e5a0c3d7b19"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("sites", sa.Column("quota_bytes", sa.BigInteger(), nullable=True))
    op.add_column("users", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))


def downgrade():
    with op.batch_alter_table("users") as batch_op:
        batch_op.drop_column("erased_at")
    with op.batch_alter_table("sites") as batch_op:
        batch_op.drop_column("quota_bytes")
