"""message fields compared: a retry is told from another message by the fields, not by their hash.

The hash was made for every message and looked at for the few that come twice; what came first is
there to be compared.

Revision ID: 0031
Revises: 0030
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE inbound_messages DROP COLUMN body_hash")


def downgrade() -> None:
    # No message of before has the hash that was compared then: a retry of it is a conflict.
    op.execute("ALTER TABLE inbound_messages ADD COLUMN body_hash bytea NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE inbound_messages ALTER COLUMN body_hash DROP DEFAULT")
