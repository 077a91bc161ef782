"""The API of queues: shapes, scopes, repeats, refusals, and other brands' things."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import pytest

from o2o.app.http import create_http_app
from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.queueing.desk_work import Queues
from o2o.queueing.web import api_queues, api_tickets
from o2o.staff.actions.issue_api_key import issue_api_key
from o2o.web.edge import Edge
from tests.factories.members import given_member
from tests.factories.pads import counter_platform
from tests.factories.queues import Hall, given_hall
from tests.fakes.clock import NOON, FakeClock

Client = Callable[..., httpx.AsyncClient]
BASE = "http://127.0.0.1:8000/api/v1"


@pytest.fixture
async def client(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> AsyncGenerator[Client, None]:
    """Clients of the real routes, each with a key of its own."""
    platform = counter_platform(sessions, seal=seal, clock=clock)
    app = create_http_app(
        platform,
        pages=[],
        api=[*api_queues.route_handlers, *api_tickets.route_handlers],
        state={},
        dependencies={"queues": Queues(sessions=sessions)},
    )
    edge = Edge(app, settings=platform.settings)  # type: ignore[arg-type]  # Litestar types its own ASGI
    transport = httpx.ASGITransport(app=edge, raise_app_exceptions=False)
    opened: list[httpx.AsyncClient] = []

    def open_client(token: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"}
        opened.append(httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers))
        return opened[-1]

    yield open_client
    for one in opened:
        await one.aclose()


async def key_of(
    sessions: SessionFactory, seal: Seal, hall: Hall, *scopes: str, is_of_group: bool = False
) -> str:
    async with transaction(sessions) as tx:
        issued = await issue_api_key(
            tx,
            seal=seal,
            brand_id=None if is_of_group else hall.brand.id,
            name="hall system",
            scopes=scopes or ("queues:read", "queues:write"),
            unattended_debit_fen_max=0,
            actor=SYSTEM,
            now=NOON,
        )
    return issued.token


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_an_evening_over_the_api(
    sessions: SessionFactory, seal: Seal, client: Client
) -> None:
    hall = await given_hall(sessions, seal=seal)
    http = client(await key_of(sessions, seal, hall))
    wish = {"request_id": str(new_id()), "party_size": 2}

    first = await http.post(f"/queues/{hall.a}/tickets", json=wish)
    again = await http.post(f"/queues/{hall.a}/tickets", json=wish)
    differs = await http.post(f"/queues/{hall.a}/tickets", json={**wish, "party_size": 1})

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    taken = first.json()
    assert (taken["code"], taken["number"], taken["parties_ahead"]) == ("A001", 1, 0)
    assert taken["wait"] == {"low_seconds": 0, "median_seconds": 0, "high_seconds": 0}
    assert refused(differs) == (409, "request.body_differs")

    call = {"request_id": str(new_id()), "desk": "3"}
    called = await http.post(f"/queues/{hall.a}/calls", json=call)
    repeated = await http.post(f"/queues/{hall.a}/calls", json=call)
    empty = await http.post(f"/queues/{hall.a}/calls", json={**call, "request_id": str(new_id())})

    assert (called.status_code, repeated.status_code) == (201, 200)
    assert called.json() == repeated.json()
    assert (called.json()["code"], called.json()["desk"]) == ("A001", "3")
    assert refused(empty) == (409, "queue.empty")

    async def move(verb: str, **fields: Any) -> httpx.Response:
        body = {"request_id": str(new_id()), **fields}
        return await http.post(f"/tickets/{taken['ticket_id']}/{verb}", json=body)

    statuses = [
        (await move(verb)).json()["status"] for verb in ("recall", "skip", "return", "cancel")
    ]
    assert statuses == ["called", "skipped", "waiting", "cancelled"]
    assert refused(await move("seat")) == (409, "ticket.not_active")
    assert (await move("dance")).status_code == 404

    stands = (await http.get(f"/tickets/{taken['ticket_id']}")).json()
    assert (stands["status"], stands["desk"], stands["parties_ahead"]) == ("cancelled", "3", None)
    listed = (await http.get(f"/stores/{hall.store.id}/queues")).json()
    assert [(q["code"], q["waiting"], q["last_called"]) for q in listed["queues"]] == [
        ("A", 0, "A001"),
        ("B", 0, None),
        ("C", 0, None),
    ]


async def test_what_makes_no_sense_is_refused_by_name(
    sessions: SessionFactory, seal: Seal, client: Client
) -> None:
    hall = await given_hall(sessions, seal=seal)
    async with transaction(sessions) as tx:
        member_id = await given_member(tx, hall.brand)
    http = client(await key_of(sessions, seal, hall))

    async def take(**fields: Any) -> httpx.Response:
        body = {"request_id": str(new_id()), "party_size": 2, **fields}
        return await http.post(f"/queues/{hall.a}/tickets", json=body)

    for party_size in (0, -1, 999, 2**40):
        answer = await take(party_size=party_size)
        assert refused(answer) == (422, "queue.party_size_out_of_range")
        assert answer.json()["detail"] == {"party_size_min": 1, "party_size_max": 2}
    for odd in ("２", 2.5, None, True):
        assert (await take(party_size=odd)).status_code in {400, 422}
    assert (await take(colour="red")).status_code in {400, 422}
    assert refused(await take(request_id=str(new_id())[:-1] + "x"))[0] in {400, 422}
    assert refused(await take(request_id="00000000-0000-0000-0000-000000000000")) == (
        422,
        "request.invalid",
    )
    assert refused(await take(member_id=str(new_id()))) == (404, "member.not_found")
    assert (await take(member_id=str(member_id))).status_code == 201
    twice = await take(member_id=str(member_id))
    assert refused(twice) == (409, "ticket.already_active")
    assert twice.json()["detail"]["number"] == "A001"
    call = {"request_id": str(new_id()), "desk": "\u200b"}
    unreadable = await http.post(f"/queues/{hall.a}/calls", json=call)
    assert refused(unreadable) == (422, "queue.desk_unreadable")


async def test_keys_reach_their_own_brand_and_do_what_their_scopes_say(
    sessions: SessionFactory, seal: Seal, client: Client
) -> None:
    hall = await given_hall(sessions, seal=seal)
    other = await given_hall(sessions, seal=seal)
    own = client(await key_of(sessions, seal, hall))
    wish = {"request_id": str(new_id()), "party_size": 2}
    taken = (await own.post(f"/queues/{hall.a}/tickets", json=wish)).json()
    last = {"request_id": str(new_id()), "desk": "1"}
    other_wish = {"request_id": str(new_id()), "party_size": 3}
    assert (await own.post(f"/queues/{hall.b}/tickets", json=other_wish)).status_code == 201
    assert (await own.post(f"/queues/{hall.b}/calls", json=last)).status_code == 201

    stranger = client(await key_of(sessions, seal, other))
    ticket, fresh = taken["ticket_id"], {"request_id": str(new_id())}
    for answer, code in (
        (await stranger.get(f"/stores/{hall.store.id}/queues"), "store.not_found"),
        (await stranger.post(f"/queues/{hall.a}/tickets", json=wish), "queue.not_found"),
        # What was answered to the owner, sent again word for word.
        (await stranger.post(f"/queues/{hall.b}/calls", json=last), "queue.not_found"),
        (
            await stranger.post(f"/queues/{hall.a}/calls", json={**fresh, "desk": "1"}),
            "queue.not_found",
        ),
        (await stranger.get(f"/tickets/{ticket}"), "ticket.not_found"),
        (await stranger.post(f"/tickets/{ticket}/cancel", json=fresh), "ticket.not_found"),
        (
            await stranger.post(
                f"/tickets/{ticket}/transfer", json={**fresh, "queue_id": str(hall.b)}
            ),
            "ticket.not_found",
        ),
    ):
        assert refused(answer) == (404, code)

    group = client(await key_of(sessions, seal, hall, is_of_group=True))
    assert (await group.get(f"/tickets/{ticket}")).json()["status"] == "waiting"
    moved = await group.post(f"/tickets/{ticket}/transfer", json={**fresh, "queue_id": str(hall.b)})
    assert (moved.status_code, moved.json()["code"]) == (201, "B002")

    reader = client(await key_of(sessions, seal, hall, "queues:read"))
    assert (await reader.get(f"/stores/{hall.store.id}/queues")).status_code == 200
    assert refused(await reader.post(f"/queues/{hall.a}/tickets", json=wish)) == (
        403,
        "api_key.scope_missing",
    )
    nobody = client("o2o_nothing")
    assert refused(await nobody.get(f"/tickets/{ticket}")) == (401, "api_key.invalid")
