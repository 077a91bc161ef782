"""Name search: what a name begins with and what follows its first letter, each in its order.

Finding a common given name by its pairs alone read every member who has it.

Revision ID: 0028
Revises: 0027
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

NAMES = "CREATE INDEX ix_members_name ON members (brand_id, {key} text_pattern_ops, id)"
PAIRS = "CREATE INDEX ix_members_name_pairs ON members USING gin (letter_pairs(name))"


def upgrade() -> None:
    """Apply."""
    op.execute("DROP INDEX ix_members_name")
    op.execute("DROP INDEX ix_members_name_pairs")
    op.execute(NAMES.format(key="lower(name)"))
    op.execute(
        "CREATE INDEX ix_members_given_name ON members"
        " (brand_id, lower(substr(name, 2)) text_pattern_ops, id)"
    )
    op.execute(f"{PAIRS} WHERE char_length(name) > 3")


def downgrade() -> None:
    """Take back."""
    op.execute("DROP INDEX ix_members_name_pairs")
    op.execute("DROP INDEX ix_members_given_name")
    op.execute("DROP INDEX ix_members_name")
    op.execute(NAMES.format(key="name"))
    op.execute(PAIRS)
