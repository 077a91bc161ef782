"""The pages about phone, name and cards: the same for everybody, one thing per press."""

import re
from collections.abc import AsyncGenerator

import httpx
import msgspec
import pytest
from sqlalchemy import text

from o2o.crm.members import Member
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.infra.settings import SMSProvider
from o2o.kernel.ids import new_request_id
from o2o.membership.actions.pay_pin import set_pay_pin
from o2o.web.platform import Platform
from tests.factories.diners import DinerSession, client_of, given_diner
from tests.factories.identity import (
    PHONE,
    given_bought_card,
    given_phone,
    last_code,
    member_of,
    status_of,
)
from tests.factories.members import Counter, balance_of, count, given_member
from tests.fakes.clock import FakeClock

NEW_PHONE = "13800010002"


@pytest.fixture
def platform(platform: Platform) -> Platform:
    settings = msgspec.structs.replace(platform.settings, sms_provider=SMSProvider.SANDBOX)
    return msgspec.structs.replace(platform, settings=settings)


@pytest.fixture
async def phone(
    platform: Platform, member: DinerSession
) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with client_of(platform) as client:
        client.cookies.update(member.cookies)
        yield client


@pytest.fixture
async def new_phone(
    platform: Platform, newcomer: DinerSession
) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with client_of(platform) as client:
        client.cookies.update(newcomer.cookies)
        yield client


async def post(
    client: httpx.AsyncClient, diner: DinerSession, page: str, **form: str
) -> httpx.Response:
    return await client.post(f"/h5/{diner.slug}/bind{page}", data={"csrf": diner.csrf, **form})


async def test_a_phone_is_verified_in_two_steps(
    phone: httpx.AsyncClient,
    member: DinerSession,
    counter: Counter,
    sessions: SessionFactory,
    seal: Seal,
) -> None:
    page = (await phone.get(f"/h5/{member.slug}/bind")).text
    assert "获取验证码" in page

    asked = await post(phone, member, "/phone", phone="+86 138 0001 0001")
    assert (asked.status_code, asked.headers["location"]) == (303, f"/h5/{member.slug}/bind/code")
    waiting = (await phone.get(f"/h5/{member.slug}/bind/code")).text
    assert "138****0001" in waiting
    code = (await last_code(sessions, seal)).message.code
    wrong = await post(phone, member, "/code", code="x")
    assert wrong.status_code == 422
    assert "还可以再试 4 次" in wrong.text
    done = await post(phone, member, "/code", code=f" {code} ")

    assert done.headers["location"] == f"/h5/{member.slug}/bind?told=phone"
    page = (await phone.get(done.headers["location"])).text
    assert "138****0001" in page
    assert "已验证" in page
    assert PHONE not in page
    named = await post(phone, member, "/name", name="王小明")
    assert named.headers["location"].endswith("told=named")
    async with sessions() as tx:
        assert (await tx.get_one(Member, counter.member_id)).name == "王小明"


async def test_asking_for_a_code_says_nothing_of_who_has_the_phone(
    phone: httpx.AsyncClient,
    member: DinerSession,
    counter: Counter,
    sessions: SessionFactory,
    clock: FakeClock,
) -> None:
    async with transaction(sessions) as tx:
        other = await given_member(tx, counter.brand)
        await given_phone(tx, counter.brand, other, PHONE)
    known = await post(phone, member, "/phone", phone=PHONE)
    clock.advance(seconds=60)
    unknown = await post(phone, member, "/phone", phone=NEW_PHONE)

    def bare(response: httpx.Response) -> tuple[int, str, str]:
        return response.status_code, response.headers["location"], response.text

    assert bare(known) == bare(unknown)


@pytest.mark.parametrize(
    "typed,status,words",
    [("1380001", 422, "这不像一个手机号"), ("", 422, "这不像一个手机号")],
)
async def test_a_phone_that_is_none_is_said_beside_the_form(
    phone: httpx.AsyncClient,
    member: DinerSession,
    sessions: SessionFactory,
    typed: str,
    status: int,
    words: str,
) -> None:
    refused = await post(phone, member, "/phone", phone=typed)
    assert refused.status_code == status
    assert words in refused.text
    assert await count(sessions, "phone_verifications") == 0


