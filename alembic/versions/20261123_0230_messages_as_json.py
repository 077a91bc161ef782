"""messages as json: what WeChat sent and what it was answered are kept as they were written.

Making jsonb of them was a seventh of keeping a message, the most frequent write of all, and next to
nobody looks inside: whoever does, makes jsonb of the few rows he looks at. The hash of a body was
made for each message, too, and looked at for the few that come twice; their fields are there to be
compared.

The old columns stay and may be empty, so that workers of both versions serve side by side and no
table is written anew; `sent` and `answer` are read before them. They go with a later version.

Revision ID: 0030
Revises: 0029
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE inbound_messages ADD COLUMN sent json, ADD COLUMN answer json,"
        " ALTER fields DROP NOT NULL, ALTER body_hash DROP NOT NULL"
    )


def downgrade() -> None:
    op.execute(
        "UPDATE inbound_messages SET fields = sent, reply = answer,"
        " body_hash = coalesce(body_hash, '') WHERE sent IS NOT NULL"
    )
    op.execute(
        "ALTER TABLE inbound_messages DROP COLUMN sent, DROP COLUMN answer,"
        " ALTER fields SET NOT NULL, ALTER body_hash SET NOT NULL"
    )
