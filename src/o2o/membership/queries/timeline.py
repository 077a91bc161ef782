"""Every contact with a member on one line of time, newest first, page by page.

Each sort of contact is a stream with an index and an order of its own (a moment, or the running
number of books and trail). A page reads the heads of all streams in one statement and merges them;
the place of the next page is where each stream stands, so that nothing is left out or shown twice,
whatever was written with an earlier date. A page costs what it shows, not what the member did.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.ledger.queries.reasons import REASON_OF_TRANSFER
from o2o.membership.queries.places import read_place, write_place

PAGE = 25
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_LAST_ID = UUID(int=(1 << 128) - 1)
_LAST_SEQ = (1 << 63) - 1

# Stream → what it selects. `:{stream}_at` and `:{stream}_id`, or `:{stream}_seq`, say where it
# stands. Columns: stream, at, id, seq, kind, amount, store_id, staff_id, words, undone.
_BY_MOMENT = {
    "visit": "SELECT 'visit' AS stream, v.opened_at AS at, v.id, NULL::bigint AS seq,"
    " 'opened' AS kind, NULL::bigint AS amount, v.store_id, v.opened_by AS staff_id,"
    " NULL::text AS words, NULL::bigint AS undone"
    " FROM counter_visits v WHERE v.member_id = m.id"
    " AND (v.opened_at, v.id) < (:visit_at, :visit_id)"
    " ORDER BY v.opened_at DESC, v.id DESC LIMIT :most",
    "note": "SELECT 'note', n.written_at, n.id, NULL::bigint, 'written', NULL::bigint, NULL::uuid,"
    " n.author_id, n.body, NULL::bigint FROM member_notes n WHERE n.member_id = m.id"
    " AND (n.written_at, n.id) < (:note_at, :note_id)"
    " ORDER BY n.written_at DESC, n.id DESC LIMIT :most",
    "purchase": "SELECT 'purchase', p.bought_at, p.id, NULL::bigint, 'bought', p.total_fen,"
    " p.store_id, NULL::uuid, (SELECT string_agg(l.item_name, chr(31) ORDER BY l.position)"
    "  FROM purchase_lines l WHERE l.purchase_id = p.id), NULL::bigint"
    " FROM purchases p WHERE p.member_id = m.id"
    " AND (p.bought_at, p.id) < (:purchase_at, :purchase_id)"
    " ORDER BY p.bought_at DESC, p.id DESC LIMIT :most",
    "consent": "SELECT 'consent', c.given_at, c.id, NULL::bigint, c.purpose::text, NULL::bigint,"
    " NULL::uuid, NULL::uuid, c.terms_version, NULL::bigint FROM consents c"
    " WHERE c.member_id = m.id AND (c.given_at, c.id) < (:consent_at, :consent_id)"
    " ORDER BY c.given_at DESC, c.id DESC LIMIT :most",
    "message": "SELECT 'message', d.created_at, d.id, NULL::bigint, d.status::text, NULL::bigint,"
    " NULL::uuid, NULL::uuid, d.purpose, NULL::bigint FROM fans f CROSS JOIN LATERAL ("
    "  SELECT x.* FROM deliveries x WHERE x.account_id = f.account_id AND x.openid = f.openid"
    "  AND (x.created_at, x.id) < (:message_at, :message_id)"
    "  ORDER BY x.created_at DESC, x.id DESC LIMIT :most) d WHERE f.member_id = m.id",
}
_ENTRY = (
    "SELECT '{stream}', t.created_at, t.id, e.seq, t.kind::text, e.amount, t.store_id,"  # noqa: S608 - our own
    " t.staff_id,"
    f" {REASON_OF_TRANSFER},"
    " (SELECT r.reversed FROM ledger_reversals r WHERE r.transfer_id = t.id)"
    " FROM ledger_accounts a CROSS JOIN LATERAL (SELECT x.seq, x.transfer_id, x.amount"
    "  FROM ledger_entries x WHERE x.account_id = a.id AND x.seq < :{stream}_seq"
    "  ORDER BY x.seq DESC LIMIT :most) e JOIN ledger_transfers t ON t.id = e.transfer_id"
    " WHERE a.owner_id = m.id AND a.kind = '{account}'"
)
_BY_NUMBER = {
    "money": _ENTRY.format(stream="money", account="member_stored_value"),
    "points": _ENTRY.format(stream="points", account="member_points"),
    "trail": "SELECT 'trail', e.at, NULL::uuid, e.seq, e.action, NULL::bigint, e.store_id,"
    " CASE WHEN e.actor_kind = 'staff' THEN e.actor_id::uuid END, e.detail->>'tag', NULL::bigint"
    " FROM audit_entries e WHERE e.object_kind = 'member' AND e.object_id = m.id::text"
    # What other streams show themselves.
    " AND e.action NOT IN ('visit.identified', 'consent.given', 'points.granted', 'points.spent',"
    "  'debit.reversed', 'top_up.reversed', 'hold.posted', 'hold.voided', 'refund.paid')"
    " AND e.seq < :trail_seq ORDER BY e.seq DESC LIMIT :most",
    "heard": "SELECT 'heard', i.received_at, NULL::uuid, i.id, coalesce(i.event, i.kind),"
    " NULL::bigint, NULL::uuid, NULL::uuid, NULL::text, NULL::bigint FROM fans f"
    " CROSS JOIN LATERAL (SELECT x.id, x.received_at, x.event, x.kind FROM inbound_messages x"
    "  WHERE x.account_id = f.account_id AND x.openid = f.openid AND x.id < :heard_seq"
    "  AND (x.event IS NULL OR x.event IN ('subscribe', 'unsubscribe'))"
    "  ORDER BY x.id DESC LIMIT :most) i WHERE f.member_id = m.id",
}
_LINES = text(
    "SELECT u.*, s.name AS store_name, w.name AS staff_name"  # noqa: S608 - our own pieces
    " FROM unnest(CAST(:ids AS uuid[])) AS m(id) CROSS JOIN LATERAL ("
    + " UNION ALL ".join(f"({sql})" for sql in (*_BY_MOMENT.values(), *_BY_NUMBER.values()))
    + ") u LEFT JOIN stores s ON s.id = u.store_id LEFT JOIN staff_members w ON w.id = u.staff_id"
)
_MERGED = text("SELECT id FROM members WHERE merged_into_id = :member_id")


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """One contact. `amount` is signed fen for money and purchases, points for points."""

    stream: str
    kind: str
    at: datetime
    amount: int | None
    # How much of it was taken back.
    undone: int | None
    store_name: str | None
    staff_name: str | None
    # A note's body, a reason, a tag, a template's purpose; a bill's dishes, by item.
    words: str | None
    items: list[str]


class TimelinePage(msgspec.Struct, frozen=True, kw_only=True):
    """One page and, where there is more, the place after it."""

    contacts: list[Contact]
    next_place: str | None


class _Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    moments: dict[str, tuple[datetime, UUID]] = {}
    numbers: dict[str, int] = {}


async def list_contacts(
    tx: Tx, member_id: UUID, *, place: str | None = None, limit: int = PAGE
) -> TimelinePage:
    """Return a page of the timeline, of whoever became part of the member too.

    The caller has made sure that the member may be seen. Raises PlaceUnknown.
    """
    start = read_place(place, _Place) if place else _Place()
    merged = [row.id for row in await fetch_rows(tx, _MERGED, {"member_id": member_id})]
    values: dict[str, Any] = {"ids": [member_id, *merged], "most": limit + 1}
    for stream in _BY_MOMENT:
        at, last_id = start.moments.get(stream, (_NEVER, _LAST_ID))
        values |= {f"{stream}_at": at, f"{stream}_id": last_id}
    for stream in _BY_NUMBER:
        values[f"{stream}_seq"] = start.numbers.get(stream, _LAST_SEQ)
    streams: dict[str, list[Any]] = {}
    for row in await fetch_rows(tx, _LINES, values):
        streams.setdefault(row.stream, []).append(row)
    for name, rows in streams.items():
        by_number = name in _BY_NUMBER
        rows.sort(key=lambda row: row.seq if by_number else (row.at, row.id), reverse=True)
    shown = _merge(streams, limit)
    has_more = len(shown) < sum(len(rows) for rows in streams.values())
    return TimelinePage(
        contacts=[_contact(row) for row in shown],
        next_place=write_place(_after(start, shown, streams)) if has_more else None,
    )


def _merge(streams: dict[str, list[Any]], limit: int) -> list[Any]:
    """Take the latest of the streams' heads, again and again; a stream's own order stays."""
    heads = dict.fromkeys(streams, 0)
    shown: list[Any] = []
    while len(shown) < limit:
        open_streams = [name for name, head in heads.items() if head < len(streams[name])]
        if not open_streams:
            break
        latest = max(open_streams, key=lambda name: (streams[name][heads[name]].at, name))
        shown.append(streams[latest][heads[latest]])
        heads[latest] += 1
    return shown


def _after(start: _Place, shown: list[Any], streams: dict[str, list[Any]]) -> _Place:
    """Return where every stream stands now, so that what is yet to happen stays off later pages."""
    last_at = shown[-1].at
    moments = dict.fromkeys(_BY_MOMENT, (last_at, _LAST_ID)) | start.moments
    heads = {name: rows[0].seq + 1 for name, rows in streams.items() if name in _BY_NUMBER}
    numbers = heads | start.numbers
    for row in shown:
        if row.stream in _BY_NUMBER:
            numbers[row.stream] = row.seq
        else:
            moments[row.stream] = (row.at, row.id)
    return _Place(moments, numbers)


def _contact(row: Any) -> Contact:
    is_bill = row.stream == "purchase"
    return Contact(
        stream=row.stream,
        kind=row.kind,
        at=row.at,
        amount=row.amount,
        undone=row.undone,
        store_name=row.store_name,
        staff_name=row.staff_name,
        words=None if is_bill else row.words,
        items=row.words.split(chr(31)) if is_bill and row.words else [],
    )
