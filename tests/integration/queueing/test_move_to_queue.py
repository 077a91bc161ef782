"""Going on in another queue: a new number, the old time, and nobody's turn lost."""

from datetime import timedelta

from o2o.crm.statuses import TicketStatus
from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_id
from o2o.queueing.actions.move_tickets import Verb
from o2o.queueing.actions.move_to_queue import MoveToQueue, TakenTicket, move_to_queue
from o2o.queueing.actions.run_queues import close_queue
from o2o.queueing.errors import (
    PartySizeOutOfRange,
    QueueNotFound,
    QueueNotOpen,
    SameQueue,
    TicketNotActive,
    TicketNotFound,
)
from o2o.queueing.queries.tickets import get_ticket
from tests.factories.members import count, given_member
from tests.factories.queues import called, given_hall, moved, take, taken
from tests.fakes.clock import NOON


def ask(ticket_id: object, queue_id: object, **fields: object) -> MoveToQueue:
    values = {"request_id": new_id(), "ticket_id": ticket_id, "queue_id": queue_id, "now": NOON}
    return MoveToQueue(**{**values, **fields})  # type: ignore[arg-type]  # fields of the command


async def outcome_of(sessions: SessionFactory, command: MoveToQueue) -> TakenTicket | Fact:
    async with transaction(sessions) as tx:
        [outcome] = await move_to_queue(tx, [command])
    return outcome


async def test_one_is_placed_by_the_time_of_the_first_number(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    async with transaction(sessions) as tx:
        member_id = await given_member(tx, hall.brand)
    wishes = [
        take(hall.b, party_size=3),
        take(hall.a, member_id=member_id, now=NOON + timedelta(minutes=1)),
        take(hall.b, party_size=3, now=NOON + timedelta(minutes=2)),
    ]
    _, mover, _ = [ticket for wish in wishes for ticket in await taken(sessions, wish)]

    grown = await outcome_of(sessions, ask(mover.ticket_id, hall.b, party_size=4))

    assert isinstance(grown, TakenTicket)
    assert (grown.code, grown.parties_ahead, grown.is_replay) == ("B003", 1, False)
    async with transaction(sessions) as tx:
        old = await get_ticket(tx, mover.ticket_id, now=NOON)
        new = await get_ticket(tx, grown.ticket_id, now=NOON)
    assert (old.status, old.moved_to_id) == (TicketStatus.MOVED, grown.ticket_id)
    assert (new.party_size, new.member_id, new.promise) == (4, member_id, old.promise)
    assert new.taken_at == NOON + timedelta(minutes=1)
    order = [(await called(sessions, hall.b)).code for _ in range(3)]
    assert order == ["B001", "B003", "B002"]
    ended = "topic = 'ticket.ended' AND payload ->> 'status' = 'moved'"
    assert await count(sessions, "outbox_messages", ended) == 1


async def test_a_transfer_that_is_sent_again_happens_once(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    [ticket] = await taken(sessions, take(hall.a))
    command = ask(ticket.ticket_id, hall.b)

    once = await outcome_of(sessions, command)
    again = await outcome_of(sessions, command)
    other = await outcome_of(sessions, ask(ticket.ticket_id, hall.c, request_id=command.request_id))

    assert isinstance(once, TakenTicket)
    assert isinstance(again, TakenTicket)
    assert (again.ticket_id, again.is_replay) == (once.ticket_id, True)
    assert isinstance(other, RequestBodyDiffers)
    assert await count(sessions, "tickets") == 2
    assert await count(sessions, "queue_days", "waiting_ordinary = 1") == 1


async def test_transfers_that_make_no_sense_change_nothing(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    other = await given_hall(sessions, seal=seal)
    ticket, gone, large = await taken(
        sessions, take(hall.a), take(hall.a), take(hall.c, party_size=8)
    )
    await moved(sessions, Verb.CANCEL, gone.ticket_id)
    async with transaction(sessions) as tx:
        await close_queue(tx, hall.c, actor=SYSTEM, now=NOON)
    before = await count(sessions, "tickets"), await count(sessions, "ticket_moves")

    for command, expected in (
        (ask(ticket.ticket_id, hall.a), SameQueue),
        (ask(ticket.ticket_id, other.a), QueueNotFound),
        (ask(ticket.ticket_id, new_id()), QueueNotFound),
        (ask(new_id(), hall.b), TicketNotFound),
        (ask(ticket.ticket_id, hall.b, brand_id=other.brand.id), TicketNotFound),
        (ask(ticket.ticket_id, hall.b, store_id=other.store.id), TicketNotFound),
        (ask(gone.ticket_id, hall.b), TicketNotActive),
        (ask(ticket.ticket_id, hall.c), QueueNotOpen),
        (ask(large.ticket_id, hall.b), PartySizeOutOfRange),
        (ask(ticket.ticket_id, hall.b, party_size=0), PartySizeOutOfRange),
        (ask(ticket.ticket_id, hall.b, now=NOON + timedelta(days=1)), TicketNotActive),
    ):
        outcome = await outcome_of(sessions, command)
        assert isinstance(outcome, expected), outcome

    assert (await count(sessions, "tickets"), await count(sessions, "ticket_moves")) == before
