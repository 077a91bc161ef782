"""Taking numbers: which class, which number, what is refused, and one number per person."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import text

from o2o.crm.statuses import QueueStatus, TicketPriority, TicketSource, TicketStatus
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.geo import Point
from o2o.kernel.ids import new_id
from o2o.membership.errors import MemberNotFound
from o2o.queueing.actions.move_tickets import Verb
from o2o.queueing.actions.take_tickets import TakenTicket, take_tickets
from o2o.queueing.errors import (
    LocationNeeded,
    PartySizeOutOfRange,
    QueueNotFound,
    QueueNotOpen,
    QueuePaused,
    TicketAlreadyActive,
    TicketNotFound,
    TooFarAway,
)
from o2o.queueing.queries.own_tickets import Holder, get_own_ticket, list_own_active
from o2o.queueing.queries.queues import list_queues
from tests.factories.members import count, given_fan, given_member
from tests.factories.organisation import given_brand
from tests.factories.queues import called, given_hall, moved, take, taken
from tests.fakes.clock import NOON


async def outcome_of(sessions: SessionFactory, *commands: object) -> list[TakenTicket | Fact]:
    async with transaction(sessions) as tx:
        return await take_tickets(tx, commands)  # type: ignore[arg-type]  # made by take()


async def test_numbers_run_per_queue_and_read_as_people_say_them(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)

    first, second, other = await taken(
        sessions, take(hall.a), take(hall.a), take(hall.b, party_size=3)
    )
    [third] = await taken(sessions, take(hall.a))

    assert [t.code for t in (first, second, other, third)] == ["A001", "A002", "B001", "A003"]
    assert [t.parties_ahead for t in (first, second, other, third)] == [0, 1, 0, 2]
    assert third.status is TicketStatus.WAITING
    assert third.estimate is not None
    assert third.estimate.median_seconds == 2 * 40 * 60 // 4
    assert await count(sessions, "ticket_moves", "move = 'taken'") == 4
    assert await count(sessions, "outbox_messages", "topic = 'ticket.taken'") == 4
    # Once per queue and transaction.
    assert await count(sessions, "outbox_messages", "topic = 'queue.changed'") == 3


async def test_the_class_is_chosen_by_the_size_of_the_party(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)

    tickets = await taken(
        sessions, *(take(store_id=hall.store.id, party_size=n) for n in (1, 2, 3, 4, 5, 12))
    )

    assert [t.code for t in tickets] == ["A001", "A002", "B001", "B002", "C001", "C002"]


async def test_a_party_of_no_size_is_refused_and_no_number_is_lost(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)

    for party_size in (-1, 0, 13, 999, 10**12):
        by_store, by_queue = await outcome_of(
            sessions,
            take(store_id=hall.store.id, party_size=party_size),
            take(hall.b, party_size=party_size),
        )
        assert isinstance(by_store, PartySizeOutOfRange)
        assert by_store.detail == {"party_size_min": 1, "party_size_max": 12}
        assert isinstance(by_queue, PartySizeOutOfRange)
        assert by_queue.detail == {"party_size_min": 3, "party_size_max": 4}
    assert await count(sessions, "tickets") == 0

    [fine] = await taken(sessions, take(hall.b, party_size=3))
    assert fine.code == "B001"


async def test_the_same_request_is_answered_again_and_another_body_is_refused(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    request_id = new_id()

    once, at_once = await taken(
        sessions, take(hall.a, request_id=request_id), take(hall.a, request_id=request_id)
    )
    later = NOON + timedelta(minutes=5)
    [again, other] = await outcome_of(
        sessions,
        take(hall.a, request_id=request_id, now=later),
        take(hall.a, request_id=request_id, party_size=1),
    )

    assert (once.is_replay, at_once.is_replay) == (False, True)
    assert isinstance(again, TakenTicket)
    assert again.is_replay
    assert (again.ticket_id, again.code, again.parties_ahead) == (once.ticket_id, "A001", 0)
    assert isinstance(other, RequestBodyDiffers)
    assert await count(sessions, "tickets") == 1
    assert await count(sessions, "ticket_moves") == 1


async def test_who_became_a_member_in_line_has_one_number_still(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    async with transaction(sessions) as tx:
        fan = await given_fan(tx, hall.account)
        member_id = await given_member(tx, hall.brand)
    [mine] = await taken(sessions, take(hall.a, fan_id=fan.id))
    missed = await called(sessions, hall.a)
    assert not isinstance(await moved(sessions, Verb.SKIP, missed.ticket_id), Exception)
    async with transaction(sessions) as tx:
        await tx.execute(
            text("UPDATE fans SET member_id = :member_id WHERE id = :id"),
            {"member_id": member_id, "id": fan.id},
        )

    [other] = await taken(sessions, take(hall.b, party_size=3, member_id=member_id))
    refused = await moved(sessions, Verb.RETURN, mine.ticket_id)
    assert isinstance(refused, TicketAlreadyActive)
    assert refused.ticket_id == other.ticket_id
    await moved(sessions, Verb.CANCEL, other.ticket_id)
    assert not isinstance(await moved(sessions, Verb.RETURN, mine.ticket_id), Exception)

    [by_member] = await outcome_of(sessions, take(hall.b, party_size=3, member_id=member_id))

    assert isinstance(by_member, TicketAlreadyActive)
    assert by_member.ticket_id == mine.ticket_id
    assert await count(sessions, "tickets", "status = 'waiting'") == 1
    # And sees it from another of the brand's accounts.
    there = Holder(fan_id=new_id(), member_id=member_id, brand_id=hall.brand.id)
    async with transaction(sessions) as tx:
        seen = await list_own_active(tx, there, since=NOON - timedelta(hours=1), now=NOON)
        own = await get_own_ticket(tx, mine.ticket_id, there, now=NOON)
        with pytest.raises(TicketNotFound):
            await get_own_ticket(
                tx, mine.ticket_id, msgspec.structs.replace(there, member_id=None), now=NOON
            )
    assert [one.ticket_id for one in seen] == [own.ticket_id] == [mine.ticket_id]


async def test_an_answered_request_is_answered_when_the_queue_has_closed(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    command = take(hall.a)
    await taken(sessions, command)
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE queues SET status = 'closed'"))

    again, new = await outcome_of(sessions, command, take(hall.a))

    assert isinstance(again, TakenTicket)
    assert again.is_replay
    assert isinstance(new, QueueNotOpen)


async def test_a_person_has_one_number_per_store(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    next_door = await given_hall(sessions, seal=seal, brand=hall.brand)
    async with transaction(sessions) as tx:
        member_id = await given_member(tx, hall.brand)
        fan = await given_fan(tx, hall.account, member_id=member_id)

    [first] = await taken(sessions, take(hall.a, fan_id=fan.id, member_id=member_id))
    outcomes = await outcome_of(
        sessions,
        take(hall.b, party_size=3, fan_id=fan.id),
        take(hall.a, member_id=member_id),
        take(next_door.a, member_id=member_id),
        take(next_door.b, party_size=3, member_id=member_id),
    )

    for refused, code in ((outcomes[0], "A001"), (outcomes[1], "A001"), (outcomes[3], "A001")):
        assert isinstance(refused, TicketAlreadyActive)
        assert refused.number == code
    assert outcomes[0].ticket_id == first.ticket_id  # type: ignore[union-attr]
    assert isinstance(outcomes[2], TakenTicket)
    assert await count(sessions, "tickets") == 2


async def test_yesterdays_number_ends_when_its_owner_takes_one_today(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    async with transaction(sessions) as tx:
        member_id = await given_member(tx, hall.brand)
    [old] = await taken(sessions, take(hall.a, member_id=member_id))

    [new] = await taken(sessions, take(hall.a, member_id=member_id, now=NOON + timedelta(days=1)))

    assert (new.code, new.parties_ahead) == ("A001", 0)
    where = f"id = '{old.ticket_id}' AND status = 'expired'"
    assert await count(sessions, "tickets", where) == 1
    assert await count(sessions, "outbox_messages", "topic = 'ticket.ended'") == 1


async def test_only_members_of_the_brand_take_numbers_as_members(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    async with transaction(sessions) as tx:
        stranger_id = await given_member(tx, await given_brand(tx))

    unknown, stranger = await outcome_of(
        sessions, take(hall.a, member_id=new_id()), take(hall.a, member_id=stranger_id)
    )

    assert isinstance(unknown, MemberNotFound)
    assert isinstance(stranger, MemberNotFound)
    assert await count(sessions, "tickets") == 0


async def test_another_brands_queue_is_not_there(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    other = await given_hall(sessions, seal=seal)

    outcomes = await outcome_of(
        sessions,
        take(hall.a, brand_id=other.brand.id),
        take(store_id=hall.store.id, brand_id=other.brand.id),
        take(hall.a, store_id=other.store.id),
        take(new_id()),
        take(),
    )

    assert all(isinstance(outcome, QueueNotFound) for outcome in outcomes), outcomes


@pytest.mark.parametrize(
    "status, source, expected",
    [
        (QueueStatus.PAUSED, TicketSource.PAD, QueuePaused),
        (QueueStatus.CLOSED, TicketSource.PAD, QueueNotOpen),
        (QueueStatus.PAUSED, TicketSource.BOOKING, TakenTicket),
        (QueueStatus.CLOSED, TicketSource.BOOKING, QueueNotOpen),
    ],
)
async def test_a_paused_queue_takes_arrived_bookings_only_and_a_closed_one_nobody(
    sessions: SessionFactory,
    seal: Seal,
    status: QueueStatus,
    source: TicketSource,
    expected: type[object],
) -> None:
    hall = await given_hall(sessions, seal=seal)
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE queues SET status = :status"), {"status": status.value})

    [outcome] = await outcome_of(sessions, take(hall.a, source=source))

    assert isinstance(outcome, expected)


async def test_outside_of_opening_hours_the_next_opening_is_told(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    async with transaction(sessions) as tx:
        await tx.execute(
            text("UPDATE stores SET hours = CAST(:hours AS jsonb)"),
            {"hours": '{"fri": [["13:00", "15:00"]]}'},
        )

    # Friday, 12:00 and 13:00 in Shanghai.
    early, in_time = await outcome_of(
        sessions, take(hall.a), take(hall.a, now=NOON + timedelta(hours=1))
    )

    assert isinstance(early, QueueNotOpen)
    assert early.next_opening_at == datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
    assert isinstance(in_time, TakenTicket)


async def test_numbers_from_afar_have_a_limit_where_the_store_set_one(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal, distance_m_max=1_000)
    here = Point(hall.store.latitude, hall.store.longitude)
    two_km_north = Point(here.latitude + 0.018, here.longitude)

    unknown, far, near, door, pad = await outcome_of(
        sessions,
        take(hall.a, source=TicketSource.CHAT),
        take(hall.a, source=TicketSource.PAGE, at=two_km_north),
        take(hall.a, source=TicketSource.LOCATION, at=here),
        take(hall.a, source=TicketSource.DOOR),
        take(hall.a, source=TicketSource.PAD),
    )

    assert isinstance(unknown, LocationNeeded)
    assert unknown.detail == {"distance_m_max": 1_000}
    assert isinstance(far, TooFarAway)
    assert (far.distance_m, far.distance_m_max) == (2_002, 1_000)
    assert [t.code for t in (near, door, pad) if isinstance(t, TakenTicket)] == [
        "A001",
        "A002",
        "A003",
    ]


async def test_members_come_earlier_only_where_the_store_says_so(
    sessions: SessionFactory, seal: Seal
) -> None:
    plain = await given_hall(sessions, seal=seal)
    kind = await given_hall(sessions, seal=seal, brand=plain.brand, has_member_priority=True)
    async with transaction(sessions) as tx:
        member_id = await given_member(tx, plain.brand)

    for hall, ahead in ((plain, 2), (kind, 0)):
        await taken(sessions, take(hall.a), take(hall.a))
        wish = take(hall.a, member_id=member_id, priority=TicketPriority.MEMBER)
        [ticket] = await taken(sessions, wish)
        assert ticket.parties_ahead == ahead
    # Asking for what one is not counts for nothing.
    [liar] = await taken(sessions, take(kind.a, priority=TicketPriority.BOOKED))
    assert liar.parties_ahead == 3


async def test_days_turn_with_the_store_and_never_use_a_number_twice(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    evening = datetime(2026, 11, 20, 19, 59, 59, tzinfo=UTC)  # 03:59:59 in Shanghai
    morning = evening + timedelta(seconds=1)

    tickets = await taken(
        sessions,
        take(hall.a, now=evening),
        take(hall.a, now=morning),
        # The clock was set back.
        take(hall.a, now=evening),
        take(hall.a, now=morning),
    )

    assert [t.number for t in tickets] == [1, 1, 2, 2]
    assert await count(sessions, "tickets", "business_on = '2026-11-20'") == 2
    assert await count(sessions, "tickets", "business_on = '2026-11-21'") == 2


async def test_states_of_queues_tell_what_people_ask(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    await taken(sessions, take(hall.a), take(hall.a), take(hall.b, party_size=4))
    await called(sessions, hall.a)

    async with transaction(sessions) as tx:
        a, b, c = await list_queues(tx, hall.store.id, now=NOON)

    assert [(q.code, q.waiting, q.last_called_code, q.version) for q in (a, b, c)] == [
        ("A", 1, "A001", 2),
        ("B", 1, None, 1),
        ("C", 0, None, 0),
    ]
    assert all(q.is_taking and q.next_opening_at is None for q in (a, b, c))
    assert a.parties_ahead == 1
    assert a.estimate is not None
    assert a.estimate.median_seconds == 600
