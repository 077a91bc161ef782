"""The diner's queue pages: taking by page and door, the own number and nobody else's, leaving."""

from collections.abc import AsyncGenerator
from uuid import UUID

import httpx
import msgspec
import pytest
from sqlalchemy import text

from o2o.app.http import create_http_app
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.queueing.actions.move_tickets import Verb
from o2o.queueing.desk_work import Queues
from o2o.queueing.queries.doors import get_door
from o2o.queueing.web import diner as queue_pages
from o2o.queueing.web.doors import door_path, paper_path
from o2o.web.edge import Edge
from tests.factories.diners import BASE_URL, DinerSession, diner_platform, given_diner
from tests.factories.members import count
from tests.factories.queues import Hall, called, given_hall, given_machine, moved, take, taken
from tests.fakes.clock import FakeClock


class Phone(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's browser in a hall's account."""

    hall: Hall
    client: httpx.AsyncClient
    session: DinerSession
    seal: Seal
    sessions: SessionFactory

    async def get(self, page: str) -> httpx.Response:
        return await self.client.get(f"/h5/{self.session.slug}/{page}")

    async def post(self, page: str, **fields: object) -> httpx.Response:
        form = {"csrf": self.session.csrf, "request_id": str(new_id()), **fields}
        return await self.client.post(f"/h5/{self.session.slug}/{page}", data=form)

    async def take(self, **fields: object) -> httpx.Response:
        form = {"store_id": str(self.hall.store.id), "party_size": "2", **fields}
        return await self.post("queue", **form)

    async def door(self) -> str:
        async with self.sessions() as tx:
            door = await get_door(tx, self.hall.store.id, brand_id=self.hall.brand.id)
        return door_path(self.seal, door).rsplit("door=", 1)[1]


@pytest.fixture
async def phones(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> AsyncGenerator[list[Phone], None]:
    """Two people's phones; the store takes numbers from 500 metres at most."""
    hall = await given_hall(sessions, seal=seal, distance_m_max=500)
    platform = diner_platform(sessions, seal=seal, clock=clock)
    app = create_http_app(
        platform,
        pages=queue_pages.route_handlers,
        api=[],
        state={},
        dependencies={"queues": Queues(sessions=sessions)},
    )
    edge = Edge(app, settings=platform.settings)  # type: ignore[arg-type]  # Litestar types its own ASGI
    found = []
    for _ in range(2):
        session = await given_diner(sessions, hall, seal=seal, clock=clock, is_member=False)  # type: ignore[arg-type]  # needs the account alone
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=edge, raise_app_exceptions=False),
            base_url=BASE_URL,
            cookies=session.cookies,
        )
        phone = Phone(hall=hall, client=client, session=session, seal=seal, sessions=sessions)
        found.append(phone)
    yield found
    for phone in found:
        await phone.client.aclose()


def ticket_of(answer: httpx.Response) -> UUID:
    assert answer.status_code == 303, answer.text[-2000:]
    return UUID(answer.headers["location"].rsplit("/", 1)[1])


async def test_the_door_proves_presence_and_a_number_has_its_own_page(
    phones: list[Phone],
) -> None:
    phone, other = phones
    code = await phone.door()
    page = await phone.get(f"queue?store={phone.hall.store.id}&door={code}")
    assert page.status_code == 200
    assert "已确认您在店门口" in page.text
    assert f'name="door" value="{code}"' in page.text

    ticket_id = ticket_of(await phone.take(door=code))
    shown = await phone.get(f"tickets/{ticket_id}")
    assert shown.status_code == 200
    assert "A001" in shown.text
    assert "下一桌就是您" in shown.text
    assert (await other.get(f"tickets/{ticket_id}")).status_code == 404
    assert (await other.post(f"tickets/{ticket_id}/cancel")).status_code == 404
    assert await count(phone.sessions, "tickets", "status = 'waiting' AND source = 'door'") == 1
    # Own numbers stand on top of the queue page.
    assert "A001" in (await phone.get("queue")).text
    assert "A001" not in (await other.get("queue")).text


