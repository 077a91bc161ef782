"""The pad's queue screen: calls, moves, numbers; twice is once, other stores are out of reach."""

import re
from uuid import uuid4

import pytest

from o2o.crm.statuses import QueueStatus
from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id, new_request_id
from o2o.queueing.actions.arrange_desks import add_desk
from o2o.queueing.rules.arrangement import DeskDraft
from o2o.web.platform import Platform
from tests.factories.halls import Halls, at_pad, hall_browser, rows
from tests.factories.pads import Browser
from tests.factories.queues import called, given_settings, take, taken
from tests.fakes.clock import NOON, FakeClock

TICKETS = "SELECT number, status FROM tickets ORDER BY queue_id, number"


async def test_screen_shows_parties_in_the_order_of_calls(
    pad: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    await taken(sessions, take(halls.here.a), take(halls.here.a), take(halls.here.b, party_size=4))
    page = (await pad.see("/pad/queue")).text
    assert re.findall(r'<summary><span class="party-code">(\w+)</span>', page) == [
        "A001",
        "A002",
        "B001",
    ]
    assert "2 桌等候" in page
    assert "叫 A001" in page
    assert "这个队列没有人等" in page  # C


async def test_call_next_is_shown_here_and_said_to_the_desk(
    pad: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    [ticket] = await taken(sessions, take(halls.here.a))
    request_id = new_request_id()
    answer = await pad.post("/pad/queue/calls", request_id=request_id)
    assert answer.json() == {"next": f"/pad/queue?done=call&ticket={ticket.ticket_id}"}
    page = (await pad.see(answer.json()["next"])).text
    assert "已叫 A001，到前台" in page
    assert '<p class="called-code">A001</p>' in page
    [call] = await rows(sessions, "SELECT desk, kind, request_id FROM queue_calls")
    assert call == ("前台", "call", request_id)
    [move] = await rows(sessions, "SELECT staff_id, pad_id FROM ticket_moves WHERE move = 'called'")
    assert move == (halls.pad.staff_id, halls.pad.pad_id)


async def test_one_tap_sent_twice_calls_one_party(
    pad: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    await taken(sessions, take(halls.here.a), take(halls.here.a))
    request_id = new_request_id()
    answers = [await pad.post("/pad/queue/calls", request_id=request_id) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert await rows(sessions, TICKETS) == [(1, "called"), (2, "waiting")]


async def test_without_scripts_the_page_itself_says_what_stands_in_the_way(pad: Browser) -> None:
    answer = await pad.send("/pad/queue/calls", request_id=new_request_id())
    assert answer.status_code == 409
    assert 'id="queue-fault" role="alert" data-fault>' in answer.text


async def test_nobody_to_call_is_refused_in_words(pad: Browser, sessions: SessionFactory) -> None:
    answer = await pad.post("/pad/queue/calls", request_id=new_request_id())
    assert (answer.status_code, answer.json()["code"]) == (409, "queue.empty")
    assert await rows(sessions, "SELECT 1 FROM queue_calls") == []


async def test_moves_of_a_called_party(
    pad: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    [ticket] = await taken(sessions, take(halls.here.a))
    await called(sessions, halls.here.a)
    page = f"/pad/queue/tickets/{ticket.ticket_id}"
    for verb, status in (("skip", "skipped"), ("return", "waiting")):
        answer = await pad.post(f"{page}/{verb}", request_id=new_request_id())
        assert answer.status_code == 200, answer.text
        assert await rows(sessions, TICKETS) == [(1, status)]
    seated = await pad.post(f"{page}/seat", request_id=new_request_id())
    assert "A001 已完成" in (await pad.see(seated.json()["next"])).text
    late = await pad.post(f"{page}/recall", request_id=new_request_id())
    assert (late.status_code, late.json()["code"]) == (409, "ticket.not_active")
    assert await rows(sessions, TICKETS) == [(1, "seated")]


async def test_a_mistaken_miss_is_offered_back_at_once(
    pad: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    [ticket] = await taken(sessions, take(halls.here.a))
    await called(sessions, halls.here.a)
    path = f"/pad/queue/tickets/{ticket.ticket_id}"
    answer = await pad.post(f"{path}/skip", request_id=new_request_id())
    page = (await pad.see(answer.json()["next"])).text
    [undo] = re.findall(r'<div class="queue-undo">.*?</div>', page, re.DOTALL)
    assert f'action="{path}/recall"' in undo
    assert f'action="{path}/return"' in undo
    await pad.post(f"{path}/return", request_id=new_request_id())
    # What is no longer so is not said again.
    assert "queue-undo" not in (await pad.see(answer.json()["next"])).text


async def test_a_party_goes_on_in_another_class(
    pad: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    [ticket] = await taken(sessions, take(halls.here.b, party_size=4))
    answer = await pad.post(
        f"/pad/queue/tickets/{ticket.ticket_id}/queue",
        request_id=new_request_id(),
        queue_id=halls.here.c,
    )
    page = (await pad.see(answer.json()["next"])).text
    assert "已转队，新号码 C001" in page
    assert await rows(sessions, "SELECT number, status FROM tickets ORDER BY taken_at, id") == [
        (1, "moved"),
        (1, "waiting"),
    ]


async def test_taking_a_number_shows_a_slip_with_a_code_for_the_phone(
    pad: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    keys = (await pad.see("/pad/queue/take")).text
    assert "A A桌</small><small>无需等候" in keys
    request_id = new_request_id()
    answer = await pad.post("/pad/queue/tickets", request_id=request_id, party_size=3)
    again = await pad.post("/pad/queue/tickets", request_id=request_id, party_size=3)
    assert answer.json() == again.json()
    assert await rows(sessions, "SELECT queue_id, party_size, source FROM tickets") == [
        (halls.here.b, 3, "pad")
    ]
    slip = (await pad.see(answer.json()["next"])).text
    assert '<h1 class="slip-code">B001</h1>' in slip
    assert 'aria-label="绑定手机的二维码"' in slip


@pytest.mark.parametrize("size", ["0", "999", "-1"])
async def test_sizes_that_no_table_has_are_refused(
    pad: Browser, sessions: SessionFactory, size: str
) -> None:
    answer = await pad.post("/pad/queue/tickets", request_id=new_request_id(), party_size=size)
    assert (answer.status_code, answer.json()["code"]) == (422, "queue.party_size_out_of_range")
    assert await rows(sessions, TICKETS) == []


async def test_queues_open_pause_and_close(
    pad: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    path = f"/pad/queue/queues/{halls.here.a}/status"
    for status in ("paused", "open", "closed"):
        assert (await pad.post(path, status=status)).status_code == 200
        [(now,)] = await rows(sessions, "SELECT status FROM queues WHERE id = :id", id=halls.here.a)
        assert now == QueueStatus(status)
    refused = await pad.post("/pad/queue/tickets", request_id=new_request_id(), party_size=2)
    assert refused.json()["code"] == "queue.not_open"
    noted = await rows(
        sessions,
        "SELECT action, actor_id FROM audit_entries WHERE object_kind = 'queue' ORDER BY 1",
    )
    assert noted == [
        (f"queue.{action}", str(halls.pad.staff_id)) for action in ("closed", "opened", "paused")
    ]


@pytest.mark.parametrize("serves", [True, False])
async def test_closing_says_what_becomes_of_those_who_wait(
    pad: Browser, halls: Halls, sessions: SessionFactory, serves: bool
) -> None:
    async with transaction(sessions) as tx:
        await given_settings(tx, halls.here.store.id, serves_waiting_after_close=serves)
    await taken(sessions, take(halls.here.a))
    page = (await pad.see("/pad/queue")).text
    assert ("已取的 1 个号继续叫完" if serves else "已取的 1 个号会取消") in page
    await pad.post(f"/pad/queue/queues/{halls.here.a}/status", status="closed")
    assert await rows(sessions, TICKETS) == [(1, "waiting" if serves else "cancelled")]


async def test_a_desk_is_chosen_once_and_calls_its_queues_only(
    pad: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    async with transaction(sessions) as tx:
        desks = [
            await add_desk(
                tx,
                DeskDraft(code=code, name=f"{code}号窗口"),
                queue_ids=[queue_id],
                store_id=halls.here.store.id,
                actor=SYSTEM,
                now=NOON,
            )
            for code, queue_id in (("1", halls.here.a), ("3", halls.here.b))
        ]
    await taken(sessions, take(halls.here.a), take(halls.here.b, party_size=3))
    refused = await pad.post("/pad/queue/calls", request_id=new_request_id())
    assert (refused.status_code, refused.json()["code"]) == (409, "desk.not_chosen")
    assert (await pad.post("/pad/queue/desk", desk_id=uuid4())).status_code == 404

    assert (await pad.post("/pad/queue/desk", desk_id=desks[1])).status_code == 200
    await pad.post("/pad/queue/calls", request_id=new_request_id())
    assert await rows(sessions, "SELECT queue_id, desk FROM queue_calls") == [(halls.here.b, "3")]
    assert "我在 3号窗口" in (await pad.see("/pad/queue")).text


async def test_another_store_is_out_of_reach_and_nothing_moves(
    pad: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    [ticket] = await taken(sessions, take(halls.far.a))
    before = await rows(sessions, "SELECT * FROM tickets")
    tried = {
        "call": await pad.post(
            "/pad/queue/calls", request_id=new_request_id(), queue_id=halls.far.a
        ),
        "take": await pad.post(
            "/pad/queue/tickets",
            request_id=new_request_id(),
            party_size=2,
            queue_id=halls.far.a,
        ),
        "run": await pad.post(f"/pad/queue/queues/{halls.far.a}/status", status="closed"),
        "slip": await pad.see(f"/pad/queue/tickets/{ticket.ticket_id}"),
        "transfer": await pad.post(
            f"/pad/queue/tickets/{ticket.ticket_id}/queue",
            request_id=new_request_id(),
            queue_id=halls.here.a,
        ),
    }
    for verb in ("recall", "skip", "return", "seat", "cancel"):
        tried[verb] = await pad.post(
            f"/pad/queue/tickets/{ticket.ticket_id}/{verb}", request_id=new_request_id()
        )
    assert {name: answer.status_code for name, answer in tried.items()} == dict.fromkeys(tried, 404)
    assert await rows(sessions, "SELECT * FROM tickets") == before
    assert await rows(sessions, "SELECT 1 FROM queue_calls") == []
    assert await rows(sessions, "SELECT DISTINCT status FROM queues") == [("open",)]


async def test_the_kitchen_has_no_queues_and_nobody_without_a_session(
    browser: Browser,
    halls: Halls,
    sessions: SessionFactory,
    seal: Seal,
    clock: FakeClock,
    platform: Platform,
) -> None:
    stranger = await browser.see("/pad/queue")
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/pad")
    await at_pad(browser, halls.kitchen_pad, sessions, seal=seal, clock=clock)
    for path in ("/pad/queue", "/pad/queue/board", "/pad/queue/take"):
        assert (await browser.see(path)).status_code == 403
    answer = await browser.post("/pad/queue/calls", request_id=new_request_id())
    assert answer.status_code == 403
    async with hall_browser(platform) as far:
        await at_pad(far, halls.far_pad, sessions, seal=seal, clock=clock)
        assert (await far.see("/pad/queue")).status_code == 200


async def test_unknown_verbs_and_forged_forms_are_refused(
    pad: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    [ticket] = await taken(sessions, take(halls.here.a))
    path = f"/pad/queue/tickets/{ticket.ticket_id}"
    for verb in ("sell", "call"):
        assert (await pad.post(f"{path}/{verb}", request_id=new_id())).status_code == 404
    assert (await pad.post(f"{path}/seat", request_id="x")).status_code == 422
    pad.csrf = "0" * 64
    assert (await pad.post(f"{path}/seat", request_id=new_id())).status_code == 403
    assert await rows(sessions, TICKETS) == [(1, "waiting")]
