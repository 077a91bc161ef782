"""Which store a person in chat means who names none; and the stores that he may be asked about."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.geo import Point, in_gcj02
from o2o.queueing.chat_talk import kept_store
from o2o.stores.queries import list_nearest_stores
from o2o.wechat.chat.asks import Ask
from o2o.wechat.codec.fields import LATITUDE_MAX, LONGITUDE_MAX, float_of

# A place that somebody sent counts for so long, and only near one of the stores.
SPOT_COUNTS = timedelta(hours=6)
SPOT_NEAR_M = 50_000
# Somebody who told where he is may act on it for so long.
SPOT_FRESH = timedelta(minutes=15)
# How far back in a chat a place is looked for.
MESSAGES_BACK = 50
# Tickets and visits older than this say nothing about today.
BEEN_COUNTS = timedelta(days=365)
VISITS_BACK = 5
OFFERED_MAX = 100
NEAREST_LOOKED_AT = 10

_TAKING = (
    "taking AS (SELECT s.id, s.account_id FROM stores s"
    " WHERE s.account_id = ANY(CAST(:account_ids AS uuid[]))"
    " AND EXISTS (SELECT 1 FROM queues q WHERE q.store_id = s.id AND q.retired_at IS NULL))"
)
_TICKETS_OF = (
    "SELECT {columns} FROM tickets t WHERE t.fan_id = a.fan_id {more}"
    " UNION ALL SELECT {columns} FROM tickets t WHERE t.member_id = a.member_id {more}"
)
_ACTIVE_OF = _TICKETS_OF.format(
    columns="t.store_id, t.taken_at AS at", more="AND t.status IN ('waiting', 'called')"
)
_BEEN_OF = _TICKETS_OF.format(
    columns="t.store_id, t.taken_at AS at", more="AND t.taken_at >= :been_since"
)
_LAST_OF = _TICKETS_OF.format(
    columns="t.store_id, t.queue_id, t.party_size, t.taken_at AS at",
    more="AND t.taken_at >= :been_since",
)
_CHOOSE = text(
    "WITH asked AS (SELECT * FROM unnest("  # noqa: S608 - our own text
    " CAST(:account_ids AS uuid[]), CAST(:openids AS text[]),"
    " CAST(:fan_ids AS uuid[]), CAST(:member_ids AS uuid[]), CAST(:kept_ids AS uuid[]))"
    " WITH ORDINALITY AS a(account_id, openid, fan_id, member_id, kept_id, place)),"
    f" {_TAKING},"
    " counted AS (SELECT account_id, count(*) AS stores, (array_agg(id))[1] AS first_id"
    " FROM taking GROUP BY account_id),"
    " busiest AS (SELECT DISTINCT ON (k.account_id) k.account_id, k.id FROM taking k"
    " LEFT JOIN LATERAL (SELECT sum(d.waiting_ordinary + d.waiting_member + d.waiting_booked)"
    "  AS waiting FROM queues q JOIN queue_days d ON d.queue_id = q.id"
    "  WHERE q.store_id = k.id AND d.business_on >= :yesterday) w ON true"
    " ORDER BY k.account_id, coalesce(w.waiting, 0) DESC, k.id)"
    " SELECT a.place, coalesce(c.stores, 0) AS stores,"
    " CASE c.stores WHEN 1 THEN c.first_id END AS only_id, kept.id AS kept_id,"
    " active.store_id AS active_id, been.store_id AS been_id, been.at AS been_at,"
    " last.store_id AS last_store_id, last.queue_id, last.party_size,"
    " spot.fields AS spot, spot.received_at AS spot_at, home.id AS home_id,"
    " busiest.id AS busiest_id"
    " FROM asked a LEFT JOIN counted c USING (account_id)"
    " LEFT JOIN busiest USING (account_id)"
    " LEFT JOIN taking kept ON kept.id = a.kept_id AND kept.account_id = a.account_id"
    " LEFT JOIN LATERAL (SELECT t.store_id FROM"
    f" ({_ACTIVE_OF}) t JOIN taking k ON k.id = t.store_id AND k.account_id = a.account_id"
    "  ORDER BY t.at DESC LIMIT 1) active ON true"
    " LEFT JOIN LATERAL (SELECT t.store_id, t.at FROM"
    f" ({_BEEN_OF}"
    "   UNION ALL (SELECT v.store_id, v.opened_at FROM counter_visits v"
    "    WHERE v.member_id = a.member_id AND v.opened_at >= :been_since"
    "    AND (v.held_at IS NULL OR v.confirmed_at IS NOT NULL)"
    "    ORDER BY v.opened_at DESC LIMIT :visits_back)"
    "  ) t JOIN taking k ON k.id = t.store_id AND k.account_id = a.account_id"
    "  ORDER BY t.at DESC LIMIT 1) been ON true"
    f" LEFT JOIN LATERAL (SELECT * FROM ({_LAST_OF}) t ORDER BY t.at DESC LIMIT 1) last ON true"
    " LEFT JOIN LATERAL (SELECT r.fields, r.received_at FROM"
    "  (SELECT m.id, m.kind, coalesce(m.sent, CAST(m.fields AS json)) AS fields,"
    "   m.received_at FROM inbound_messages m"
    "   WHERE m.account_id = a.account_id AND m.openid = a.openid"
    "   ORDER BY m.id DESC LIMIT :messages_back) r"
    "  WHERE r.kind = 'location' AND CAST(r.fields AS jsonb) ? 'Location_X'"
    "  AND r.received_at >= :spot_since"
    "  ORDER BY r.id DESC LIMIT 1) spot ON true"
    " LEFT JOIN members m ON m.id = a.member_id"
    " LEFT JOIN taking home ON home.id = m.home_store_id AND home.account_id = a.account_id"
)
_ARE_TAKING = text(
    "SELECT DISTINCT q.store_id FROM queues q"
    " WHERE q.store_id = ANY(CAST(:store_ids AS uuid[])) AND q.retired_at IS NULL"
)
_OFFERED = text(
    f"WITH {_TAKING}"  # noqa: S608 - our own text
    " SELECT s.account_id, s.id, s.name, s.city FROM taking k"
    " JOIN stores s ON s.id = k.id ORDER BY s.account_id, s.city, s.name, s.id"
)


class StoreChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The store that is meant, if that can be told, and how many it could be."""

    store_id: UUID | None
    # From what the person did before, not from what he said: an answer should name the store.
    is_guess: bool = False
    # How many stores of the account take numbers.
    stores: int
    # Where most people of the account wait now: what a stranger's question is about, until he says.
    busiest_id: UUID | None = None
    # What he took last: the queue, if it was in this store, and for how many people.
    last_queue_id: UUID | None = None
    last_party_size: int | None = None
    # Where the person said he is, a moment ago; in GCJ-02.
    spot: Point | None = None