async def test_a_forged_code_takes_no_number(
    phones: list[Phone], seal: Seal, sessions: SessionFactory
) -> None:
    phone = phones[0]
    code = await phone.door()
    other = await given_hall(sessions, seal=seal)
    async with sessions() as tx:
        door = await get_door(tx, other.store.id, brand_id=other.brand.id)
    forged = [
        code[:-1] + ("A" if code[-1] != "A" else "B"),
        ("A" if code[0] != "A" else "B") + code[1:],
        code[:-1],
        "A" * 40,
        # Good, but at another door.
        door_path(seal, door).rsplit("door=", 1)[1],
    ]

    for bad in forged:
        answer = await phone.take(door=bad)
        page = await phone.get(f"queue?store={phone.hall.store.id}&door={bad}")
        assert (answer.status_code, page.status_code) == (403, 403), bad
        assert "已确认您在店门口" not in page.text
    assert await count(phone.sessions, "tickets", "true") == 0


async def test_a_code_of_an_earlier_print_says_so(phones: list[Phone]) -> None:
    phone = phones[0]
    code = await phone.door()
    async with transaction(phone.sessions) as tx:
        await tx.execute(text("UPDATE queue_settings SET door_edition = 2"))

    answer = await phone.take(door=code)

    scanned = await phone.get(f"queue?store={phone.hall.store.id}&door={code}")
    for page in (answer, scanned):
        assert page.status_code == 410
        assert "门口的二维码已经换新" in page.text
        assert "在下面选好就能取号" in page.text
        # The form below does not send the old code again.
        assert 'name="door" value=""' in page.text
    assert await count(phone.sessions, "tickets", "true") == 0
    ticket_of(await phone.take(door=await phone.door()))


async def test_from_afar_one_has_to_be_near(phones: list[Phone]) -> None:
    phone = phones[0]
    store = phone.hall.store
    nowhere = await phone.take()
    far = await phone.take(latitude=str(store.latitude + 0.05), longitude=str(store.longitude))
    nonsense = await phone.take(latitude="NaN", longitude="Infinity")
    assert [a.status_code for a in (nowhere, far, nonsense)] == [422, 422, 422]
    assert await count(phone.sessions, "tickets", "true") == 0

    near = await phone.take(latitude=str(store.latitude + 0.001), longitude=str(store.longitude))
    ticket_of(near)
    assert await count(phone.sessions, "tickets", "source = 'page' AND travel_seconds > 60") == 1


async def test_a_party_of_no_size_takes_no_number(phones: list[Phone]) -> None:
    phone = phones[0]
    door = await phone.door()
    answers = [
        await phone.take(party_size=size, door=door) for size in ("0", "999", "-1", "two", "")
    ]
    assert [answer.status_code for answer in answers] == [422] * 5
    assert await count(phone.sessions, "tickets", "true") == 0


async def test_a_second_number_leads_to_the_first_and_a_second_tap_is_the_same(
    phones: list[Phone],
) -> None:
    phone = phones[0]
    code, request_id = await phone.door(), str(new_id())
    first = ticket_of(await phone.take(door=code, request_id=request_id))
    again = ticket_of(await phone.take(door=code, request_id=request_id))
    second = ticket_of(await phone.take(door=code, party_size="4"))

    assert {first, again, second} == {first}
    assert await count(phone.sessions, "tickets", "true") == 1
    # Who has a number is shown the way to it, not a form that would be refused.
    page = await phone.get(f"queue?store={phone.hall.store.id}")
    assert "您在这家店已有号码" in page.text
    assert "data-take" not in page.text


