"""A restaurant and a hall that answer in chat, people who write to them, and desks that call."""

import secrets
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text

from o2o.crm.organisation import Brand, OfficialAccount, Store
from o2o.crm.queueing import Queue, QueueSettings
from o2o.crm.statuses import QueueKind, QueueStatus, TicketSource
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.logging import configure_logging
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.queueing import chat
from o2o.queueing.actions.call_next import CallNext, call_next
from o2o.queueing.actions.take_tickets import TakenTicket, TakeTicket, take_tickets
from o2o.wechat.services import WeChatServices
from tests.factories.members import given_fan, given_member
from tests.factories.organisation import given_account, given_brand, given_store
from tests.factories.wechat import WORDS, Pusher, running_services, text_fields
from tests.fakes.clock import NOON, FakeClock

URL = "http://127.0.0.1:8000"
EVERY_DAY = {day: [["08:30", "21:30"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
# Letter, name, English name, smallest and largest party, minutes per party.
CLASSES = (
    ("A", "小桌", "Small table", 1, 2, 6),
    ("B", "中桌", "Medium table", 3, 4, 10),
    ("C", "大桌", "Large table", 5, 10, 20),
)
LINES = (
    ("A", "开户", "New accounts", 1, 5, 6),
    ("B", "缴费", "Payments", 1, 5, 2),
)
ONE_LINE = LINES[:1]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A store and its queues by letter."""

    store: Store
    queues: dict[str, UUID]


class House(msgspec.Struct, frozen=True, kw_only=True):
    """A brand with one account that answers."""

    brand: Brand
    account: OfficialAccount
    pusher: Pusher


@pytest.fixture(scope="session", autouse=True)
def _logging() -> None:
    configure_logging(as_json=True)


@pytest.fixture
async def services(
    sessions: SessionFactory, seal: Seal, clock: FakeClock, tmp_path: Path
) -> AsyncGenerator[WeChatServices, None]:
    async with running_services(
        sessions=sessions, seal=seal, clock=clock, data_dir=tmp_path, public_url=URL
    ) as services:
        chat.register(services.router, words=WORDS, public_url=URL)
        yield services


async def given_house(
    sessions: SessionFactory, services: WeChatServices, *, seal: Seal, word: str, clock: FakeClock
) -> House:
    """A brand whose places are called `word`."""
    async with transaction(sessions) as tx:
        brand = await given_brand(tx)
        account = await given_account(tx, brand, seal=seal)
        account.place_word = word
    await services.accounts.refresh()
    pusher = Pusher(services, await services.accounts.get(account.slug), clock)
    return House(brand=brand, account=account, pusher=pusher)


@pytest.fixture
async def restaurant(
    sessions: SessionFactory, services: WeChatServices, seal: Seal, clock: FakeClock
) -> House:
    return await given_house(sessions, services, seal=seal, word="门店", clock=clock)


@pytest.fixture
async def hall(
    sessions: SessionFactory, services: WeChatServices, seal: Seal, clock: FakeClock
) -> House:
    return await given_house(sessions, services, seal=seal, word="营业厅", clock=clock)


async def given_place(
    sessions: SessionFactory,
    house: House,
    queues: Any,
    *,
    name: str = "小灶静安寺店",
    at: tuple[float, float] = (31.2236, 121.4458),
    **settings: Any,
) -> Place:
    """A store of the house that is open from half past eight to half past nine every day."""
    async with transaction(sessions) as tx:
        store = await given_store(tx, house.brand, house.account, name=name)
        store.hours = EVERY_DAY
        store.latitude, store.longitude = at
        tx.add(QueueSettings(store_id=store.id, changed_at=NOON, **settings))
        found = {}
        for rank, (code, line, line_en, least, most, minutes) in enumerate(queues):
            found[code] = new_id()
            tx.add(
                Queue(
                    id=found[code],
                    store_id=store.id,
                    kind=QueueKind.TABLE_CLASS if "桌" in line else QueueKind.SERVICE_LINE,
                    code=code,
                    name=line,
                    name_en=line_en,
                    party_size_min=least,
                    party_size_max=most,
                    status=QueueStatus.OPEN,
                    servers=1,
                    minutes_per_party=minutes,
                    rank=rank,
                    changed_at=NOON,
                    created_at=NOON,
                )
            )
    return Place(store=store, queues=found)


async def given_waiting(
    sessions: SessionFactory, queue_id: UUID, *sizes: int, clock: FakeClock
) -> list[TakenTicket]:
    """Parties of these sizes that took numbers at the pad."""
    async with transaction(sessions) as tx:
        taken = await take_tickets(
            tx,
            [
                TakeTicket(
                    request_id=new_id(),
                    queue_id=queue_id,
                    party_size=size,
                    source=TicketSource.PAD,
                    now=clock.now(),
                )
                for size in sizes
            ],
        )
    assert all(isinstance(one, TakenTicket) for one in taken), taken
    return [one for one in taken if isinstance(one, TakenTicket)]


async def given_call(
    sessions: SessionFactory, queue_id: UUID, *, clock: FakeClock, desk: str = "3"
) -> Any:
    """The next party is called."""
    async with transaction(sessions) as tx:
        [called] = await call_next(
            tx,
            [
                CallNext(
                    request_id=new_id(),
                    queue_ids=(queue_id,),
                    desk=desk,
                    now=clock.now(),
                )
            ],
        )
    assert not isinstance(called, Exception), called
    return called


async def set_status(
    sessions: SessionFactory, place: Place, status: QueueStatus, *letters: str
) -> None:
    """Pause, close or open queues of a store; all of them where none is named."""
    async with transaction(sessions) as tx:
        for letter in letters or place.queues:
            queue = await tx.get_one(Queue, place.queues[letter])
            queue.status = status


class Person:
    """Somebody who follows the account."""

    def __init__(self, house: House, openid: str, *, member_id: UUID | None) -> None:
        self.house = house
        self.openid = openid
        self.member_id = member_id

    async def say(self, content: str, *, msg_id: int | None = None) -> str | None:
        """Write, and return what is answered."""
        return await self.house.pusher.ask(self.fields(content, msg_id=msg_id))

    def fields(self, content: str, *, msg_id: int | None = None) -> dict[str, Any]:
        """What WeChat sends when this is written."""
        return text_fields(
            self.house.pusher.account, openid=self.openid, content=content, msg_id=msg_id
        )

    async def speak(self, recognised: str) -> str | None:
        """Say something aloud, and return what is answered to what was understood."""
        return await self._send(MsgType="voice", MediaId="m", Format="amr", Recognition=recognised)

    async def send_place(self, latitude: object, longitude: object) -> str | None:
        """Send a place, and return what is answered."""
        return await self._send(
            MsgType="location",
            Location_X=str(latitude),
            Location_Y=str(longitude),
            Scale="16",
            Label="",
        )

    async def _send(self, **fields: str) -> str | None:
        account = self.house.pusher.account
        return await self.house.pusher.ask(
            {
                "ToUserName": account.original_id,
                "FromUserName": self.openid,
                "CreateTime": "1763611200",
                "MsgId": str(secrets.randbits(62)),
                **fields,
            }
        )


async def given_person(
    sessions: SessionFactory, house: House, *, is_member: bool = False
) -> Person:
    """Somebody who follows the account, with or without a card."""
    async with transaction(sessions) as tx:
        member_id = await given_member(tx, house.brand) if is_member else None
        fan = await given_fan(tx, house.account, member_id=member_id)
        return Person(house, fan.openid, member_id=member_id)


async def rows(sessions: SessionFactory, statement: str, **values: Any) -> list[Any]:
    """What a statement returns, as committed."""
    async with transaction(sessions) as tx:
        return list((await tx.execute(text(statement), values)).all())


async def change(sessions: SessionFactory, statement: str) -> None:
    """Change rows as nothing of ours would."""
    async with transaction(sessions) as tx:
        await tx.execute(text(statement))


async def tickets(sessions: SessionFactory, openid: str) -> list[tuple[Any, ...]]:
    """Number, size, status, priority and source of somebody's tickets, oldest first."""
    found = await rows(
        sessions,
        "SELECT q.code || lpad(t.number::text, 3, '0'), t.party_size, t.status, t.priority,"
        " t.source FROM tickets t JOIN queues q ON q.id = t.queue_id"
        " JOIN fans f ON f.id = t.fan_id WHERE f.openid = :openid ORDER BY t.taken_at, t.id",
        openid=openid,
    )
    return [tuple(row) for row in found]
