"""signed messages that were taken, so that none is taken twice

Revision: b83d4f60c1a7, after 7c1e5a90d2b4
"""

import sqlalchemy as sa
from alembic import op

revision = "b83d4f60c1a7"
down_revision = "7c1e5a90d2b4"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    op.create_table(
        "received_messages",
        sa.Column("id", ID, nullable=False),
        sa.Column("message_id", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received_messages")),
        sa.UniqueConstraint("message_id", name=op.f("uq_received_messages_message_id")),
    )


def downgrade():
    op.drop_table("received_messages")
