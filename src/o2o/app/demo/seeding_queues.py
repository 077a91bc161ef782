"""Enter how the demo's stores queue, the days behind them, and the crowd that waits today."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

from o2o.app.demo.people import dice, local_day
from o2o.app.demo.queue_past import PastParty, parties_of
from o2o.app.demo.seeding import Places
from o2o.app.demo.shapes import Store
from o2o.app.demo.shapes_queues import Crowd, Line, Queueing
from o2o.app.demo.world import World
from o2o.crm.statuses import BrandKind, QueueKind, TicketSource
from o2o.infra.database import Tx
from o2o.kernel.business_day import business_day, day_began
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_id
from o2o.queueing.actions.call_next import call_next
from o2o.queueing.actions.enter_past_tickets import (
    PastHistory,
    PastTicket,
    enter_past_tickets,
)
from o2o.queueing.actions.enter_queues import NewDesk, NewQueues, enter_queues
from o2o.queueing.actions.move_tickets import seat_tickets
from o2o.queueing.actions.take_tickets import take_tickets
from o2o.queueing.commands import CalledTicket, CallNext, MoveTicket, TakeTicket
from o2o.queueing.queries.arranged import ArrangedQueue, list_arranged_queues
from o2o.queueing.queries.desks import DeskView, list_desks
from o2o.queueing.queries.store_figures import list_queue_figures
from o2o.queueing.rules.arrangement import DeskDraft, QueueDraft
from o2o.stores.queries import find_brand, find_store_by_code

KINDS = {BrandKind.RESTAURANT: QueueKind.TABLE_CLASS, BrandKind.HALL: QueueKind.SERVICE_LINE}
# Of so many days back every move and call is entered too, for whoever looks at the history.
TOLD_DAYS = 1
QueueIds = Mapping[tuple[UUID, str], UUID]


async def seed_queues(tx: Tx, world: World, *, places: Places, now: datetime) -> None:
    """Enter queues, desks and rules of every store, and the tickets of the days before today."""
    stores = [
        _new_queues(world, queueing, store, places=places)
        for queueing in world.queueing
        for store in world.stores_of(queueing.brand)
    ]
    ids = await enter_queues(tx, stores, now=now)
    await _seed_past(tx, world, places=places, ids=ids, now=now)


def _new_queues(world: World, queueing: Queueing, store: Store, *, places: Places) -> NewQueues:
    rules = queueing.rules
    return NewQueues(
        store_id=places.stores[store.code],
        kind=KINDS[BrandKind(world.brand(store.brand).kind)],
        queues=[
            QueueDraft(
                code=line.code,
                name=line.name,
                name_en=line.name_en,
                party_size_min=line.party_size_min,
                party_size_max=line.party_size_max,
                servers=line.servers_at(store),
                minutes_per_party=line.minutes_per_party,
                rank=rank,
            )
            for rank, line in enumerate(queueing.lines, start=1)
        ],
        desks=[
            NewDesk(draft=DeskDraft(code=desk.code, name=desk.name), letters=desk.lines)
            for desk in queueing.desks
        ],
        settings={
            "notice_parties": rules.notice_parties,
            "notice_minutes": rules.notice_minutes,
            "return_behind": rules.return_behind,
            "returns_max": rules.returns_max,
            "ordinary_between": rules.ordinary_between,
            "has_member_priority": rules.has_member_priority,
            "distance_m_max": queueing.distance_m_max.get(store.code),
            "apology": {"text": rules.apology},
        },
    )


async def _seed_past(tx: Tx, world: World, *, places: Places, ids: QueueIds, now: datetime) -> None:
    tickets: list[PastTicket] = []
    told: list[PastHistory] = []
    for queueing in world.queueing:
        for store in world.stores_of(queueing.brand):
            logins = world.counter_logins(store)
            for line in queueing.lines:
                rng = dice(world, "queue", store.code, line.code)
                entered = _past_of(store, line, queueing, places=places, ids=ids, now=now, rng=rng)
                tickets += entered
                since = local_day(now, store) - timedelta(days=TOLD_DAYS)
                told += [
                    PastHistory(
                        ticket=ticket,
                        desk=_desk_of(queueing, line, ticket.number),
                        staff_id=places.staff[logins[ticket.number % len(logins)]],
                    )
                    for ticket in entered
                    if ticket.business_on >= since
                ]
    await enter_past_tickets(tx, tickets, told)


def _desk_of(queueing: Queueing, line: Line, number: int) -> str:
    desks = [desk.code for desk in queueing.desks if not desk.lines or line.code in desk.lines]
    return desks[number % len(desks)] if desks else queueing.desks[0].code


def _past_of(
    store: Store,
    line: Line,
    queueing: Queueing,
    *,
    places: Places,
    ids: QueueIds,
    now: datetime,
    rng: Random,
) -> list[PastTicket]:
    """Return a line's tickets of the days before today, which the clock must be beyond."""
    store_id = places.stores[store.code]
    today = business_day(now, hours=store.weekly_hours(), timezone=store.timezone)
    tickets = []
    for ago in range(queueing.past.days, 0, -1):
        day = today - timedelta(days=ago)
        parties = parties_of(store, line, past=queueing.past, day=day, rng=rng)
        tickets += [
            _past_ticket(party, day, store_id=store_id, queue_id=ids[store_id, line.code], rng=rng)
            for party in parties
            if party.ended_at <= now
        ]
    return tickets


