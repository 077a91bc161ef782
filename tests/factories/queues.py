"""Stores with queues, and people who take numbers there, for tests."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from o2o.crm.organisation import Brand, OfficialAccount, Store
from o2o.crm.queueing import Queue, QueueSettings
from o2o.crm.statuses import QueueKind, QueueStatus, TicketSource
from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.queueing.actions.call_next import CalledTicket, CallNext, call_next
from o2o.queueing.actions.hear_bridge import hear_bridge
from o2o.queueing.actions.issue_bridge_key import issue_bridge_key
from o2o.queueing.actions.move_tickets import MovedTicket, MoveTicket, Verb, move_tickets
from o2o.queueing.actions.take_tickets import TakenTicket, TakeTicket, take_tickets
from o2o.queueing.bridge_news import BridgeNews, LineNews
from tests.factories.organisation import given_account, given_brand, given_store
from tests.fakes.clock import NOON

ALWAYS = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


class Hall(msgspec.Struct, frozen=True, kw_only=True):
    """A store with a small (A, 1-2), a middle (B, 3-4) and a large class (C, 5-12) of tables."""

    brand: Brand
    account: OfficialAccount
    store: Store
    a: UUID
    b: UUID
    c: UUID


async def given_queue(
    tx: Tx,
    store: Store,
    *,
    code: str = "A",
    sizes: tuple[int, int] = (1, 2),
    kind: QueueKind = QueueKind.TABLE_CLASS,
    status: QueueStatus = QueueStatus.OPEN,
    rank: int = 0,
) -> UUID:
    """A queue of a store."""
    queue = Queue(
        id=new_id(),
        store_id=store.id,
        kind=kind,
        code=code,
        name=f"{code}桌",
        name_en=f"Class {code}",
        party_size_min=sizes[0],
        party_size_max=sizes[1],
        status=status,
        servers=4,
        minutes_per_party=40,
        rank=rank,
        changed_at=NOON,
        created_at=NOON,
    )
    tx.add(queue)
    await tx.flush()
    return queue.id


async def given_settings(tx: Tx, store_id: UUID, **settings: Any) -> None:
    """How a store queues, where it is not as usual."""
    tx.add(QueueSettings(store_id=store_id, changed_at=NOON, **settings))
    await tx.flush()


async def given_hall(
    sessions: SessionFactory, *, seal: Seal, brand: Brand | None = None, **settings: Any
) -> Hall:
    """A committed store that never closes, with three classes of tables."""
    async with transaction(sessions) as tx:
        brand = brand or await given_brand(tx)
        account = await given_account(tx, brand, seal=seal)
        store = await given_store(tx, brand, account)
        store.hours = ALWAYS
        if settings:
            await given_settings(tx, store.id, **settings)
        return Hall(
            brand=brand,
            account=account,
            store=store,
            a=await given_queue(tx, store, code="A", sizes=(1, 2), rank=0),
            b=await given_queue(tx, store, code="B", sizes=(3, 4), rank=1),
            c=await given_queue(tx, store, code="C", sizes=(5, 12), rank=2),
        )


def take(queue_id: UUID | None = None, **fields: Any) -> TakeTicket:
    """A wish for a number, by default of two people at the pad at noon."""
    values = {
        "request_id": new_id(),
        "queue_id": queue_id,
        "party_size": 2,
        "source": TicketSource.PAD,
        "now": NOON,
        **fields,
    }
    return TakeTicket(**values)


async def taken(sessions: SessionFactory, *commands: TakeTicket) -> list[TakenTicket]:
    """Numbers taken in one transaction; all must succeed."""
    async with transaction(sessions) as tx:
        outcomes = await take_tickets(tx, commands)
    assert all(isinstance(outcome, TakenTicket) for outcome in outcomes), outcomes
    return outcomes  # type: ignore[return-value]  # just checked


async def called(
    sessions: SessionFactory, *queue_ids: UUID, desk: str = "1", now: datetime = NOON
) -> CalledTicket:
    """The next party, called to a desk; there must be one."""
    command = CallNext(request_id=new_id(), queue_ids=queue_ids, desk=desk, now=now)
    async with transaction(sessions) as tx:
        [outcome] = await call_next(tx, [command])
    assert isinstance(outcome, CalledTicket), outcome
    return outcome


async def moved(
    sessions: SessionFactory, verb: Verb, ticket_id: UUID, **fields: Any
) -> MovedTicket | Exception:
    """What a move of a ticket came to."""
    command = MoveTicket(**{"request_id": new_id(), "ticket_id": ticket_id, "now": NOON, **fields})
    async with transaction(sessions) as tx:
        [outcome] = await move_tickets(tx, [(verb, command)])
    return outcome


async def given_machine(
    sessions: SessionFactory, hall: Hall, *, seal: Seal, waiting: int, now: datetime = NOON
) -> None:
    """A machine of the hall's own, heard once: so many parties wait in its line A."""
    async with transaction(sessions) as tx:
        await issue_bridge_key(tx, store_id=hall.store.id, seal=seal, actor=SYSTEM, now=now)
        news = BridgeNews(seq=1, lines=[LineNews(code="A", waiting=waiting, called=7)])
        await hear_bridge(tx, store_id=hall.store.id, news=news, body_hash=b"1", now=now)
