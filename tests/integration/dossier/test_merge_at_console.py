"""Merging at the console: a manager's, shown first, with a reason, undone within seven days."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import MemberId, new_request_id
from o2o.membership.actions.pay_pin import set_pay_pin
from tests.factories.members import Counter, balance_of, count, given_balance, given_counter
from tests.factories.members import given_member as given_stranger
from tests.fakes.clock import FakeClock
from tests.integration.dossier.conftest import Console, given_known

PHONE = "13800138765"
PIN = "730914"
WHY = "本人到店，出示两张卡"
_OTHER = re.compile(r'name="other_id" value="([0-9a-f-]{36})"')
_REQUEST = re.compile(r'name="request_id" value="([0-9a-f-]{36})"')
_UNDO = re.compile(r'action="(/console/members/[^"]+/undo)"')
_PIN = text("SELECT pay_pin_hash FROM members WHERE id = :id")


@pytest.fixture
async def twin(sessions: SessionFactory, counter: Counter) -> UUID:
    """The counter's member a second time: joined later, with 30 yuan, known by a phone."""
    async with transaction(sessions) as tx:
        member_id = await given_known(tx, counter.brand, "王小明", phone=PHONE)
        await tx.execute(
            text("UPDATE members SET joined_at = joined_at + interval '1 day' WHERE id = :id"),
            {"id": member_id},
        )
        await given_balance(tx, MemberId(member_id), counter.store.id, principal_fen=3_000)
    return member_id


async def test_a_manager_sees_both_gives_a_reason_and_can_take_it_back(
    console: Console, counter: Counter, twin: UUID, sessions: SessionFactory
) -> None:
    manager = await console(StaffRoleName.MANAGER)
    # From the page of the one who goes: who joined first stays, whichever way it is asked.
    await manager.see(f"/console/members/{twin}")
    async with transaction(sessions) as tx:
        card_no = await tx.scalar(
            text("SELECT card_no FROM cards WHERE member_id = :id"), {"id": counter.member_id}
        )
    shown = await manager.send(f"/console/members/{twin}/merges/preview", other=card_no)
    assert shown.status_code == 200
    assert "130.00" in re.sub(r"<[^>]+>", "", shown.text)
    assert PHONE not in shown.text
    assert await count(sessions, "member_merges") == 0

    [other], [request_id] = _OTHER.findall(shown.text), _REQUEST.findall(shown.text)
    asked = {"other_id": other, "request_id": request_id}
    refused = await manager.send(f"/console/members/{twin}/merges", **asked, reason=" 同 ")
    assert (refused.status_code, "请写明原因" in refused.text) == (422, True)
    assert await count(sessions, "member_merges") == 0

    done = await manager.send(f"/console/members/{twin}/merges", **asked, reason=WHY)
    again = await manager.send(f"/console/members/{twin}/merges", **asked, reason=WHY)
    kept = f"/console/members/{counter.member_id}"
    assert [answer.headers["location"] for answer in (done, again)] == [f"{kept}?done=merged"] * 2
    assert await balance_of(sessions, counter.member_id) == 13_000
    why = f"action = 'merge.made_at_console' AND detail->>'reason' = '{WHY}'"
    assert await count(sessions, "audit_entries", why) == 1

    page = await manager.see(f"{kept}?done=merged")
    assert "已合并成一位会员" in page.text
    [undo] = _UNDO.findall(page.text)
    asked = {"request_id": str(new_request_id()), "reason": "认错了人，不是同一位"}
    parted = await manager.send(undo, **asked)
    assert parted.headers["location"] == f"{kept}?done=unmerged"
    assert await balance_of(sessions, MemberId(twin)) == 3_000
    assert await balance_of(sessions, counter.member_id) == 10_000
    assert await count(sessions, "audit_entries", "action = 'merge.undone_at_console'") == 1


async def test_nobody_else_may_and_nothing_moves(
    console: Console, counter: Counter, twin: UUID, sessions: SessionFactory
) -> None:
    member = f"/console/members/{counter.member_id}"
    for role in (StaffRoleName.SERVICE, StaffRoleName.FINANCE):
        browser = await console(role)
        page = await browser.see(member)
        assert f"{member}/merges" not in page.text
        for path, fields in (
            (f"{member}/merges/preview", {"other": PHONE}),
            (f"{member}/merges", {"other_id": twin, "request_id": new_request_id()}),
        ):
            answer = await browser.post(
                path, **fields, **({} if "other" in fields else {"reason": WHY})
            )
            assert (answer.status_code, answer.json()["code"]) == (403, "staff.role_missing")
    assert await count(sessions, "member_merges") == 0


async def test_another_brands_member_is_nobody(
    console: Console, counter: Counter, sessions: SessionFactory, seal: Seal
) -> None:
    elsewhere = await given_counter(sessions, seal=seal)
    async with transaction(sessions) as tx:
        stranger = await given_stranger(tx, elsewhere.brand)
    manager = await console(StaffRoleName.MANAGER)
    await manager.see(f"/console/members/{counter.member_id}")
    asked = {"request_id": new_request_id(), "reason": WHY}
    for one, other in (
        (counter.member_id, stranger),
        (stranger, counter.member_id),
        (stranger, elsewhere.member_id),
        (counter.member_id, counter.member_id),
    ):
        answer = await manager.post(f"/console/members/{one}/merges", other_id=other, **asked)
        assert answer.status_code in {404, 409}, (one, other)
    assert await count(sessions, "member_merges") == 0


async def test_after_seven_days_it_stays(
    console: Console, counter: Counter, twin: UUID, sessions: SessionFactory, clock: FakeClock
) -> None:
    manager = await console(StaffRoleName.MANAGER)
    kept = f"/console/members/{counter.member_id}"
    await manager.see(kept)
    asked = {"other_id": twin, "request_id": new_request_id(), "reason": WHY}
    assert (await manager.post(f"{kept}/merges", **asked)).status_code == 200
    [undo] = _UNDO.findall((await manager.see(kept)).text)
    clock.advance(seconds=timedelta(days=7).total_seconds())
    manager = await console(StaffRoleName.MANAGER)
    assert _UNDO.findall((await manager.see(kept)).text) == []
    late = await manager.post(undo, request_id=new_request_id(), reason=WHY)
    assert (late.status_code, late.json()["code"]) == (410, "merge.too_old")
    assert await balance_of(sessions, counter.member_id) == 13_000


async def test_a_pay_pin_goes_along_and_comes_back(
    console: Console, counter: Counter, twin: UUID, sessions: SessionFactory, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        await set_pay_pin(tx, member_id=twin, pin=PIN, now=clock.now())
        chosen = await tx.scalar(_PIN, {"id": twin})
    manager = await console(StaffRoleName.MANAGER)
    kept = f"/console/members/{counter.member_id}"
    await manager.see(kept)
    asked = {"other_id": twin, "request_id": new_request_id(), "reason": WHY}
    assert (await manager.post(f"{kept}/merges", **asked)).status_code == 200
    async with transaction(sessions) as tx:
        assert await tx.scalar(_PIN, {"id": counter.member_id}) == chosen
    [undo] = _UNDO.findall((await manager.see(kept)).text)
    await manager.post(undo, request_id=new_request_id(), reason=WHY)
    async with transaction(sessions) as tx:
        assert await tx.scalar(_PIN, {"id": counter.member_id}) is None
        assert await tx.scalar(_PIN, {"id": twin}) == chosen
