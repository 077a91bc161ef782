"""dossier: tags, notes, relations, tastes; what recommendations rest on; searching for members.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Any two letters of a name that stand together, and a name of one letter itself. PostgreSQL's own
# index over arrays finds members by them, so that no extension is needed.
LETTER_PAIRS = """
CREATE FUNCTION letter_pairs(words text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT substr(lower(words), at, 2))
    FROM generate_series(1, greatest(char_length(words) - 1, 1)) AS at
$$
"""

# Pinning is the one thing that changes; a note goes when its member is forgotten.
REFUSE_EDIT = """
CREATE FUNCTION refuse_note_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.member_id, NEW.request_id, NEW.body, NEW.author_id, NEW.written_at)
        IS DISTINCT FROM
        (OLD.id, OLD.member_id, OLD.request_id, OLD.body, OLD.author_id, OLD.written_at) THEN
        RAISE EXCEPTION 'a note is never edited'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'note_never_edited';
    END IF;
    RETURN NEW;
END
$$
"""

SEARCH_INDEXES = (
    "CREATE INDEX ix_members_name ON members (brand_id, name text_pattern_ops, id)",
    "CREATE INDEX ix_members_name_pairs ON members USING gin (letter_pairs(name))",
    "CREATE INDEX ix_members_phone_tail ON members (brand_id, reverse(phone) text_pattern_ops, id)",
    (
        "CREATE INDEX ix_cards_number_tail ON cards"
        " (brand_id, reverse(card_no) text_pattern_ops, member_id)"
    ),
)


def upgrade() -> None:
    """Apply."""
    _create_dossier()
    _create_recommendations()
    op.execute(LETTER_PAIRS)
    for statement in SEARCH_INDEXES:
        op.execute(statement)
    op.execute(REFUSE_EDIT)
    op.execute(
        "CREATE TRIGGER note_never_edited BEFORE UPDATE ON member_notes"
        " FOR EACH ROW EXECUTE FUNCTION refuse_note_edit()"
    )


def _create_dossier() -> None:
    op.create_table(
        "member_tags",
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("brand_id", sa.UUID(), nullable=False),
        sa.Column("added_by", sa.UUID(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "char_length(tag) BETWEEN 1 AND 20", name=op.f("ck_member_tags_tag_is_short")
        ),
        *_references("member_tags", member_id="members", brand_id="brands"),
        *_references("member_tags", added_by="staff_members"),
        sa.PrimaryKeyConstraint("member_id", "tag", name=op.f("pk_member_tags")),
    )
    op.create_index("ix_member_tags_found_by", "member_tags", ["brand_id", "tag", "member_id"])
    op.create_table(
        "member_notes",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author_id", sa.UUID(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "char_length(body) BETWEEN 1 AND 1000", name=op.f("ck_member_notes_body_is_short")
        ),
        *_references("member_notes", member_id="members", author_id="staff_members"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_notes")),
        sa.UniqueConstraint("request_id", name=op.f("uq_member_notes_request_id")),
    )
    op.create_index("ix_member_notes_member", "member_notes", ["member_id", "written_at", "id"])
    op.create_table(
        "member_relations",
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("other_id", sa.UUID(), nullable=False),
        sa.Column("kind", _status("relation_kind", "brought", "family"), nullable=False),
        sa.Column("brand_id", sa.UUID(), nullable=False),
        sa.Column("added_by", sa.UUID(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("member_id <> other_id", name=op.f("ck_member_relations_two_people")),
        sa.CheckConstraint(
            "kind <> 'family' OR member_id < other_id", name=op.f("ck_member_relations_family_once")
        ),
        *_references("member_relations", member_id="members", other_id="members"),
        *_references("member_relations", brand_id="brands", added_by="staff_members"),
        sa.PrimaryKeyConstraint("member_id", "other_id", "kind", name=op.f("pk_member_relations")),
    )
    op.create_index("ix_member_relations_other", "member_relations", ["other_id", "kind"])
    op.create_index(
        "uq_member_relations_brought_once",
        "member_relations",
        ["other_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'brought'"),
    )
    op.create_table(
        "declared_tastes",
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("kind", _status("taste_kind", "allergy", "dislike", "like"), nullable=False),
        sa.Column("declared_by", sa.UUID(), nullable=True),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "char_length(word) BETWEEN 1 AND 20", name=op.f("ck_declared_tastes_word_is_short")
        ),
        *_references("declared_tastes", member_id="members", declared_by="staff_members"),
        sa.PrimaryKeyConstraint("member_id", "word", name=op.f("pk_declared_tastes")),
    )


def _create_recommendations() -> None:
    op.create_index("ix_consents_member", "consents", ["member_id"])
    op.create_index("ix_purchases_brand", "purchases", ["brand_id", "bought_at"])
    op.create_table(
        "purchase_items",
        sa.Column("brand_id", sa.UUID(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("contains", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("is_recommended", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        *_references("purchase_items", brand_id="brands"),
        sa.PrimaryKeyConstraint("brand_id", "item_code", name=op.f("pk_purchase_items")),
    )
    op.create_table(
        "item_affinities",
        sa.Column("brand_id", sa.UUID(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("other_code", sa.Text(), nullable=False),
        sa.Column("members_both", sa.BigInteger(), nullable=False),
        sa.Column("affinity_bp", sa.BigInteger(), nullable=False),
        *_references("item_affinities", brand_id="brands"),
        sa.PrimaryKeyConstraint(
            "brand_id", "item_code", "other_code", name=op.f("pk_item_affinities")
        ),
    )
    op.create_table(
        "item_popularities",
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("bills", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.BigInteger(), nullable=False),
        *_references("item_popularities", store_id="stores"),
        sa.PrimaryKeyConstraint("store_id", "item_code", name=op.f("pk_item_popularities")),
    )
    op.create_index("ix_item_popularities_rank", "item_popularities", ["store_id", "weight"])


def _status(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}")
        )
        for column, other in columns.items()
    ]


def downgrade() -> None:
    """Undo."""
    for index in (
        "ix_cards_number_tail",
        "ix_members_phone_tail",
        "ix_members_name_pairs",
        "ix_members_name",
    ):
        op.execute(f"DROP INDEX {index}")
    op.execute("DROP FUNCTION letter_pairs(text)")
    op.drop_table("item_popularities")
    op.drop_table("item_affinities")
    op.drop_table("purchase_items")
    op.drop_index("ix_purchases_brand", table_name="purchases")
    op.drop_index("ix_consents_member", table_name="consents")
    op.drop_table("declared_tastes")
    op.drop_table("member_relations")
    op.drop_table("member_notes")
    op.execute("DROP FUNCTION refuse_note_edit()")
    op.drop_table("member_tags")