async def test_a_second_code_within_a_minute_waits(
    phone: httpx.AsyncClient, member: DinerSession, sessions: SessionFactory
) -> None:
    await post(phone, member, "/phone", phone=PHONE)
    refused = await post(phone, member, "/phone", phone=PHONE)
    assert refused.status_code == 429
    assert "请过 1 分钟再试" in refused.text
    assert await count(sessions, "phone_verifications") == 1


async def test_what_becomes_one_is_shown_before_and_happens_after_the_yes(
    phone: httpx.AsyncClient,
    member: DinerSession,
    counter: Counter,
    sessions: SessionFactory,
    seal: Seal,
) -> None:
    async with transaction(sessions) as tx:
        bought = await given_bought_card(tx, counter, seal=seal, phone=PHONE, balance_fen=100_000)
        (await tx.get_one(Member, bought)).name = "王小明"
    await post(phone, member, "/phone", phone=PHONE)
    code = (await last_code(sessions, seal)).message.code
    asked = await post(phone, member, "/code", code=code)
    assert asked.headers["location"].endswith("/bind/confirm")

    page = (await phone.get(asked.headers["location"])).text
    assert "王**" in page
    assert "王小明" not in page
    assert "1,100.00" in page
    members = re.search(r'name="members" value="([^"]*)"', page)
    assert members is not None
    assert await status_of(sessions, bought) == ("active", None)
    changed = await post(phone, member, "/confirm", members=str(counter.member_id))
    assert changed.status_code == 409
    garbage = await post(phone, member, "/confirm", members="x,y")
    assert garbage.status_code == 409
    assert await status_of(sessions, bought) == ("active", None)
    done = await post(phone, member, "/confirm", members=members[1])

    assert done.headers["location"].endswith("told=phone_joined")
    assert await balance_of(sessions, counter.member_id) == 110_000
    page = (await phone.get(done.headers["location"])).text
    way = re.search(r'href="(/h5/[^"]*/bind/merges/[^"]*)"', page)
    assert way is not None
    shown = (await phone.get(way[1])).text
    request_id = re.search(r'name="request_id" value="([^"]*)"', shown)
    assert request_id is not None
    for _ in range(2):
        undone = await phone.post(
            f"{way[1]}/undo", data={"csrf": member.csrf, "request_id": request_id[1]}
        )
        assert undone.headers["location"].endswith("told=undone")
    assert await balance_of(sessions, counter.member_id) == 10_000
    assert await balance_of(sessions, bought) == 100_000


async def test_somebody_without_a_card_finds_it_by_phone(
    new_phone: httpx.AsyncClient,
    newcomer: DinerSession,
    counter: Counter,
    sessions: SessionFactory,
    seal: Seal,
) -> None:
    async with transaction(sessions) as tx:
        await given_phone(tx, counter.brand, counter.member_id, PHONE)
    refused = await post(new_phone, newcomer, "/phone", phone=PHONE)
    assert refused.status_code == 422
    agreed = {"membership": "yes", "terms_version": "2026-01"}
    await post(new_phone, newcomer, "/phone", phone=PHONE, **agreed)
    code = (await last_code(sessions, seal)).message.code
    await post(new_phone, newcomer, "/code", code=code)
    page = (await new_phone.get(f"/h5/{newcomer.slug}/bind/confirm")).text
    assert "找到您的会员卡" in page
    done = await post(new_phone, newcomer, "/confirm", members=str(counter.member_id))
    assert done.status_code == 303
    assert await member_of(sessions, newcomer.fan_id) == counter.member_id


@pytest.mark.parametrize("pin,status", [("482913", 303), ("111111", 403)])
async def test_another_phone_needs_the_pin_or_a_code_first(
    phone: httpx.AsyncClient,
    member: DinerSession,
    counter: Counter,
    sessions: SessionFactory,
    clock: FakeClock,
    pin: str,
    status: int,
) -> None:
    async with transaction(sessions) as tx:
        await given_phone(tx, counter.brand, counter.member_id, PHONE)
        await set_pay_pin(tx, member_id=counter.member_id, pin="482913", now=clock.now())
    refused = await post(phone, member, "/phone", phone=NEW_PHONE)
    assert refused.status_code == 403
    assert "请先确认是您本人" in refused.text
    stepped = await post(phone, member, "/change", pay_pin=pin)
    assert stepped.status_code == status
    asked = await post(phone, member, "/phone", phone=NEW_PHONE)
    assert asked.status_code == (303 if status == 303 else 403)


