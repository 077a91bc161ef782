"""A hall's own machine: signed news, each once and in order; numbers out, calls in."""

import json
from collections.abc import AsyncGenerator
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from sqlalchemy import text

from o2o.app.http import create_http_app
from o2o.crm.statuses import TicketStatus
from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.queueing.actions.issue_bridge_key import issue_bridge_key
from o2o.queueing.actions.move_tickets import Verb
from o2o.queueing.queries.lines import list_lines
from o2o.queueing.queries.queues import QueueState, get_queue_state
from o2o.queueing.queries.tickets import get_ticket
from o2o.queueing.rules.bridge_signatures import HEADER, sign
from o2o.queueing.rules.notices import due
from o2o.queueing.rules.wait_estimate import ColdModel
from o2o.queueing.web import api_bridge
from o2o.web.edge import Edge
from tests.factories.diners import BASE_URL, diner_platform
from tests.factories.queues import Hall, given_hall, moved, take, taken
from tests.fakes.clock import NOON, FakeClock

NOW = int(NOON.timestamp())
NOWHERE = UUID(int=1)
NO_WAIT_KNOWN = ColdModel(minutes_per_party=40, servers=4)


class Machine:
    """The other side of the bridge."""

    def __init__(self, client: httpx.AsyncClient, store_id: UUID, key: str) -> None:
        self.client, self.key = client, key
        self.path = f"/api/v1/bridge/{store_id}/state"

    async def say(
        self, news: dict[str, Any], *, seconds: int = NOW, signature: str | None = None
    ) -> httpx.Response:
        body = json.dumps(news).encode()
        signed = signature or sign(
            self.key, seconds=seconds, method="PUT", path=self.path, body=body
        )
        return await self.client.put(
            self.path, content=body, headers={HEADER: signed, "Content-Type": "application/json"}
        )


@pytest.fixture
async def hall(sessions: SessionFactory, seal: Seal) -> Hall:
    return await given_hall(sessions, seal=seal)


