"""Opening, pausing and closing queues, settings, closing time and the end of a day."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from o2o.crm.statuses import QueueStatus, TicketSource
from o2o.infra.audit import Actor
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.moves import MoveNotAllowed
from o2o.queueing.actions.expire_tickets import cancel_after_close, expire_tickets
from o2o.queueing.actions.move_tickets import MovedTicket, Verb
from o2o.queueing.actions.run_queues import (
    QueueSettingsDraft,
    close_queue,
    edit_settings,
    open_queue,
    pause_queue,
)
from o2o.queueing.errors import QueueNotFound, QueueNotOpen, QueueSettingsInvalid
from o2o.queueing.queries.queues import get_queue_state, get_settings
from tests.factories.members import count
from tests.factories.queues import called, given_hall, moved, take, taken
from tests.factories.staff import given_staff
from tests.fakes.clock import NOON


async def clerk_of(sessions: SessionFactory, brand: object) -> Actor:
    async with transaction(sessions) as tx:
        return Actor("staff", await given_staff(tx, brand))  # type: ignore[arg-type]  # a Brand


async def test_a_queue_is_paused_opened_and_closed_once_each(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    actor = await clerk_of(sessions, hall.brand)
    async with transaction(sessions) as tx:
        for _ in range(2):
            await pause_queue(tx, hall.a, actor=actor, now=NOON)
        await open_queue(tx, hall.a, actor=actor, now=NOON)
        assert await close_queue(tx, hall.a, actor=actor, now=NOON) == 0
    async with transaction(sessions) as tx:
        state = await get_queue_state(tx, hall.a, now=NOON)
        with pytest.raises(MoveNotAllowed):
            await pause_queue(tx, hall.a, actor=actor, now=NOON)

    assert (state.status, state.is_taking, state.version) == (QueueStatus.CLOSED, False, 3)
    assert await count(sessions, "audit_entries", "action LIKE 'queue.%'") == 3
    assert await count(sessions, "outbox_messages", "topic = 'queue.changed'") == 3


async def test_nobody_runs_another_stores_queue(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    other = await given_hall(sessions, seal=seal)
    actor = await clerk_of(sessions, other.brand)
    for scope in ({"brand_id": other.brand.id}, {"store_id": other.store.id}):
        for act in (open_queue, pause_queue, close_queue):
            with pytest.raises(QueueNotFound):
                async with transaction(sessions) as tx:
                    await act(tx, hall.a, actor=actor, now=NOON, **scope)
    assert await count(sessions, "queues", "status <> 'open'") == 0


@pytest.mark.parametrize("serves", [True, False])
async def test_closing_serves_who_waits_or_sends_them_home(
    sessions: SessionFactory, seal: Seal, *, serves: bool
) -> None:
    hall = await given_hall(sessions, seal=seal, serves_waiting_after_close=serves)
    actor = await clerk_of(sessions, hall.brand)
    await taken(sessions, take(hall.a), take(hall.a), take(hall.a), take(hall.b, party_size=3))
    first = await called(sessions, hall.a)

    async with transaction(sessions) as tx:
        sent_home = await close_queue(tx, hall.a, actor=actor, now=NOON)

    assert sent_home == (0 if serves else 2)
    assert await count(sessions, "tickets", "status = 'cancelled'") == sent_home
    # Whoever was called already is on the way, and the other queue is open still.
    assert await count(sessions, "tickets", "status = 'called'") == 1
    told = "topic = 'ticket.ended' AND payload ->> 'by_store' = 'true'"
    assert await count(sessions, "outbox_messages", told) == sent_home
    why = f"reason = 'queue_closed' AND staff_id = '{actor.id}'"
    assert await count(sessions, "ticket_moves", why) == sent_home
    await moved(sessions, Verb.SKIP, first.ticket_id)
    back = await moved(sessions, Verb.RETURN, first.ticket_id)
    if serves:
        assert (await called(sessions, hall.a)).code == "A002"
        assert isinstance(back, MovedTicket)
    else:
        # Nobody would call him any more.
        assert isinstance(back, QueueNotOpen)
        assert await count(sessions, "tickets", "status = 'skipped'") == 1


async def test_at_closing_time_those_are_sent_home_whom_the_store_does_not_serve(
    sessions: SessionFactory, seal: Seal
) -> None:
    strict = await given_hall(sessions, seal=seal, serves_waiting_after_close=False)
    kind = await given_hall(sessions, seal=seal, brand=strict.brand)
    async with transaction(sessions) as tx:
        await tx.execute(
            text("UPDATE stores SET hours = CAST(:hours AS jsonb)"),
            {"hours": '{"fri": [["10:00", "13:00"], ["15:00", "22:00"]]}'},
        )
    await taken(sessions, take(strict.a), take(kind.a))

    for minutes, waiting in ((59, 2), (60, 1), (61, 1)):
        async with transaction(sessions) as tx:
            await cancel_after_close(tx, NOON + timedelta(minutes=minutes))
        assert await count(sessions, "tickets", "status = 'waiting'") == waiting
    assert await count(sessions, "ticket_moves", "reason = 'store_closed'") == 1

    # Whoever booked for three o'clock and came early waits for the opening.
    early = NOON + timedelta(minutes=150)
    await taken(sessions, take(strict.a, source=TicketSource.BOOKING, now=early))
    for now, waiting in ((early + timedelta(minutes=1), 2), (NOON + timedelta(hours=10), 1)):
        async with transaction(sessions) as tx:
            await cancel_after_close(tx, now)
        assert await count(sessions, "tickets", "status = 'waiting'") == waiting


async def test_a_day_ends_for_everybody_who_is_left(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    await taken(sessions, take(hall.a), take(hall.a), take(hall.b, party_size=3))
    await called(sessions, hall.a)
    turn = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)  # 04:00 in Shanghai
    await taken(sessions, take(hall.a, now=turn))

    for now, expired in ((turn - timedelta(seconds=1), 0), (turn, 3), (turn, 3)):
        async with transaction(sessions) as tx:
            await expire_tickets(tx, now)
        assert await count(sessions, "tickets", "status = 'expired'") == expired

    assert await count(sessions, "tickets", "status = 'waiting'") == 1
    assert await count(sessions, "ticket_moves", "move = 'expired'") == 3
    assert await count(sessions, "queue_days", "waiting_ordinary = 1") == 1
    told = "topic = 'ticket.ended' AND payload ->> 'by_store' = 'true'"
    assert await count(sessions, "outbox_messages", told) == 0


async def test_settings_are_kept_within_their_ranges_and_audited(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    actor = await clerk_of(sessions, hall.brand)
    draft = QueueSettingsDraft(distance_m_max=500, apology={"text": "让您久等了"})
    async with transaction(sessions) as tx:
        for _ in range(2):
            await edit_settings(tx, hall.store.id, draft, actor=actor, now=NOON)
    for wrong in (
        QueueSettingsDraft(distance_m_max=10),
        QueueSettingsDraft(notice_minutes=0),
        QueueSettingsDraft(ordinary_between=21),
        QueueSettingsDraft(apology={"text": "好" * 201}),
        QueueSettingsDraft(apology={"words": "好"}),
    ):
        with pytest.raises(QueueSettingsInvalid):
            async with transaction(sessions) as tx:
                await edit_settings(tx, hall.store.id, wrong, actor=actor, now=NOON)

    async with transaction(sessions) as tx:
        kept = await get_settings(tx, hall.store.id)
    assert (kept.distance_m_max, kept.returns_max, kept.apology) == (
        500,
        1,
        {"text": "让您久等了"},
    )
    assert await count(sessions, "audit_entries", "action = 'queue_settings.changed'") == 1