async def test_a_card_is_bound_and_wrong_guesses_stay_counted(
    phone: httpx.AsyncClient,
    member: DinerSession,
    counter: Counter,
    sessions: SessionFactory,
    seal: Seal,
) -> None:
    async with transaction(sessions) as tx:
        await given_bought_card(tx, counter, seal=seal)
    for _ in range(3):
        wrong = await post(phone, member, "/card", card_no="SV00012345", code="WR0NG")
        assert wrong.status_code == 422
        assert "卡号或密码不对" in wrong.text
        assert "WR0NG" not in wrong.text
    done = await post(phone, member, "/card", card_no="sv 00012345", code="abo1cd23")
    assert done.headers["location"].endswith("told=card_joined")
    again = await post(phone, member, "/card", card_no="SV00012345", code="AB01CD23")
    assert again.status_code == 409
    assert "已经绑定在您名下" in again.text
    await post(phone, member, "/card", card_no="NOSUCH", code="x")
    locked = await post(phone, member, "/card", card_no="NOSUCH", code="x")
    assert locked.status_code == 429
    assert "请过 60 分钟再试" in locked.text


async def test_a_lost_card_is_replaced_once_and_only_when_named(
    phone: httpx.AsyncClient, member: DinerSession, counter: Counter, sessions: SessionFactory
) -> None:
    request_id = str(new_request_id())
    unnamed = await post(phone, member, "/lost", request_id=request_id)
    assert unnamed.status_code == 409
    assert "不记名卡不挂失" in unnamed.text
    async with transaction(sessions) as tx:
        await given_phone(tx, counter.brand, counter.member_id, PHONE)
        (await tx.get_one(Member, counter.member_id)).name = "王小明"
    for _ in range(2):
        done = await post(phone, member, "/lost", request_id=request_id)
        assert done.headers["location"].endswith("told=lost")
    assert await count(sessions, "cards", "status = 'lost'") == 1


async def test_a_snapshot_may_look_at_nothing_and_do_nothing(
    platform: Platform, counter: Counter, sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    diner = await given_diner(sessions, counter, seal=seal, clock=clock, is_snapshot=True)
    async with client_of(platform) as client:
        client.cookies.update(diner.cookies)
        assert "完整服务" in (await client.get(f"/h5/{diner.slug}/bind")).text
        posts = {
            "/phone": {"phone": PHONE},
            "/code": {"code": "123456"},
            "/confirm": {"members": ""},
            "/name": {"name": "王小明"},
            "/change": {},
            "/card": {"card_no": "SV00012345", "code": "AB01CD23"},
            "/lost": {"request_id": str(new_request_id())},
            f"/cards/{new_request_id()}/lost": {},
            f"/merges/{new_request_id()}/undo": {"request_id": str(new_request_id())},
        }
        for page, form in posts.items():
            refused = await post(client, diner, page, **form)
            assert refused.status_code == 403, page
            assert "使用完整服务" in refused.text or "snapshot" in refused.text, page
    assert await count(sessions, "phone_verifications") == 0


async def test_nobody_undoes_somebody_elses_merge(
    phone: httpx.AsyncClient, member: DinerSession, counter: Counter, sessions: SessionFactory
) -> None:
    async with transaction(sessions) as tx:
        one = await given_member(tx, counter.brand)
        two = await given_member(tx, counter.brand)
        merge_id = await tx.scalar(
            text(
                "INSERT INTO member_merges (id, request_id, brand_id, from_member_id,"
                " into_member_id, merged_at, merged_by_kind, snapshot)"
                " VALUES (gen_random_uuid(), gen_random_uuid(), :brand, :one, :two, now(), 'x',"
                " '{}') RETURNING id"
            ),
            {"brand": counter.brand.id, "one": one, "two": two},
        )
    refused = await post(
        phone, member, f"/merges/{merge_id}/undo", request_id=str(new_request_id())
    )
    assert refused.status_code == 404