@pytest.fixture
async def machine(
    sessions: SessionFactory, seal: Seal, clock: FakeClock, hall: Hall
) -> AsyncGenerator[Machine, None]:
    async with transaction(sessions) as tx:
        key = await issue_bridge_key(tx, store_id=hall.store.id, seal=seal, actor=SYSTEM, now=NOON)
    platform = diner_platform(sessions, seal=seal, clock=clock)
    app = create_http_app(
        platform, pages=[], api=api_bridge.route_handlers, state={}, dependencies={}
    )
    edge = Edge(app, settings=platform.settings)  # type: ignore[arg-type]  # Litestar types its own ASGI
    transport = httpx.ASGITransport(app=edge, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield Machine(client, hall.store.id, key)


def news(seq: int, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"seq": seq, "lines": list(lines), **more}


def told(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("code")


async def rows_of(sessions: SessionFactory, sql: str) -> list[tuple[Any, ...]]:
    async with transaction(sessions) as tx:
        return [tuple(row) for row in (await tx.execute(text(sql))).all()]


LINES = "SELECT waiting, called_number, called_desk FROM bridge_lines ORDER BY waiting"


async def test_the_machine_says_its_lines_and_is_given_our_numbers(
    machine: Machine, hall: Hall, sessions: SessionFactory
) -> None:
    [ticket] = await taken(sessions, take(hall.a))
    answer = await machine.say(
        news(
            1, {"code": "A", "waiting": 12, "called": 19, "desk": "3"}, {"code": "Q", "waiting": 1}
        )
    )

    assert answer.status_code == 200, answer.text
    heard = answer.json()
    assert (heard["seq"], heard["is_replay"], heard["unknown_lines"]) == (1, False, ["Q"])
    [number] = heard["tickets"]
    assert (number["ticket_id"], number["code"]) == (str(ticket.ticket_id), "A001")
    assert (number["line"], number["party_size"]) == ("A", 2)
    assert await rows_of(sessions, LINES) == [(12, 19, "3")]


async def test_a_message_counts_once_and_only_the_newest(
    machine: Machine, sessions: SessionFactory
) -> None:
    first = news(5, {"code": "A", "waiting": 5})
    assert told(await machine.say(first)) == (200, None)
    again = await machine.say(first)
    assert (again.status_code, again.json()["is_replay"]) == (200, True)
    other = await machine.say(news(5, {"code": "A", "waiting": 6}))
    assert told(other) == (409, "request.body_differs")
    older = await machine.say(news(4, {"code": "A", "waiting": 7}))
    assert told(older) == (409, "bridge.out_of_order")
    assert older.json()["detail"]["last_seq"] == 5
    assert await rows_of(sessions, LINES) == [(5, None, None)]
    changes = "SELECT count(*) FROM outbox_messages WHERE topic = 'queue.changed'"
    assert await rows_of(sessions, changes) == [(1,)]


@pytest.mark.parametrize(
    "signature",
    ["", "t=1,v1=zz", f"t={NOW},v1={'0' * 64}", f"t={NOW},v1={'0' * 63}", f"v1={'0' * 64}"],
)
async def test_a_wrong_signature_changes_nothing(
    machine: Machine, sessions: SessionFactory, signature: str
) -> None:
    refused = await machine.say(news(1, {"code": "A", "waiting": 5}), signature=signature or "x")

    assert told(refused) == (403, "bridge.signature_wrong")
    assert await rows_of(sessions, LINES) == []


async def test_a_signature_stands_for_one_body_one_store_and_five_minutes(
    machine: Machine, hall: Hall, sessions: SessionFactory, seal: Seal
) -> None:
    body = json.dumps(news(1, {"code": "A", "waiting": 5})).encode()
    good = sign(machine.key, seconds=NOW, method="PUT", path=machine.path, body=body)
    changed = await machine.say(news(1, {"code": "A", "waiting": 6}), signature=good)
    assert told(changed) == (403, "bridge.signature_wrong")

    other = await given_hall(sessions, seal=seal)
    async with transaction(sessions) as tx:
        await issue_bridge_key(tx, store_id=other.store.id, seal=seal, actor=SYSTEM, now=NOON)
    elsewhere = Machine(machine.client, other.store.id, machine.key)
    assert told(await elsewhere.say(news(1))) == (403, "bridge.signature_wrong")
    nowhere = Machine(machine.client, uuid4(), machine.key)
    assert told(await nowhere.say(news(1))) == (404, "bridge.not_found")

    for seconds in (NOW - 301, NOW + 301):
        late = await machine.say(news(1, {"code": "A", "waiting": 5}), seconds=seconds)
        assert told(late) == (403, "bridge.clock_off")
    assert (await machine.say(news(1), seconds=NOW - 300)).status_code == 200
    assert await rows_of(sessions, LINES) == []


async def test_a_new_key_takes_the_place_of_the_old(
    machine: Machine, hall: Hall, sessions: SessionFactory, seal: Seal
) -> None:
    assert (await machine.say(news(1))).status_code == 200
    async with transaction(sessions) as tx:
        fresh = await issue_bridge_key(
            tx, store_id=hall.store.id, seal=seal, actor=SYSTEM, now=NOON
        )
    assert told(await machine.say(news(2))) == (403, "bridge.signature_wrong")
    machine.key = fresh
    assert told(await machine.say(news(1, {"code": "A", "waiting": 1}))) == (
        409,
        "request.body_differs",
    )
    assert (await machine.say(news(2))).status_code == 200

    # A machine that counted as far as one can is heard again with another key.
    assert (await machine.say(news(2**53))).status_code == 200
    async with transaction(sessions) as tx:
        machine.key = await issue_bridge_key(
            tx, store_id=hall.store.id, seal=seal, actor=SYSTEM, now=NOON
        )
    assert (await machine.say(news(2))).status_code == 200


async def test_what_the_machine_does_with_our_number_happens_here(
    machine: Machine, hall: Hall, sessions: SessionFactory
) -> None:
    first, second, third = await taken(sessions, *(take(hall.a) for _ in range(3)))

    def state(seq: int, *statuses: str) -> dict[str, Any]:
        tickets = [
            {"ticket_id": str(one.ticket_id), "status": status}
            | ({"ahead": 7} if status == "waiting" else {"desk": "5"})
            for one, status in zip((first, second, third), statuses, strict=True)
        ]
        return news(seq, tickets=tickets)

    # Out of our order: whose turn it is, the machine decides.
    assert (await machine.say(state(1, "waiting", "called", "waiting"))).json()["refused"] == []
    statuses = "SELECT status, ahead_at_machine FROM tickets ORDER BY number"
    assert await rows_of(sessions, statuses) == [
        ("waiting", 7),
        ("called", None),
        ("waiting", 7),
    ]
    calls = "SELECT payload->>'desk' FROM outbox_messages WHERE topic = 'ticket.called'"
    assert await rows_of(sessions, calls) == [("5",)]
    # The same state under a new number calls nobody again.
    await machine.say(state(2, "waiting", "called", "waiting"))
    assert await rows_of(sessions, calls) == [("5",)]

    await machine.say(state(3, "called", "seated", "cancelled"))
    assert [row[0] for row in await rows_of(sessions, statuses)] == [
        "called",
        "seated",
        "cancelled",
    ]
    back = await machine.say(state(4, "seated", "waiting", "called"))
    assert back.json()["refused"] == [
        {"ticket_id": str(third.ticket_id), "code": "ticket.not_active"}
    ]


async def test_a_number_missed_between_two_messages_is_missed_until_it_comes_back(
    machine: Machine, hall: Hall, sessions: SessionFactory
) -> None:
    [ticket] = await taken(sessions, take(hall.a))
    missed = [{"ticket_id": str(ticket.ticket_id), "status": "skipped"}]
    line = {"code": "A", "waiting": 0, "called": 1, "desk": "4\x00"}
    stands = "SELECT status, ahead_at_machine, (SELECT desk FROM queue_calls) FROM tickets"

    nowhere = (await machine.say(news(1, tickets=missed))).json()
    assert [one["code"] for one in nowhere["refused"]] == ["queue.desk_unreadable"]
    answer = (await machine.say(news(2, line, tickets=missed))).json()
    assert (answer["refused"], answer["tickets"]) == ([], [])
    assert await rows_of(sessions, stands) == [("skipped", None, "4")]
    assert await rows_of(sessions, "SELECT called_desk FROM bridge_lines") == [("4",)]

    # Back in line on the phone: the machine has not heard of it yet and says what it knew.
    await moved(sessions, Verb.RETURN, ticket.ticket_id)
    told_again = (await machine.say(news(3, line, tickets=missed))).json()
    assert [one["ticket_id"] for one in told_again["tickets"]] == [str(ticket.ticket_id)]
    here = [{"ticket_id": str(ticket.ticket_id), "status": "waiting", "ahead": 2}]
    await machine.say(news(4, line, tickets=here))
    assert await rows_of(sessions, "SELECT status, ahead_at_machine FROM tickets") == [
        ("waiting", 2)
    ]
    called = [{"ticket_id": str(ticket.ticket_id), "status": "called"}]
    await machine.say(news(5, line, tickets=called))
    await moved(sessions, Verb.SKIP, ticket.ticket_id)
    assert await rows_of(sessions, "SELECT status FROM tickets") == [("skipped",)]

    # He came to the desk after all: called again and served between two messages.
    served = [{"ticket_id": str(ticket.ticket_id), "status": "seated"}]
    assert (await machine.say(news(6, line, tickets=served))).json()["refused"] == []
    assert await rows_of(sessions, "SELECT status FROM tickets") == [("seated",)]


async def test_whoever_takes_a_number_hears_how_many_wait_at_the_machine(
    machine: Machine, hall: Hall, sessions: SessionFactory
) -> None:
    await taken(sessions, take(hall.a))
    await machine.say(news(1, {"code": "A", "waiting": 12}))
    async with transaction(sessions) as tx:
        joining = await get_queue_state(tx, hall.a, now=NOON)

    first, second, elsewhere = await taken(
        sessions, take(hall.a), take(hall.a), take(hall.b, party_size=3)
    )

    # The twelve there, and one of ours that the machine does not know yet.
    assert joining.parties_ahead == 13
    assert (first.parties_ahead, second.parties_ahead, elsewhere.parties_ahead) == (13, 14, 0)
    assert first.estimate == joining.estimate


async def test_no_clock_of_a_machine_says_when_a_call_was(
    machine: Machine, sessions: SessionFactory
) -> None:
    ends = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2099-01-01T00:00:00Z")
    found = []
    for seq, called_at in enumerate(ends, start=1):
        said = {"code": "A", "waiting": 0, "called": seq, "called_at": called_at}
        assert (await machine.say(news(seq, said))).status_code == 200
        found += await rows_of(sessions, "SELECT called_at FROM bridge_lines")
    assert found == [(NOON - timedelta(days=1),), (NOON,), (NOON,)]


async def test_the_machine_hears_who_left(
    machine: Machine, hall: Hall, sessions: SessionFactory
) -> None:
    [ticket] = await taken(sessions, take(hall.a))
    here = [{"ticket_id": str(ticket.ticket_id), "status": "waiting", "ahead": 3}]
    await machine.say(news(1, tickets=here))
    await moved(sessions, Verb.CANCEL, ticket.ticket_id)

    answer = (await machine.say(news(2, tickets=here))).json()

    assert (answer["tickets"], answer["ended"]) == ([], [str(ticket.ticket_id)])


async def test_another_stores_ticket_is_out_of_reach(
    machine: Machine, sessions: SessionFactory, seal: Seal
) -> None:
    other = await given_hall(sessions, seal=seal)
    [ticket] = await taken(sessions, take(other.a))
    reach = [{"ticket_id": str(ticket.ticket_id), "status": "cancelled"}]

    answer = (await machine.say(news(1, tickets=reach))).json()

    assert answer["refused"] == [{"ticket_id": str(ticket.ticket_id), "code": "ticket.not_found"}]
    assert await rows_of(sessions, "SELECT status FROM tickets") == [(TicketStatus.WAITING,)]


@pytest.mark.parametrize(
    "bad",
    [
        {"seq": 0, "lines": []},
        {"seq": 1},
        {"seq": 1, "lines": [{"code": "a", "waiting": 1}]},
        {"seq": 1, "lines": [{"code": "A", "waiting": -1}]},
        {"seq": 1, "lines": [{"code": "A", "waiting": 1.5}]},
        {"seq": 1, "lines": [{"code": "A", "waiting": 1, "called": 0}]},
        {"seq": 1, "lines": [], "is_admin": True},
        {"seq": 1, "lines": [], "tickets": [{"ticket_id": "x", "status": "called"}]},
        {"seq": 1, "lines": [], "tickets": [{"ticket_id": f"{NOWHERE}", "status": "waiting"}]},
    ],
)
async def test_a_state_that_means_nothing_is_refused(
    machine: Machine, sessions: SessionFactory, bad: dict[str, Any]
) -> None:
    assert (await machine.say(bad)).status_code == 422
    assert await rows_of(sessions, LINES) == []


async def test_people_hear_the_machines_numbers_and_how_old_they_are(
    machine: Machine, hall: Hall, sessions: SessionFactory, clock: FakeClock
) -> None:
    [ticket] = await taken(sessions, take(hall.a))
    said = {"code": "A", "waiting": 12, "called": 19, "desk": "3"}
    await machine.say(news(1, said))
    before = await state_of(sessions, hall, clock)
    [behind] = await taken(sessions, take(hall.a))
    async with transaction(sessions) as tx:
        key = (hall.a, date(2026, 11, 20))
        unknown = (await list_lines(tx, [key], now=clock.now()))[key]
        seen = [
            (await get_ticket(tx, one.ticket_id, now=clock.now())).parties_ahead
            for one in (ticket, behind)
        ]
    # Whom the machine does not know yet stands behind all whom it does: nobody comes too early.
    assert seen == [12, 13]
    assert unknown.places == {ticket.ticket_id: 12, behind.ticket_id: 13}
    soon = [msgspec.structs.replace(one, is_untold=True) for one in unknown.order]
    limits = {"notice_parties": 3, "notice_minutes": 1}
    assert due(soon, model=NO_WAIT_KNOWN, at_machine=unknown.at_machine, **limits) == []
    await moved(sessions, Verb.CANCEL, behind.ticket_id)
    here = {"ticket_id": str(ticket.ticket_id), "status": "waiting", "ahead": 11}
    await machine.say(news(2, said, tickets=[here]))
    after = await state_of(sessions, hall, clock)

    # Not taken in yet, our number waits beside the twelve; then it is one of them.
    assert (before.waiting, after.waiting) == (13, 12)
    assert (after.last_called_code, after.is_machine_silent) == ("A019", False)
    async with transaction(sessions) as tx:
        assert (await get_ticket(tx, ticket.ticket_id, now=clock.now())).parties_ahead == 11
        key = (hall.a, date(2026, 11, 20))
        line = (await list_lines(tx, [key], now=clock.now()))[key]
    # The phone's page and the notices go by the same count: eleven are too many to come now.
    assert line.places == {ticket.ticket_id: 11}
    soon = [msgspec.structs.replace(one, is_untold=True) for one in line.order]
    assert due(soon, model=NO_WAIT_KNOWN, notice_parties=3, notice_minutes=1) == []
    nearer = [msgspec.structs.replace(one, ahead_at_machine=3) for one in soon]
    assert due(nearer, model=NO_WAIT_KNOWN, notice_parties=3, notice_minutes=1) == [
        (ticket.ticket_id, 3)
    ]
    clock.advance(seconds=91)
    silent = await state_of(sessions, hall, clock)
    assert (silent.waiting, silent.is_machine_silent) == (12, True)
    assert silent.machine_heard_at == NOON
    # A machine that was given up yesterday holds nobody back today.
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE bridges SET heard_at = heard_at - interval '1 day'"))
    [another] = await taken(sessions, take(hall.a))
    async with transaction(sessions) as tx:
        line = (await list_lines(tx, [key], now=clock.now()))[key]
        shown = (await get_ticket(tx, another.ticket_id, now=clock.now())).parties_ahead
    assert (another.parties_ahead, line.places[another.ticket_id], shown) == (1, 1, 1)


async def state_of(sessions: SessionFactory, hall: Hall, clock: FakeClock) -> QueueState:
    async with transaction(sessions) as tx:
        return await get_queue_state(tx, hall.a, now=clock.now())
