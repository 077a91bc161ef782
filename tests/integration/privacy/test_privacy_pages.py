"""The diner's pages about money and data: who may, what is asked first, what they answer."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import MemberId, new_id
from o2o.membership.actions.pay_pin import set_pay_pin
from o2o.wechat.spool.erase import erase_from_spool
from o2o.wechat.spool.frames import SpoolRecord, encode_frame
from tests.factories.diners import DinerSession, client_of, diner_platform, given_diner
from tests.factories.members import Counter, balance_of, count
from tests.fakes.clock import FakeClock

PIN = "730914"
PAGES = (
    "wallet",
    "refunds",
    "pass-on",
    "points",
    "pin",
    "privacy",
    "privacy/profile",
    "privacy/export",
    "privacy/delete",
)


@pytest.fixture
async def member(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> DinerSession:
    return await given_diner(sessions, counter, seal=seal, clock=clock)


@pytest.fixture
async def phone(
    sessions: SessionFactory, member: DinerSession, seal: Seal, clock: FakeClock
) -> AsyncGenerator[httpx.AsyncClient, None]:
    platform = diner_platform(sessions, seal=seal, clock=clock)
    async with client_of(platform) as client:
        client.cookies.update(member.cookies)
        yield client


async def send(
    phone: httpx.AsyncClient, member: DinerSession, page: str, **data: str
) -> httpx.Response:
    return await phone.post(f"/h5/{member.slug}/{page}", data={"csrf": member.csrf, **data})


async def test_every_page_opens_for_a_member_and_no_other(
    phone: httpx.AsyncClient,
    member: DinerSession,
    counter: Counter,
    sessions: SessionFactory,
    seal: Seal,
    clock: FakeClock,
) -> None:
    for page in PAGES:
        assert (await phone.get(f"/h5/{member.slug}/{page}")).status_code == 200, page
    stranger = await given_diner(sessions, counter, seal=seal, clock=clock, is_member=False)
    phone.cookies.update(stranger.cookies)
    for page in PAGES:
        status = 200 if page == "privacy" else 303
        assert (await phone.get(f"/h5/{member.slug}/{page}")).status_code == status, page
    assert (await send(phone, stranger, "privacy/delete")).status_code in {403, 422}
    assert await balance_of(sessions, counter.member_id) == 10_000


async def test_deleting_asks_for_the_word_the_person_and_the_money(
    phone: httpx.AsyncClient,
    member: DinerSession,
    sessions: SessionFactory,
    counter: Counter,
    clock: FakeClock,
) -> None:
    sure = {"confirmation": "注销会员", "gives_up": "yes"}
    assert (await send(phone, member, "privacy/delete", gives_up="yes")).status_code == 422
    left = await send(phone, member, "privacy/delete", confirmation="注销会员")
    assert left.status_code == 409
    assert 'data-code="deletion.balance_left"' in left.text
    clock.advance(minutes=11)
    stale = await send(phone, member, "privacy/delete", **sure)
    assert stale.status_code == 403
    assert 'data-code="step_up.needed"' in stale.text
    async with transaction(sessions) as tx:
        await set_pay_pin(tx, member_id=counter.member_id, pin=PIN, now=clock.now())
    wrong = await send(phone, member, "privacy/delete", pay_pin="402817", **sure)
    assert 'data-code="pay_pin.wrong"' in wrong.text
    assert await count(sessions, "members", "pay_pin_failures = 1") == 1
    assert await count(sessions, "members", "status = 'deleted'") == 0

    gone = await send(phone, member, "privacy/delete", pay_pin=PIN, **sure)

    assert gone.status_code == 200
    assert "能认出您的信息都已删除" in gone.text
    assert 'o2o_diner=""' in gone.headers["set-cookie"] or "Max-Age=0" in gone.headers["set-cookie"]
    assert await count(sessions, "members", "status = 'deleted'") == 1
    assert await count(sessions, "fans", f"openid = '{member.openid}'") == 0
    phone.cookies.update(member.cookies)
    again = await phone.get(f"/h5/{member.slug}/card")
    assert again.status_code == 302


async def test_money_is_passed_on_with_the_pin_to_a_member_who_is_there(
    phone: httpx.AsyncClient,
    member: DinerSession,
    sessions: SessionFactory,
    counter: Counter,
    friend: MemberId,
    clock: FakeClock,
) -> None:
    async with transaction(sessions) as tx:
        await set_pay_pin(tx, member_id=counter.member_id, pin=PIN, now=clock.now())
        card_no = await tx.scalar(
            text("SELECT card_no FROM cards WHERE member_id = :id"), {"id": friend}
        )
    asked = {"request_id": str(new_id()), "amount_yuan": "38.5"}
    no_pin = await send(phone, member, "pass-on", receiver=card_no, **asked)
    assert 'data-code="pay_pin.wrong"' in no_pin.text
    nobody = await send(phone, member, "pass-on", receiver="19900000000", pay_pin=PIN, **asked)
    assert 'data-code="pass_on.receiver_unknown"' in nobody.text
    assert await balance_of(sessions, counter.member_id) == 10_000

    done = await send(phone, member, "pass-on", receiver=card_no, pay_pin=PIN, **asked)

    assert done.headers["location"].endswith("pass-on?told=offered")
    assert await balance_of(sessions, counter.member_id) == 6_150
    assert "等待收下" in (await phone.get(f"/h5/{member.slug}/pass-on")).text


async def test_consents_are_withdrawn_as_easily_as_given(
    phone: httpx.AsyncClient, member: DinerSession, sessions: SessionFactory
) -> None:
    for answer, field, marks in (
        ({"marketing": "on"}, "consents", "purpose = 'marketing' AND withdrawn_at IS NULL"),
        ({"profiling": "off"}, "members", "profiling_refused_at IS NOT NULL"),
    ):
        await send(phone, member, "privacy", **answer)
        assert await count(sessions, field, marks) == 1
    await send(phone, member, "privacy", marketing="off")
    await send(phone, member, "privacy", profiling="on")
    assert await count(sessions, "consents", "purpose = 'marketing' AND withdrawn_at IS NULL") == 0
    assert await count(sessions, "members", "profiling_refused_at IS NOT NULL") == 0
    changed = await send(phone, member, "privacy", agree_to="1999-01-01")
    assert changed.status_code == 409


async def test_corrections_are_audited_without_what_they_say(
    phone: httpx.AsyncClient, member: DinerSession, sessions: SessionFactory
) -> None:
    for birthday in ("2999-01-01", "1890-01-01", "x"):
        refused = await send(phone, member, "privacy/profile", name="王一", birthday=birthday)
        assert 'data-code="profile.birthday_unusable"' in refused.text
    endless = await send(phone, member, "privacy/profile", name="王" * 10_000, birthday="")
    assert 'data-code="name.invalid"' in endless.text
    done = await send(phone, member, "privacy/profile", name="王一", birthday="1990-07-04")

    assert done.status_code == 303
    assert await count(sessions, "members", "name = '王一' AND birthday = '1990-07-04'") == 1
    assert await count(sessions, "audit_entries", "action = 'member.corrected'") == 1
    assert await count(sessions, "audit_entries", "detail::text LIKE '%王一%'") == 0


async def test_points_are_given_away_once(
    phone: httpx.AsyncClient, member: DinerSession, sessions: SessionFactory
) -> None:
    asked = {"request_id": str(new_id()), "cause": "school_lunch"}
    for points in ("0", "-1", "1.5", "x", "9999999999"):
        assert (await send(phone, member, "points/donations", points=points, **asked)).is_error
    poor = await send(phone, member, "points/donations", points="10", **asked)
    assert poor.status_code == 409
    assert await count(sessions, "ledger_transfers", "kind = 'points_donated'") == 0


def test_what_the_spool_set_aside_is_forgotten_too(tmp_path: Path) -> None:
    def frame(openid: str) -> bytes:
        return encode_frame(SpoolRecord("a", openid, {"FromUserName": openid}, "1", "n", 1))

    (tmp_path / "1.rejected").write_bytes(frame("oGone") + frame("oStays"))
    (tmp_path / "2.rejected").write_bytes(frame("oGone"))
    (tmp_path / "3.torn").write_bytes(b"..oGone")
    (tmp_path / "4.torn").write_bytes(b"..oStays")

    assert erase_from_spool(tmp_path, ["oGone"]) == 3

    left = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert left == {"1.rejected": frame("oStays"), "4.torn": b"..oStays"}