async def test_missed_returned_cancelled_by_the_link_with_a_question(
    phones: list[Phone],
) -> None:
    phone = phones[0]
    ticket_id = ticket_of(await phone.take(door=await phone.door()))
    await called(phone.sessions, phone.hall.a, desk="3")
    assert "请到 3 号台入座" in (await phone.get(f"tickets/{ticket_id}")).text
    await moved(phone.sessions, Verb.SKIP, ticket_id)
    assert "回到队列" in (await phone.get(f"tickets/{ticket_id}")).text
    assert (await phone.post(f"tickets/{ticket_id}/return")).status_code == 303
    await called(phone.sessions, phone.hall.a)
    await moved(phone.sessions, Verb.SKIP, ticket_id)
    page = await phone.get(f"tickets/{ticket_id}")
    assert "这个号不能再回到队列了" in page.text
    # Not the end of the way: a new number is one tap away, at the same store.
    assert "重新取号" in page.text
    assert f"queue?store={phone.hall.store.id}" in page.text
    assert (await phone.post(f"tickets/{ticket_id}/return")).status_code == 409

    # A link is followed by machines, too: nothing happens before the button.
    asked = await phone.get(f"tickets/{ticket_id}/cancel")
    assert "确定取消 A001" in asked.text
    assert await count(phone.sessions, "tickets", "status = 'skipped'") == 1
    assert (await phone.post(f"tickets/{ticket_id}/cancel")).status_code == 303
    assert "已取消" in (await phone.get(f"tickets/{ticket_id}")).text
    assert await count(phone.sessions, "ticket_moves", "move = 'cancelled'") == 1


async def test_a_paper_number_goes_onto_one_phone(phones: list[Phone], seal: Seal) -> None:
    phone, other = phones
    [paper] = await taken(phone.sessions, take(phone.hall.a))
    page = paper_path(seal, account_slug=phone.session.slug, ticket_id=paper.ticket_id)
    page = page.split("/", 3)[3]
    assert "放进我的手机" in (await phone.get(page)).text

    assert ticket_of(await phone.post(page)) == paper.ticket_id
    assert ticket_of(await phone.post(page)) == paper.ticket_id
    assert (await phone.get(page)).status_code == 303
    assert (await other.post(page)).status_code == 409
    assert "已在别人的手机里" in (await other.get(page)).text
    assert (await phone.get(f"tickets/{paper.ticket_id}")).status_code == 200
    assert (await other.get(f"tickets/{paper.ticket_id}")).status_code == 404
    forged = page[:-1] + ("A" if page[-1] != "A" else "B")
    assert (await other.post(forged)).status_code == 403
    owner = f"fan_id = '{phone.session.fan_id}'"
    assert await count(phone.sessions, "tickets", owner) == 1


async def test_whoever_has_a_number_puts_no_paper_beside_it(
    phones: list[Phone], seal: Seal
) -> None:
    phone = phones[0]
    mine = ticket_of(await phone.take(door=await phone.door()))
    [paper] = await taken(phone.sessions, take(phone.hall.a))
    page = paper_path(seal, account_slug=phone.session.slug, ticket_id=paper.ticket_id)

    assert ticket_of(await phone.post(page.split("/", 3)[3])) == mine
    assert await count(phone.sessions, "tickets", "fan_id IS NULL") == 1


async def test_phones_are_told_since_when_the_halls_machine_is_away(
    phones: list[Phone], sessions: SessionFactory, clock: FakeClock
) -> None:
    phone, other = phones
    [ticket] = await taken(sessions, take(phone.hall.a, fan_id=phone.session.fan_id))
    await given_machine(sessions, phone.hall, seal=phone.seal, waiting=12)

    async def are_told() -> list[bool]:
        pages = [
            await phone.get(f"tickets/{ticket.ticket_id}"),
            await other.get(f"queue?store={phone.hall.store.id}"),
        ]
        return ["叫号机暂时联系不上，以上是 今天 12:00 的情况" in page.text for page in pages]

    assert await are_told() == [False, False]
    clock.advance(seconds=91)
    assert await are_told() == [True, True]
