"""A member's dossier: the card, what staff keep beside it, relations, how the word spreads."""

from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import RelationKind, TasteKind
from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.kernel.text import mask_phone
from o2o.membership.queries.members import MemberView, get_member_view
from o2o.membership.rules.kol import KOLScore, Spreading, kol_score

NOTES_MAX = 30
RELATIONS_MAX = 60
# More would only raise a score that is high already.
COUNTED_MAX = 1_000


class NoteView(msgspec.Struct, frozen=True, kw_only=True):
    """A note with its author."""

    note_id: UUID
    body: str
    author: str | None
    written_at: datetime
    is_pinned: bool


class ConsentView(msgspec.Struct, frozen=True, kw_only=True):
    """A consent that was given, and withdrawn where it was."""

    purpose: str
    terms_version: str
    given_at: datetime
    withdrawn_at: datetime | None


class DeclaredView(msgspec.Struct, frozen=True, kw_only=True):
    """A taste that the member told of."""

    word: str
    kind: TasteKind


class RelationView(msgspec.Struct, frozen=True, kw_only=True):
    """Another member, and what the two are to each other; seen from this one."""

    # "brought", "brought_by", "family", "gave_to" or "given_by".
    sort: str
    # None for gifts, which the books tell of and nobody takes back here.
    kind: RelationKind | None
    member_id: UUID
    name: str | None
    phone_masked: str | None
    at: datetime
    amount_fen: int | None = None


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """All of it but the timeline."""

    member: MemberView
    birthday: date | None
    home_store_name: str | None
    is_profiled: bool
    is_phone_verified: bool
    consents: list[ConsentView]
    offline_cards: list[str]
    tags: list[str]
    notes: list[NoteView]
    declared: list[DeclaredView]
    relations: list[RelationView]
    kol: KOLScore


_PROFILE = text(
    "SELECT m.birthday, m.profiling_refused_at, m.phone_verified_at, s.name AS store_name,"
    " (SELECT array_agg(g.tag ORDER BY g.added_at, g.tag) FROM member_tags g"
    "  WHERE g.member_id = m.id) AS tags,"
    " (SELECT array_agg(o.card_no ORDER BY o.created_at) FROM offline_cards o"
    "  WHERE o.member_id = m.id) AS offline_cards"
    " FROM members m LEFT JOIN stores s ON s.id = m.home_store_id WHERE m.id = :member_id"
)
_CONSENTS = text(
    "SELECT purpose, terms_version, given_at, withdrawn_at FROM consents"
    " WHERE member_id = :member_id ORDER BY given_at DESC, id LIMIT 20"
)
_NOTES = text(
    "SELECT n.id, n.body, s.name AS author, n.written_at, n.pinned_at IS NOT NULL AS is_pinned"
    " FROM member_notes n LEFT JOIN staff_members s ON s.id = n.author_id"
    " WHERE n.member_id = :member_id"
    " ORDER BY n.pinned_at IS NULL, n.written_at DESC, n.id DESC LIMIT :most"
)
_DECLARED = text(
    "SELECT word, kind FROM declared_tastes WHERE member_id = :member_id"
    " ORDER BY kind, declared_at, word"
)
_RELATIONS = text(
    "SELECT r.*, m.name, m.phone FROM ("
    " (SELECT other_id AS id, kind::text AS sort, kind::text,"
    "  added_at AS at, NULL::bigint AS amount_fen FROM member_relations"
    "  WHERE member_id = :member_id LIMIT :most)"
    " UNION ALL (SELECT member_id, CASE kind WHEN 'brought' THEN 'brought_by' ELSE kind END,"
    "  kind::text, added_at, NULL FROM member_relations WHERE other_id = :member_id LIMIT :most)"
    " UNION ALL (SELECT o.owner_id, CASE WHEN sum(e.amount) < 0 THEN 'gave_to'"
    "  ELSE 'given_by' END, NULL, max(t.created_at), abs(sum(e.amount))::bigint"
    "  FROM ledger_accounts a JOIN ledger_entries e ON e.account_id = a.id"
    "  JOIN ledger_transfers t ON t.id = e.transfer_id AND t.kind = 'passed_on'"
    "  JOIN ledger_accounts o ON o.kind = 'member_stored_value' AND o.id ="
    "   CASE WHEN e.amount < 0 THEN t.to_account_id ELSE t.from_account_id END"
    "  WHERE a.owner_id = :member_id AND a.kind = 'member_stored_value'"
    "  GROUP BY o.owner_id, e.amount < 0 LIMIT :most)"
    ") r JOIN members m ON m.id = r.id ORDER BY r.at DESC, r.id LIMIT :most"
)
# Stayed is who paid twice: bills where they are told of, debits of the card where not.
_SPREADING = text(
    "WITH brought AS (SELECT r.other_id AS id FROM member_relations r"
    "  JOIN members m ON m.id = r.other_id AND m.status = 'active'"
    "  WHERE r.member_id = :member_id AND r.kind = 'brought' LIMIT :most)"
    " SELECT (SELECT count(*) FROM brought) AS brought,"
    " (SELECT count(*) FROM brought b WHERE (SELECT count(*) FROM (SELECT 1 FROM purchases p"
    "   WHERE p.member_id = b.id LIMIT 2) twice) = 2"
    "  OR (SELECT count(*) FROM (SELECT 1 FROM ledger_accounts a"
    "   JOIN ledger_entries e ON e.account_id = a.id AND e.amount < 0"
    "   JOIN ledger_transfers t ON t.id = e.transfer_id AND t.kind = 'debit'"
    "   WHERE a.owner_id = b.id AND a.kind = 'member_stored_value' LIMIT 2) twice) = 2) AS stayed,"
    " (SELECT count(*) FROM (SELECT 1 FROM brought b JOIN member_relations r"
    "  ON r.member_id = b.id AND r.kind = 'brought' LIMIT :most) s) AS second_hand"
)


