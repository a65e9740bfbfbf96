"""accounts: e-mail addresses, links of two purposes, letters that wait

Revision: 7c0d4e9a51b2, after c41f6d2b8e07
"""

import sqlalchemy as sa
from alembic import op

revision = "7c0d4e9a51b2"
down_revision = "c41f6d2b8e07"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("users") as batch_op:
        batch_op.add_column(sa.Column("email", sa.String(length=254), nullable=True))
        batch_op.add_column(sa.Column("email_key", sa.String(length=254), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_users_email_key"), ["email_key"])
    with op.batch_alter_table("sign_in_links") as batch_op:
        batch_op.add_column(
            sa.Column("purpose", sa.String(length=20), nullable=False, server_default="sign_in")
        )
    op.create_table(
        "mail_requests",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("addressee", sa.String(length=254), nullable=False),
        sa.Column("locale", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("n_attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_requests")),
    )
    with op.batch_alter_table("mail_requests") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_mail_requests_next_attempt_at"), ["next_attempt_at"], unique=False
        )


def downgrade():
    op.drop_table("mail_requests")
    with op.batch_alter_table("sign_in_links") as batch_op:
        batch_op.drop_column("purpose")
    with op.batch_alter_table("users") as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_users_email_key"), type_="unique")
        batch_op.drop_column("email_key")
        batch_op.drop_column("email")