def _past_ticket(
    party: PastParty, day: date, *, store_id: UUID, queue_id: UUID, rng: Random
) -> PastTicket:
    return PastTicket(
        ticket_id=UUID(int=rng.getrandbits(128), version=4),
        request_id=UUID(int=rng.getrandbits(128), version=4),
        store_id=store_id,
        queue_id=queue_id,
        business_on=day,
        number=party.number,
        party_size=party.size,
        status=party.status,
        source=party.source,
        taken_at=party.taken_at,
        called_at=party.called_at,
        ended_at=party.ended_at,
        promise=party.promise,
        parties_ahead=party.ahead,
    )


async def gather_crowds(tx: Tx, world: World, *, now: datetime) -> None:
    """Let people wait where the world says so, unless somebody took a number there today."""
    for queueing in world.queueing:
        brand = await find_brand(tx, queueing.brand)
        if brand is None:
            continue
        for crowd in queueing.crowds:
            store = await find_store_by_code(tx, brand_id=brand.id, code=crowd.store)
            if store is None:
                continue
            day = business_day(now, hours=store.hours, timezone=store.timezone)
            if any(line.taken for line in await list_queue_figures(tx, [(store.id, day)])):
                continue
            rng = dice(world, "crowd", crowd.store, day.isoformat())
            since = day_began(now, hours=store.hours, timezone=store.timezone)
            queues = await list_arranged_queues(tx, store, now=now)
            desks = await list_desks(tx, store.id)
            scenes = [
                _Scene(queue, crowd, desks, since=since, now=now, rng=rng) for queue in queues
            ]
            await _play(tx, [scene for scene in scenes if scene.has_people])


async def _play(tx: Tx, scenes: Sequence["_Scene"]) -> None:
    """Take the numbers, call those before the crowd in order of time, seat all but the last."""
    for taken in await take_tickets(tx, [take for scene in scenes for take in scene.takes()]):
        if isinstance(taken, Fact):
            return  # Closed at this hour: nobody queues.
    calls = sorted((call for scene in scenes for call in scene.calls()), key=lambda c: c.now)
    called = [c for c in await call_next(tx, calls) if isinstance(c, CalledTicket)]
    last = {call.queue_id: call.ticket_id for call in called}
    seats = [
        MoveTicket(
            request_id=new_id(),
            ticket_id=call.ticket_id,
            now=call.called_at + timedelta(seconds=50),
        )
        for call in called
        if last[call.queue_id] != call.ticket_id
    ]
    if seats:
        await seat_tickets(tx, seats)


class _Scene:
    """A line today: some were served, the last ones called stand at the desk, the rest wait."""

    def __init__(
        self,
        queue: ArrangedQueue,
        crowd: Crowd,
        desks: Sequence[DeskView],
        *,
        since: datetime,
        now: datetime,
        rng: Random,
    ) -> None:
        self._queue, self._since, self._now, self._rng = queue, since, now, rng
        self._waiting = crowd.waiting.get(queue.code, 0)
        self._called = crowd.called.get(queue.code, 0)
        self._desks = [
            desk.code for desk in desks if not desk.queue_ids or queue.queue_id in desk.queue_ids
        ]

    @property
    def has_people(self) -> bool:
        """Whether anybody comes, and there is a desk to call them to."""
        return bool(self._waiting + self._called and self._desks)

    def takes(self) -> list[TakeTicket]:
        """Return the wishes for numbers, the first the longest ago."""
        total = self._waiting + self._called
        return [self._take(place, total) for place in range(total)]

    def calls(self) -> list[CallNext]:
        """Return the calls until now."""
        return [self._call(place) for place in range(self._called)]

    def _minutes_ago(self, minutes: float) -> datetime:
        return max(self._now - timedelta(minutes=minutes), self._since)

    def _gap(self) -> float:
        """Return the minutes between two calls of the line."""
        return self._queue.minutes_per_party / self._queue.servers

    def _take(self, place: int, total: int) -> TakeTicket:
        least, most = self._queue.party_size_min, self._queue.party_size_max
        return TakeTicket(
            request_id=new_id(),
            queue_id=self._queue.queue_id,
            party_size=self._rng.randint(least, most),
            source=self._rng.choice((TicketSource.PAD, TicketSource.DOOR, TicketSource.PAGE)),
            now=self._minutes_ago(2 + (total - 1 - place) * self._gap()),
        )

    def _call(self, place: int) -> CallNext:
        return CallNext(
            request_id=new_id(),
            queue_ids=(self._queue.queue_id,),
            desk=self._desks[place % len(self._desks)],
            now=self._minutes_ago(
                1 + self._rng.random() * 3 + (self._called - 1 - place) * self._gap()
            ),
        )
