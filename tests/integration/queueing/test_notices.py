"""Parties are told in time: almost there, called, cancelled, kept too long; each fact once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from o2o.crm.statuses import TicketPriority, TicketSource
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.outbox import publish
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.queueing.actions.call_and_tell import call_and_tell
from o2o.queueing.actions.move_tickets import Verb
from o2o.queueing.actions.tell_of_calls import Called, tell_of_calls
from o2o.queueing.actions.tell_parties import CHECK, Voice
from o2o.queueing.commands import CalledTicket, CallNext
from o2o.queueing.events import PromiseMissed
from o2o.queueing.jobs_notices import NoticeJobs
from o2o.queueing.queries import parties
from o2o.web.copy import Words
from tests.concurrency.racing import until_blocked
from tests.factories.members import given_fan, given_member
from tests.factories.queues import called, moved, take, taken
from tests.fakes.clock import NOON, FakeClock
from tests.integration.queueing.noticing import URL, Scene, given_scene


@pytest.fixture
async def scene(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> Scene:
    # Told when one is ahead; never by minutes: tables of forty minutes for four.
    return await given_scene(sessions, seal=seal, clock=clock, notice_parties=1, notice_minutes=1)


async def line_of(scene: Scene, count: int) -> list[Any]:
    """So many fans in the small class."""
    fans = [await scene.fan() for _ in range(count)]
    return await taken(
        scene.sessions,
        *[take(scene.hall.a, fan_id=fan.id, source=TicketSource.PAGE) for fan in fans],
    )


def first_call(ticket: Any, call_seq: int) -> Called:
    """The call of a ticket to desk 3, at noon."""
    return Called(ticket_id=ticket.ticket_id, call_seq=call_seq, desk="3", is_recall=False, at=NOON)


async def is_true(scene: Scene, purpose: str) -> list[bool]:
    """What the messenger would hear now about each message of a purpose."""
    rows = await scene.rows(f"SELECT about FROM deliveries WHERE purpose = '{purpose}' ORDER BY id")
    async with scene.sessions() as tx:
        return list(await scene.messenger.checks[CHECK](tx, [row.about for row in rows], NOON))


async def test_whoever_comes_near_is_told_once_whatever_brings_him_near(scene: Scene) -> None:
    first, second, _third, _fourth, fifth = await line_of(scene, 5)
    await scene.deliver()
    assert await scene.told() == [("ticket_soon", "A001"), ("ticket_soon", "A002")]

    # A call brings the third near, a cancellation the fourth.
    scene.clock.advance(seconds=1)
    await called(scene.sessions, scene.hall.a, now=scene.clock.now())
    await scene.deliver()
    scene.clock.advance(seconds=1)
    await moved(scene.sessions, Verb.CANCEL, second.ticket_id, now=scene.clock.now())
    await scene.deliver()
    assert await scene.told() == [
        ("ticket_soon", "A001"),
        ("ticket_soon", "A002"),
        ("ticket_called", "A001"),
        ("ticket_soon", "A003"),
        ("ticket_cancelled", "A002"),
        ("ticket_soon", "A004"),
    ]

    # Who comes back goes behind others and is not told again; nor is anybody by looking once more.
    await moved(scene.sessions, Verb.SKIP, first.ticket_id, now=scene.clock.now())
    await moved(scene.sessions, Verb.RETURN, first.ticket_id, now=scene.clock.now())
    await scene.deliver()
    async with transaction(scene.sessions) as tx:
        await NoticeJobs(scene.clock, Voice(Words(), URL)).look_at_all(tx, scene.clock.now())
    assert len(await scene.told()) == 6
    rows = await scene.rows("SELECT count(*) FROM tickets WHERE told_soon_at IS NOT NULL")
    assert rows[0][0] == 4
    assert (
        await scene.rows(f"SELECT 1 FROM ticket_notices WHERE ticket_id = '{fifth.ticket_id}'")
        == []
    )


async def test_a_priority_number_pushes_others_back_and_is_told_itself(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    scene = await given_scene(
        sessions,
        seal=seal,
        clock=clock,
        notice_parties=1,
        notice_minutes=1,
        has_member_priority=True,
    )
    await line_of(scene, 1)
    await scene.deliver()
    async with transaction(sessions) as tx:
        member_id = await given_member(tx, scene.hall.brand)
        fan = await given_fan(tx, scene.hall.account, member_id=member_id)
    await taken(
        sessions,
        take(
            scene.hall.a,
            fan_id=fan.id,
            member_id=member_id,
            source=TicketSource.PAGE,
            priority=TicketPriority.MEMBER,
        ),
    )
    await scene.deliver()

    assert await scene.told() == [("ticket_soon", "A001"), ("ticket_soon", "A002")]
    rows = await scene.rows(
        "SELECT content->'data'->>'number3' AS ahead FROM deliveries"
        " WHERE content->'data'->>'character_string2' = 'A002'"
    )
    assert rows[0].ahead == "0"


async def test_a_short_wait_is_told_less_the_way_to_go(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    # Ten minutes for each ahead (forty for four): the third waits twenty.
    scene = await given_scene(sessions, seal=seal, clock=clock, notice_parties=1, notice_minutes=15)
    tickets = await line_of(scene, 4)
    async with transaction(sessions) as tx:
        # Ten minutes of way leave ten of the third's twenty, and twenty of the fourth's thirty.
        await tx.execute(text("UPDATE tickets SET travel_seconds = 600 WHERE number IN (3, 4)"))
        await tx.execute(text("UPDATE queue_days SET version = version"))
    await scene.deliver()

    assert [number for _, number in await scene.told()] == ["A001", "A002", "A003"]
    assert tickets[3].parties_ahead == 3


async def test_a_call_is_told_once_a_recall_again_with_the_desk(scene: Scene) -> None:
    [ticket] = await line_of(scene, 1)
    await scene.deliver()
    scene.clock.advance(seconds=1)
    call = await called(scene.sessions, scene.hall.a, desk="3", now=scene.clock.now())
    await scene.deliver()
    scene.clock.advance(seconds=1)
    await moved(scene.sessions, Verb.RECALL, ticket.ticket_id, desk="前台", now=scene.clock.now())
    await scene.deliver()
    async with transaction(scene.sessions) as tx:
        first = first_call(ticket, call.call_seq)
        again = await tell_of_calls(tx, Voice(Words(), URL), [first, first], now=NOON)

    assert again == 0
    rows = await scene.rows(
        "SELECT content->'data'->>'thing5' AS tip, content->>'url' AS url, otherwise,"
        " client_msg_id FROM deliveries WHERE purpose = 'ticket_called' ORDER BY created_at"
    )
    assert [row.tip for row in rows] == ["到您了，请到3号台入座", "再次叫号，请到前台入座"]
    page = f"/h5/{scene.hall.account.slug}/tickets/{ticket.ticket_id}"
    assert {row.url for row in rows} == {page}
    said = rows[0].otherwise["text"]["content"]
    assert said == f"到您了！A001号，{scene.hall.store.name}，请到3号台入座。\n{URL}{page}"
    assert len({row.client_msg_id for row in rows}) == 2
    kinds = await scene.rows("SELECT kind FROM ticket_notices ORDER BY at, kind")
    assert [row.kind for row in kinds] == ["soon", "called", "recalled"]


def next_at_desk_3(scene: Scene) -> CallNext:
    return CallNext(request_id=new_id(), queue_ids=(scene.hall.a,), desk="3", now=NOON)


async def call_aloud(scene: Scene, command: CallNext) -> Any:
    """The next party, called and told in one transaction, as pads do."""
    async with transaction(scene.sessions) as tx:
        [outcome] = await call_and_tell(
            tx, [command], voice=Voice(Words(), URL), now=scene.clock.now()
        )
    return outcome


async def test_the_message_of_a_call_is_queued_with_it_and_once(scene: Scene) -> None:
    await line_of(scene, 1)
    command = next_at_desk_3(scene)
    call = await call_aloud(scene, command)
    queued = await scene.told()
    replay = await call_aloud(scene, command)
    await scene.deliver()

    assert queued == [("ticket_called", "A001")]
    assert (call.code, call.is_replay, replay.is_replay) == ("A001", False, True)
    # Called at once, it is too late for "almost your turn"; the event has nothing left to tell.
    assert await scene.told() == queued
    rows = await scene.rows("SELECT kind, call_seq FROM ticket_notices")
    assert [(row.kind, row.call_seq) for row in rows] == [("called", call.call_seq)]


async def test_a_party_is_called_when_it_is_its_turn_not_when_the_desk_asked(scene: Scene) -> None:
    await line_of(scene, 1)
    command = next_at_desk_3(scene)
    scene.clock.advance(seconds=3)
    call = await call_aloud(scene, command)

    assert (command.now, call.called_at) == (NOON, NOON + timedelta(seconds=3))
    [row] = await scene.rows("SELECT at FROM ticket_moves WHERE to_status = 'called'")
    assert row.at == call.called_at


async def test_a_call_that_is_undone_tells_nobody(scene: Scene) -> None:
    await line_of(scene, 1)

    async def call_and_fail() -> None:
        async with transaction(scene.sessions) as tx:
            [call] = await call_and_tell(
                tx, [next_at_desk_3(scene)], voice=Voice(Words(), URL), now=scene.clock.now()
            )
            assert isinstance(call, CalledTicket)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await call_and_fail()
    assert await scene.told() == []
    assert await scene.rows("SELECT 1 FROM queue_calls") == []


async def test_whoever_cannot_be_told_with_the_call_is_told_by_its_event(scene: Scene) -> None:
    await line_of(scene, 1)
    async with transaction(scene.sessions) as tx:
        # As a deletion does, which is given up in the end.
        await tx.execute(text("SELECT 1 FROM fans FOR UPDATE"))
        call = await asyncio.wait_for(call_aloud(scene, next_at_desk_3(scene)), timeout=30)
        assert await scene.told() == []
    await scene.deliver()

    assert call.code == "A001"
    assert await scene.told() == [("ticket_called", "A001")]


async def test_without_passing_over_them_a_call_waits_for_who_is_being_forgotten(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await line_of(scene, 1)
    monkeypatch.setattr(parties, "_PARTIES_FREE", parties._PARTIES)
    async with transaction(scene.sessions) as tx:
        await tx.execute(text("SELECT 1 FROM fans FOR UPDATE"))
        task = asyncio.create_task(call_aloud(scene, next_at_desk_3(scene)))
        await asyncio.wait_for(until_blocked(scene.sessions), timeout=30)
    await task


async def test_a_call_overtakes_other_news_also_those_to_the_same_party(scene: Scene) -> None:
    [ticket] = await line_of(scene, 1)
    call = await called(scene.sessions, scene.hall.a, desk="3", now=NOON)
    async with transaction(scene.sessions) as tx:
        first = first_call(ticket, call.call_seq)
        assert await tell_of_calls(tx, Voice(Words(), URL), [first], now=NOON) == 1

    [row] = await scene.rows(
        "SELECT o.topic, o.ordering_key, d.openid FROM outbox_messages o"
        " JOIN deliveries d ON d.id = (o.payload->>'delivery_id')::uuid"
    )
    assert row.topic == "wechat.send_template_at_once"
    # Not the key under which his other messages keep their order.
    assert row.ordering_key == f"urgent:{scene.hall.account.id}:{row.openid}"


async def test_only_a_line_that_moved_is_looked_at(scene: Scene) -> None:
    [first, *_] = await line_of(scene, 2)
    await called(scene.sessions, scene.hall.a, now=scene.clock.now())
    await moved(scene.sessions, Verb.SEAT, first.ticket_id, now=scene.clock.now())

    rows = await scene.rows(
        "SELECT (payload->>'is_line_changed')::boolean AS is_line_changed FROM outbox_messages"
        " WHERE topic = 'queue.changed' ORDER BY id"
    )
    assert [row.is_line_changed for row in rows] == [True, True, False]


async def test_what_waits_to_be_sent_is_asked_about_the_ticket_as_it_stands(scene: Scene) -> None:
    [ticket] = await line_of(scene, 1)
    await scene.deliver()
    assert await is_true(scene, "ticket_soon") == [True]
    await called(scene.sessions, scene.hall.a)
    await scene.deliver()
    assert await is_true(scene, "ticket_soon") == [False]
    assert await is_true(scene, "ticket_called") == [True]
    await moved(scene.sessions, Verb.SKIP, ticket.ticket_id)
    # It was called and does not know: the page says how to come back.
    assert await is_true(scene, "ticket_called") == [True]
    await moved(scene.sessions, Verb.RETURN, ticket.ticket_id)
    assert await is_true(scene, "ticket_called") == [False]
    await moved(scene.sessions, Verb.SEAT, ticket.ticket_id)
    assert await is_true(scene, "ticket_called") == [False]


async def test_who_left_before_the_relay_came_is_told_nothing(scene: Scene) -> None:
    [ticket] = await line_of(scene, 1)
    await called(scene.sessions, scene.hall.a)
    await moved(scene.sessions, Verb.SEAT, ticket.ticket_id)
    await scene.deliver()

    assert await scene.told() == []
    assert await scene.rows("SELECT 1 FROM ticket_notices") == []


async def test_the_store_tells_of_its_cancelling_the_guest_knows_of_his(scene: Scene) -> None:
    mine, theirs = await line_of(scene, 2)
    await scene.deliver()
    fan = (await scene.rows(f"SELECT fan_id FROM tickets WHERE id = '{mine.ticket_id}'"))[0].fan_id
    scene.clock.advance(seconds=1)
    now = scene.clock.now()
    await moved(scene.sessions, Verb.CANCEL, mine.ticket_id, is_by_guest=True, fan_id=fan, now=now)
    await moved(scene.sessions, Verb.CANCEL, theirs.ticket_id, reason="今日停电", now=now)
    await scene.deliver()

    rows = await scene.rows(
        "SELECT content->'data' AS data FROM deliveries WHERE purpose = 'ticket_cancelled'"
    )
    assert [(row.data["character_string2"], row.data["thing3"]) for row in rows] == [
        ("A002", "今日停电")
    ]
    assert await is_true(scene, "ticket_cancelled") == [True]


async def test_a_missed_promise_is_told_with_the_stores_apology_while_it_waits(
    scene: Scene,
) -> None:
    waits, left = await line_of(scene, 2)
    await scene.deliver()
    scene.clock.advance(minutes=50)
    await moved(scene.sessions, Verb.CANCEL, left.ticket_id, now=scene.clock.now())
    async with transaction(scene.sessions) as tx:
        for ticket in (waits, waits, left):
            event = PromiseMissed(
                ticket_id=ticket.ticket_id,
                store_id=scene.hall.store.id,
                member_id=None,
                apology={"template": "tea", "text": "送您一份甜品"},
                median_seconds=600,
                waited_seconds=3000,
            )
            await publish(tx, event, now=scene.clock.now())
    await scene.deliver()

    rows = await scene.rows(
        "SELECT content->'data' AS data FROM deliveries WHERE purpose = 'wait_promise_missed'"
    )
    assert [row.data for row in rows] == [
        {
            "thing1": scene.hall.store.name,
            "character_string2": "A001",
            "thing3": "已等候50分钟",
            "thing4": "送您一份甜品",
        }
    ]


async def test_nobody_follows_nobody_is_told_and_may_be_later(scene: Scene) -> None:
    fan = await scene.fan(is_following=False)
    await taken(scene.sessions, take(scene.hall.a, fan_id=fan.id), take(scene.hall.a))
    await scene.deliver()
    assert await scene.told() == []

    async with transaction(scene.sessions) as tx:
        await tx.execute(text("UPDATE fans SET is_following = true"))
    scene.clock.advance(seconds=30)
    async with transaction(scene.sessions) as tx:
        await NoticeJobs(scene.clock, Voice(Words(), URL)).look_at_all(tx, scene.clock.now())
    assert await scene.told() == [("ticket_soon", "A001")]


async def test_a_member_is_told_by_the_account_of_the_store(scene: Scene) -> None:
    async with transaction(scene.sessions) as tx:
        member_id = await given_member(tx, scene.hall.brand)
        fan = await given_fan(tx, scene.hall.account, member_id=member_id)
    await taken(scene.sessions, take(scene.hall.a, member_id=member_id))
    await scene.deliver()

    rows = await scene.rows("SELECT openid, purpose FROM deliveries")
    assert [(row.openid, row.purpose) for row in rows] == [(fan.openid, "ticket_soon")]


async def test_a_day_that_is_over_is_not_looked_at(scene: Scene) -> None:
    await line_of(scene, 1)
    scene.clock.advance(hours=50)
    async with transaction(scene.sessions) as tx:
        await NoticeJobs(scene.clock, Voice(Words(), URL)).look_at_all(tx, NOON + timedelta(days=3))
    assert await scene.told() == []
