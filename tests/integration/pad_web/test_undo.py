"""Undoing at the pad: the own work of ten minutes, later a manager's PIN; once, whoever tries."""

import asyncio
from uuid import UUID

import pytest

from o2o.crm.statuses import StaffRoleName
from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_request_id
from o2o.membership.actions.merge_members import merge_members
from o2o.web.platform import Platform
from tests.factories.members import Counter, balance_of, count, given_member
from tests.factories.packages import given_package
from tests.factories.pads import Browser, browser_of, signed_in_at
from tests.factories.staff import PIN, given_staff
from tests.fakes.clock import FakeClock

WHY = "金额输错了"


async def charged(pad: Browser, visit_id: UUID, counter: Counter, yuan: str = "38.50") -> str:
    answer = await pad.charge(visit_id, counter.member_id, yuan)
    return str(answer.json()["transfer_id"])


async def undo(pad: Browser, transfer_id: str, **fields: object) -> object:
    asked = {"request_id": new_request_id(), "reason": WHY, **fields}
    answer = await pad.post(f"/pad/receipts/{transfer_id}/undo", **asked)
    return answer.json().get("code") or answer.json()["next"]


@pytest.fixture
async def manager(sessions: SessionFactory, counter: Counter) -> str:
    async with transaction(sessions) as tx:
        await given_staff(
            tx,
            counter.brand,
            role=StaffRoleName.MANAGER,
            store_id=counter.store.id,
            login="manager-here",
        )
    return "manager-here"


async def test_the_clerk_takes_a_charge_back_and_the_receipts_say_so(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    transfer_id = await charged(pad, visit_id, counter)
    request_id = new_request_id()
    undone = str(await undo(pad, transfer_id, request_id=request_id))
    assert await balance_of(sessions, counter.member_id) == 10_000
    assert await undo(pad, transfer_id, request_id=request_id) == undone
    for page, word in ((undone, "扣款已撤销"), (f"/pad/receipts/{transfer_id}", "已撤销")):
        shown = (await pad.see(page)).text
        assert word in shown
        assert "38.50" in shown
        assert WHY in shown
    assert await undo(pad, transfer_id) == "ledger.already_reversed"
    assert await count(sessions, "ledger_transfers", "kind = 'debit_reversed'") == 1
    assert await count(sessions, "audit_entries", "action = 'debit.undone'") == 1


async def test_who_became_another_member_meanwhile_still_has_a_receipt_to_undo_from(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter, clock: FakeClock
) -> None:
    transfer_id = await charged(pad, visit_id, counter)
    async with transaction(sessions) as tx:
        survivor = await given_member(tx, counter.brand)
        await merge_members(
            tx,
            request_id=new_request_id(),
            from_member_id=counter.member_id,
            into_member_id=survivor,
            by=SYSTEM,
            now=clock.now(),
        )
    assert "38.50" in (await pad.see(f"/pad/receipts/{transfer_id}")).text
    undone = str(await undo(pad, transfer_id))
    assert "扣款已撤销" in (await pad.see(undone)).text
    assert await balance_of(sessions, survivor) == 10_000


async def test_without_a_reason_nothing_is_undone(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    transfer_id = await charged(pad, visit_id, counter)
    assert await undo(pad, transfer_id, reason=" ") == "undo.reason_missing"
    assert await balance_of(sessions, counter.member_id) == 6_150


async def test_after_ten_minutes_a_manager_has_to_say_so(
    pad: Browser,
    visit_id: UUID,
    sessions: SessionFactory,
    counter: Counter,
    seal: Seal,
    clock: FakeClock,
    manager: str,
) -> None:
    transfer_id = await charged(pad, visit_id, counter)
    clock.advance(minutes=10)
    await pad.become(await signed_in_at(counter.pad, sessions, seal=seal, clock=clock))
    assert await undo(pad, transfer_id) == "undo.manager_needed"
    wrong = await undo(pad, transfer_id, manager=manager, manager_pin="000000")
    assert wrong == "undo.manager_refused"
    assert await balance_of(sessions, counter.member_id) == 6_150
    await undo(pad, transfer_id, manager=manager, manager_pin=PIN)
    assert await balance_of(sessions, counter.member_id) == 10_000
    assert await count(sessions, "counter_undos", "approved_by IS NOT NULL") == 1


async def test_a_clerks_pin_is_no_managers(
    pad: Browser,
    visit_id: UUID,
    sessions: SessionFactory,
    counter: Counter,
    seal: Seal,
    clock: FakeClock,
) -> None:
    async with transaction(sessions) as tx:
        await given_staff(tx, counter.brand, store_id=counter.store.id, login="clerk-two")
    transfer_id = await charged(pad, visit_id, counter)
    clock.advance(minutes=10)
    await pad.become(await signed_in_at(counter.pad, sessions, seal=seal, clock=clock))
    refused = await undo(pad, transfer_id, manager="clerk-two", manager_pin=PIN)
    assert refused == "undo.manager_refused"
    assert await balance_of(sessions, counter.member_id) == 6_150


async def test_another_stores_pad_undoes_nothing(
    pad: Browser, far_pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    transfer_id = await charged(pad, visit_id, counter)
    assert await undo(far_pad, transfer_id) == "ledger.transfer_not_found"
    assert await balance_of(sessions, counter.member_id) == 6_150


async def test_two_pads_at_once_undo_once(
    pad: Browser,
    platform: Platform,
    visit_id: UUID,
    sessions: SessionFactory,
    counter: Counter,
    seal: Seal,
    clock: FakeClock,
) -> None:
    transfer_id = await charged(pad, visit_id, counter)
    near = browser_of(platform)
    await near.become(await signed_in_at(counter.near_pad, sessions, seal=seal, clock=clock))
    answers = await asyncio.gather(*(undo(one, transfer_id) for one in (pad, near, pad, near)))
    await near.client.aclose()
    assert sum(str(answer).startswith("/pad/receipts/") for answer in answers) == 1
    assert answers.count("ledger.already_reversed") == 3
    assert await balance_of(sessions, counter.member_id) == 10_000


async def test_a_top_up_goes_back_whole_with_its_points_or_not_at_all(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    async with transaction(sessions) as tx:
        package_id = await given_package(tx, counter.brand.id, bonus_points=30)
    fields = {"member_id": counter.member_id, "package_id": package_id, "tender": "cash"}
    path = f"/pad/visits/{visit_id}/top-ups"
    first = await pad.post(path, request_id=new_request_id(), **fields)
    await undo(pad, first.json()["transfer_id"])
    assert await balance_of(sessions, counter.member_id) == 10_000
    assert await count(sessions, "ledger_transfers", "kind = 'points_earned_reversed'") == 1

    second = await pad.post(path, request_id=new_request_id(), **fields)
    await charged(pad, visit_id, counter, "150")
    assert await undo(pad, second.json()["transfer_id"]) == "ledger.already_spent"
    assert await balance_of(sessions, counter.member_id) == 17_000


async def test_a_second_print_says_that_it_is_one(
    pad: Browser, far_pad: Browser, visit_id: UUID, counter: Counter
) -> None:
    path = f"/pad/receipts/{await charged(pad, visit_id, counter)}"
    assert "data-copy-mark hidden" in (await pad.see(path)).text
    assert (await pad.post(f"{path}/prints")).json()["prints"] == 1
    assert "data-copy-mark hidden" not in (await pad.see(path)).text
    assert (await pad.post(f"{path}/prints")).json()["prints"] == 2
    assert (await far_pad.post(f"{path}/prints")).json()["code"] == "receipt.not_found"