async def get_dossier(tx: Tx, member_id: UUID, *, brand_id: UUID) -> Dossier:
    """Return a member's dossier. Raises MemberNotFound, also for another brand's member."""
    member = await get_member_view(tx, member_id, brand_id=brand_id)
    asked = {"member_id": member_id}
    profile = (await fetch_rows(tx, _PROFILE, asked))[0]
    relations = await _relations(tx, member_id)
    spread = (await fetch_rows(tx, _SPREADING, asked | {"most": COUNTED_MAX}))[0]
    return Dossier(
        member=member,
        birthday=profile.birthday,
        home_store_name=profile.store_name,
        is_profiled=profile.profiling_refused_at is None,
        is_phone_verified=profile.phone_verified_at is not None,
        consents=[
            ConsentView(
                purpose=row.purpose,
                terms_version=row.terms_version,
                given_at=row.given_at,
                withdrawn_at=row.withdrawn_at,
            )
            for row in await fetch_rows(tx, _CONSENTS, asked)
        ],
        offline_cards=list(profile.offline_cards or ()),
        tags=list(profile.tags or ()),
        notes=await _notes(tx, member_id),
        declared=[
            DeclaredView(word=row.word, kind=TasteKind(row.kind))
            for row in await fetch_rows(tx, _DECLARED, asked)
        ],
        relations=relations,
        kol=kol_score(
            Spreading(
                brought=spread.brought,
                stayed=spread.stayed,
                second_hand=spread.second_hand,
                given_to=sum(relation.sort == "gave_to" for relation in relations),
            )
        ),
    )


async def _notes(tx: Tx, member_id: UUID) -> list[NoteView]:
    return [
        NoteView(
            note_id=row.id,
            body=row.body,
            author=row.author,
            written_at=row.written_at,
            is_pinned=row.is_pinned,
        )
        for row in await fetch_rows(tx, _NOTES, {"member_id": member_id, "most": NOTES_MAX})
    ]


async def _relations(tx: Tx, member_id: UUID) -> list[RelationView]:
    rows = await fetch_rows(tx, _RELATIONS, {"member_id": member_id, "most": RELATIONS_MAX})
    return [
        RelationView(
            sort=row.sort,
            kind=RelationKind(row.kind) if row.kind else None,
            member_id=row.id,
            name=row.name,
            phone_masked=mask_phone(row.phone),
            at=row.at,
            amount_fen=row.amount_fen,
        )
        for row in rows
    ]
