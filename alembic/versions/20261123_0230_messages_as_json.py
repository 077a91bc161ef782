"""messages as json: what WeChat sent and what it was answered are kept as they were written.

Making jsonb of them was a seventh of keeping a message, the most frequent write of all, and next to
nobody looks inside: whoever does, makes jsonb of the few rows he looks at.

Revision ID: 0030
Revises: 0029
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

COLUMNS = ("fields", "reply")


def upgrade() -> None:
    _make("json")


def downgrade() -> None:
    _make("jsonb")


def _make(kind: str) -> None:
    changes = (f"ALTER {column} TYPE {kind} USING {column}::{kind}" for column in COLUMNS)
    op.execute(f"ALTER TABLE inbound_messages {', '.join(changes)}")
