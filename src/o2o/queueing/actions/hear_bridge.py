"""Take over what a hall's machine says of its lines and of our numbers that it has taken in."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text

from o2o.crm.statuses import TicketStatus
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.kernel.errors import Fact
from o2o.kernel.text import without_controls
from o2o.queueing.actions.keep_days import keep_days, tell_of_days
from o2o.queueing.actions.move_tickets import MoveTicket, Verb, move_tickets
from o2o.queueing.bridge_news import BridgeHeard, BridgeNews, LineNews, RefusedNews, TicketNews
from o2o.queueing.days import Day, QueueFacts
from o2o.queueing.errors_bridge import BridgeNotFound, BridgeOutOfOrder
from o2o.queueing.queries.bridges import find_bridge, list_ended_numbers, list_waiting_numbers
from o2o.queueing.queries.days import list_queue_facts, lock_days

_VERBS = {
    "seated": Verb.SEAT,
    "skipped": Verb.SKIP,
    "cancelled": Verb.CANCEL,
}
# The newest message wins; whoever comes at the same moment waits for the row.
_HEAR = text(
    "UPDATE bridges SET seq = :seq, body_hash = :body_hash, heard_at = :now"
    " WHERE store_id = :store_id AND seq < :seq RETURNING 1"
)
_LINES = text(
    "INSERT INTO bridge_lines (queue_id, store_id, waiting, called_number, called_desk, called_at,"
    " changed_at)"
    " SELECT queue_id, :store_id, waiting, called, desk, called_at, :now"
    " FROM unnest(CAST(:queue_ids AS uuid[]), CAST(:waiting AS bigint[]),"
    " CAST(:called AS bigint[]), CAST(:desks AS text[]), CAST(:called_ats AS timestamptz[]))"
    " AS l(queue_id, waiting, called, desk, called_at)"
    " ON CONFLICT (queue_id) DO UPDATE SET waiting = excluded.waiting,"
    " called_number = excluded.called_number, called_desk = excluded.called_desk,"
    " called_at = excluded.called_at, changed_at = excluded.changed_at"
    " WHERE (bridge_lines.waiting, bridge_lines.called_number, bridge_lines.called_desk)"
    " IS DISTINCT FROM (excluded.waiting, excluded.called_number, excluded.called_desk)"
    " RETURNING queue_id"
)
_AHEAD = text(
    "UPDATE tickets t SET ahead_at_machine = n.ahead"
    " FROM unnest(CAST(:ticket_ids AS uuid[]), CAST(:ahead AS bigint[])) AS n(ticket_id, ahead)"
    " WHERE t.id = n.ticket_id AND t.store_id = :store_id AND t.status = 'waiting'"
    " AND t.ahead_at_machine IS DISTINCT FROM n.ahead RETURNING t.queue_id"
)
_STANDING = text(
    "SELECT t.id, t.status, q.code, t.called_at IS NULL OR t.ahead_at_machine IS NOT NULL AS is_due"
    " FROM tickets t JOIN queues q ON q.id = t.queue_id"
    " WHERE t.id = ANY(CAST(:ticket_ids AS uuid[])) AND t.store_id = :store_id"
)
# A machine's clock may be wrong; what it called last was neither tomorrow nor long ago.
CALLED_WITHIN = timedelta(days=1)


async def hear_bridge(
    tx: Tx, *, store_id: UUID, news: BridgeNews, body_hash: bytes, now: datetime
) -> BridgeHeard:
    """Bring the store in step with its machine; the same message again changes nothing.

    Raises BridgeNotFound, BridgeOutOfOrder for a message older than the newest, RequestBodyDiffers
    for another message under the newest one's number. Publishes what calls and ends do, and
    queue.changed once per queue.
    """
    values = {"store_id": store_id, "seq": news.seq, "body_hash": body_hash, "now": now}
    if (await tx.execute(_HEAR, values)).first() is None:
        await _check_replay(tx, store_id, news=news, body_hash=body_hash)
        return await _answer(tx, store_id, news, now=now, is_replay=True)
    facts = await list_queue_facts(tx, store_ids=[store_id])
    # All of the store at once, in the order in which everybody locks.
    keys = {(queue_id, queue.business_on(now)) for queue_id, queue in facts.items()}
    days = await lock_days(tx, keys, facts, begins=True)
    changed = await _keep_lines(tx, store_id, lines=news.lines, facts=facts, now=now)
    changed |= await _keep_places(tx, store_id, news.tickets)
    await _mark(tx, list(days.values()), changed, now=now)
    refused = await _follow(tx, store_id, news, now=now)
    return await _answer(
        tx,
        store_id,
        news,
        now=now,
        is_replay=False,
        unknown=_unknown(news.lines, facts),
        refused=refused,
    )


async def _check_replay(tx: Tx, store_id: UUID, *, news: BridgeNews, body_hash: bytes) -> None:
    bridge = await find_bridge(tx, store_id)
    if bridge is None:
        raise BridgeNotFound
    if news.seq < bridge.seq:
        raise BridgeOutOfOrder(last_seq=bridge.seq)
    if bridge.body_hash != body_hash:
        raise RequestBodyDiffers(seq=news.seq)


def _queue_ids(facts: Mapping[UUID, QueueFacts]) -> dict[str, UUID]:
    return {queue.letter: queue_id for queue_id, queue in facts.items() if queue.is_in_use}


def _unknown(lines: Sequence[LineNews], facts: Mapping[UUID, QueueFacts]) -> list[str]:
    known = _queue_ids(facts)
    return sorted({line.code for line in lines} - known.keys())


async def _keep_lines(
    tx: Tx,
    store_id: UUID,
    *,
    lines: Sequence[LineNews],
    facts: Mapping[UUID, QueueFacts],
    now: datetime,
) -> set[UUID]:
    """Write what is new of the lines; return the queues that changed."""
    queue_ids = _queue_ids(facts)
    # The last word on a line that is named twice.
    known = {queue_ids[line.code]: line for line in lines if line.code in queue_ids}
    rows = await tx.execute(
        _LINES,
        {
            "store_id": store_id,
            "now": now,
            "queue_ids": list(known),
            "waiting": [line.waiting for line in known.values()],
            "called": [line.called for line in known.values()],
            "desks": [_readable(line.desk) for line in known.values()],
            "called_ats": [_called_at(line, now) for line in known.values()],
        },
    )
    return set(rows.scalars())


def _readable(desk: str | None) -> str | None:
    return without_controls(desk) or None if desk else None


def _called_at(line: LineNews, now: datetime) -> datetime | None:
    if line.called_at is None:
        return now if line.called else None
    return min(max(line.called_at, now - CALLED_WITHIN), now)


async def _keep_places(tx: Tx, store_id: UUID, tickets: Sequence[TicketNews]) -> set[UUID]:
    placed = {one.ticket_id: one.ahead for one in tickets if one.status == "waiting"}
    rows = await tx.execute(
        _AHEAD,
        {
            "store_id": store_id,
            "ticket_ids": list(placed),
            "ahead": list(placed.values()),
        },
    )
    return set(rows.scalars())


async def _mark(tx: Tx, days: Sequence[Day], changed: set[UUID], *, now: datetime) -> None:
    for day in days:
        day.is_changed = day.is_line_changed = day.queue.queue_id in changed
    await keep_days(tx, days)
    await tell_of_days(tx, days, [], now=now)


async def _follow(tx: Tx, store_id: UUID, news: BridgeNews, *, now: datetime) -> list[RefusedNews]:
    """Call, seat, skip and cancel our numbers as the machine did."""
    told = {one.ticket_id: one for one in news.tickets if one.status != "waiting"}
    rows = await tx.execute(_STANDING, {"store_id": store_id, "ticket_ids": list(told)})
    standing = {row.id: row for row in rows}
    desks = {line.code: line.desk for line in news.lines}
    asked: list[tuple[Verb, MoveTicket]] = []
    for one in told.values():
        row = standing.get(one.ticket_id)
        # Where the machine names no desk for a number, that of its line.
        desk = one.desk or (desks.get(row.code) if row is not None else None)
        asked += [
            (verb, _command(store_id, one, f"{news.seq}/{verb.value}", desk=desk, now=now))
            for verb in _verbs(one, row)
        ]
    outcomes = await move_tickets(tx, asked) if asked else []
    refused: dict[UUID, str] = {}
    for (_, command), outcome in zip(asked, outcomes, strict=True):
        if isinstance(outcome, Fact):
            # Of two moves the first says what stands in the way.
            refused.setdefault(command.ticket_id, outcome.code)
    return [RefusedNews(ticket_id=ticket_id, code=code) for ticket_id, code in refused.items()]


def _verbs(one: TicketNews, row: Any) -> Sequence[Verb]:
    """Return what the machine did since it was heard last; of what is known already, nothing.

    The whole state comes every time, so most of it is known. Of a number that was called and missed
    between two messages, both happened, and so of one that was missed, called again and served; but
    whoever came back here waits until the machine has taken that in.
    """
    status = row.status if row is not None else None
    if status == one.status:
        return ()
    if one.status == TicketStatus.CALLED.value:
        return (Verb.RECALL if status == TicketStatus.SKIPPED.value else Verb.CALL,)
    is_missed = one.status == TicketStatus.SKIPPED.value and status == TicketStatus.WAITING.value
    if is_missed and row.is_due:
        return (Verb.CALL, Verb.SKIP)
    if one.status == TicketStatus.SEATED.value and status == TicketStatus.SKIPPED.value:
        return (Verb.RECALL, Verb.SEAT)
    return (_VERBS[one.status],)


def _command(
    store_id: UUID, one: TicketNews, name: str, *, desk: str | None, now: datetime
) -> MoveTicket:
    return MoveTicket(
        request_id=uuid5(store_id, f"bridge/{name}/{one.ticket_id}"),
        ticket_id=one.ticket_id,
        store_id=store_id,
        desk=desk,
        now=now,
    )


async def _answer(
    tx: Tx,
    store_id: UUID,
    news: BridgeNews,
    *,
    now: datetime,
    is_replay: bool,
    unknown: Sequence[str] = (),
    refused: Sequence[RefusedNews] = (),
) -> BridgeHeard:
    return BridgeHeard(
        seq=news.seq,
        is_replay=is_replay,
        unknown_lines=list(unknown),
        refused=list(refused),
        tickets=list(await list_waiting_numbers(tx, store_id, now=now)),
        ended=list(await list_ended_numbers(tx, store_id, now=now)),
    )