class OfferedStore(msgspec.Struct, frozen=True):
    """A store that somebody may choose."""

    store_id: UUID
    name: str
    city: str


async def choose_store(tx: Tx, asks: Sequence[Ask]) -> list[StoreChoice]:
    """Return for each ask which store is meant; two or three statements for any number of asks.

    Of the account's stores that take numbers: the one the talk is about; the only one; where the
    person has a number now; where he was or said to be last, whichever is later; his home store.
    """
    if not asks:
        return []
    now = asks[0].now
    rows = (await tx.execute(_CHOOSE, _params(asks, now))).all()
    by_place = {row.place: row for row in rows}
    found = [by_place[place] for place in range(1, len(asks) + 1)]
    spots = [_spot(row, ask) for row, ask in zip(found, asks, strict=True)]
    near = await _near(tx, found, asks=asks, spots=spots)
    return [
        _choice(row, spot=spot, near_id=near_id, now=now)
        for row, spot, near_id in zip(found, spots, near, strict=True)
    ]


async def list_offered_stores(
    tx: Tx, account_ids: Sequence[UUID]
) -> dict[UUID, list[OfferedStore]]:
    """Return each account's stores that take numbers, by city and name, at most 100 of each."""
    found: dict[UUID, list[OfferedStore]] = {account_id: [] for account_id in account_ids}
    for account_id, *store in await tx.execute(_OFFERED, {"account_ids": sorted(found)}):
        if len(found[account_id]) < OFFERED_MAX:
            found[account_id].append(OfferedStore(*store))
    return found


async def find_taking(tx: Tx, store_ids: Sequence[UUID]) -> set[UUID]:
    """Return which of these stores have a queue at all."""
    if not store_ids:
        return set()
    rows = await tx.execute(_ARE_TAKING, {"store_ids": sorted(set(store_ids))})
    return {row.store_id for row in rows}


def _params(asks: Sequence[Ask], now: datetime) -> dict[str, Any]:
    return {
        "account_ids": [ask.account.id for ask in asks],
        "openids": [ask.openid for ask in asks],
        "fan_ids": [ask.fan_id for ask in asks],
        "member_ids": [ask.member_id for ask in asks],
        "kept_ids": [kept_store(ask) for ask in asks],
        "been_since": now - BEEN_COUNTS,
        "yesterday": (now - timedelta(days=1)).date(),
        "visits_back": VISITS_BACK,
        "messages_back": MESSAGES_BACK,
        "spot_since": now - SPOT_COUNTS,
    }


def _spot(row: Any, ask: Ask) -> Point | None:
    if row.spot is None:
        return None
    latitude = float_of(row.spot, "Location_X", within=LATITUDE_MAX)
    longitude = float_of(row.spot, "Location_Y", within=LONGITUDE_MAX)
    if latitude is None or longitude is None:
        return None
    return in_gcj02(Point(latitude, longitude), datum=ask.account.message_datum)


async def _near(
    tx: Tx, rows: Sequence[Any], *, asks: Sequence[Ask], spots: Sequence[Point | None]
) -> list[UUID | None]:
    """Return the store nearest to where each said to be; only for those who need it."""
    near: list[UUID | None] = [None] * len(rows)
    places = [
        (index, (ask.account.id, spot))
        for index, (row, ask, spot) in enumerate(zip(rows, asks, spots, strict=True))
        if spot is not None and (row.kept_id or row.only_id or row.active_id) is None
    ]
    if not places:
        return near
    lists = await list_nearest_stores(tx, [place for _, place in places], most=NEAREST_LOOKED_AT)
    taking = await find_taking(tx, [store.store_id for stores in lists for store in stores])
    for (index, _), stores in zip(places, lists, strict=True):
        near[index] = next(
            (
                store.store_id
                for store in stores
                if store.store_id in taking and store.distance_m <= SPOT_NEAR_M
            ),
            None,
        )
    return near


def _choice(row: Any, *, spot: Point | None, near_id: UUID | None, now: datetime) -> StoreChoice:
    is_fresh = spot is not None and row.spot_at >= now - SPOT_FRESH
    certain = row.kept_id or row.only_id or row.active_id
    is_nearer = near_id is not None and (row.been_at is None or row.spot_at > row.been_at)
    guess = near_id if is_nearer else row.been_id or row.home_id
    store_id = certain or guess
    return StoreChoice(
        store_id=store_id,
        is_guess=certain is None and guess is not None,
        stores=row.stores,
        busiest_id=row.busiest_id,
        last_queue_id=row.queue_id if row.last_store_id == store_id else None,
        last_party_size=row.party_size,
        spot=spot if is_fresh else None,
    )
