"""Shifts: sums that are the ledger's to the fen, a count that is explained and confirmed."""

import asyncio
import re
from uuid import UUID

import pytest

from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_request_id
from o2o.membership.actions.run_shifts import hand_over_shift, open_shift
from o2o.membership.queries.shifts import find_live_shift, sum_counted
from o2o.membership.scanners import AtPad
from o2o.web.platform import Platform
from tests.factories.members import Counter, count
from tests.factories.pads import Browser, browser_of, signed_in_at
from tests.factories.staff import given_staff
from tests.fakes.clock import FakeClock


async def top_up(pad: Browser, visit_id: UUID, counter: Counter, yuan: str, tender: str) -> str:
    answer = await pad.post(
        f"/pad/visits/{visit_id}/top-ups",
        request_id=new_request_id(),
        member_id=counter.member_id,
        principal_yuan=yuan,
        tender=tender,
    )
    return str(answer.json()["transfer_id"])


async def undo(pad: Browser, transfer_id: str) -> None:
    path = f"/pad/receipts/{transfer_id}/undo"
    answer = await pad.post(path, request_id=new_request_id(), reason="金额输错了")
    assert answer.status_code == 200, answer.text


async def hand_over(pad: Browser, counted: str, **fields: object) -> object:
    page = (await pad.see("/pad/shift")).text
    [shift_id] = re.findall(r"/pad/shifts/([0-9a-f-]{36})/handover", page)
    [seen] = re.findall(r'name="seen_fen" value="(-?\d+)"', page)
    asked = {"seen_fen": seen, "counted_yuan": counted, **fields}
    answer = await pad.post(f"/pad/shifts/{shift_id}/handover", **asked)
    return answer.json().get("code") or answer.json()["next"]


async def test_the_sums_are_the_ledgers_and_the_next_shift_begins_with_what_is_left(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    await top_up(pad, visit_id, counter, "300", "cash")
    await top_up(pad, visit_id, counter, "50", "bank_card")
    await undo(pad, await top_up(pad, visit_id, counter, "20", "cash"))
    charge = (await pad.charge(visit_id, counter.member_id, "38.50")).json()["transfer_id"]
    await pad.charge(visit_id, counter.member_id, "11.50")
    await undo(pad, charge)

    off = await hand_over(pad, "299")
    assert off == "shift.difference_unexplained"
    assert await count(sessions, "shift_movements") == 0
    assert (
        await hand_over(pad, "299", reason="找零", removed_yuan="300") == "shift.removed_too_much"
    )
    report = str(await hand_over(pad, "299", reason="找零", removed_yuan="200", n10000="2"))
    for words in ("交班单", "300.00", "−", "299.00", "找零", "99.00"):
        assert words in (await pad.see(report)).text

    async with transaction(sessions) as tx:
        [shift_id] = re.findall(r"[0-9a-f-]{36}", report)
        sums = await sum_counted(tx, [UUID(shift_id)])
    assert sums.cash_fen == 30_000
    assert sums.charged_fen == 1_150
    # Every movement at the pad and nothing else: the fixture's opening money has no visit.
    at_pads = "kind IN ('debit', 'top_up', 'debit_reversed', 'top_up_reversed')"
    moved = await count(sessions, "ledger_transfers", f"{at_pads} AND visit_id IS NOT NULL")
    undone = await count(sessions, "counter_undos")
    assert await count(sessions, "shift_movements") == moved + undone == 7

    waiting = await pad.see("/pad/scan")
    assert (waiting.status_code, waiting.headers["location"]) == (303, "/pad/shift")
    assert "99.00" in (await pad.see("/pad/shift")).text
    confirmed = await pad.post(f"/pad/shifts/{shift_id}/confirm")
    assert confirmed.json()["next"] == "/pad/scan"
    again = await pad.post(f"/pad/shifts/{shift_id}/confirm")
    assert again.json()["code"] == "shift.not_counted"
    async with transaction(sessions) as tx:
        live = await find_live_shift(tx, pad_id=counter.pad.pad_id)
    assert live is not None
    assert (live.float_fen, str(live.status)) == (9_900, "open")


async def test_what_comes_late_is_counted_once_in_the_next_shift(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    await top_up(pad, visit_id, counter, "10", "cash")
    await hand_over(pad, "10")
    await top_up(pad, visit_id, counter, "5", "cash")
    async with transaction(sessions) as tx:
        shift = await find_live_shift(tx, pad_id=counter.pad.pad_id)
    assert shift is not None
    await pad.post(f"/pad/shifts/{shift.id}/confirm")
    assert await hand_over(pad, "15") != "shift.difference_unexplained"
    assert await count(sessions, "shift_movements") == 2
    assert await count(sessions, "shifts", "expected_fen = 1500") == 1


async def test_money_that_moves_during_the_count_is_noticed(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter, clock: FakeClock
) -> None:
    page = (await pad.see("/pad/shift")).text
    [shift_id] = re.findall(r"/pad/shifts/([0-9a-f-]{36})/handover", page)
    await top_up(pad, visit_id, counter, "10", "cash")
    answer = await pad.post(f"/pad/shifts/{shift_id}/handover", seen_fen=0, counted_yuan="0")
    assert (answer.status_code, answer.json()["code"]) == (409, "shift.count_moved")
    assert await count(sessions, "shifts", "status = 'open'") == 1


async def test_one_pad_has_one_shift_whoever_opens_and_ends_it_at_once(
    sessions: SessionFactory, counter: Counter, clock: FakeClock
) -> None:
    async def begin(by: AtPad) -> UUID:
        async with transaction(sessions) as tx:
            return (await open_shift(tx, by=by, now=clock.now())).id

    ids = await asyncio.gather(*(begin(counter.pad) for _ in range(6)))
    assert len(set(ids)) == 1

    async def end() -> str:
        try:
            async with transaction(sessions) as tx:
                shift_id = ids[0]
                await hand_over_shift(
                    tx,
                    shift_id=shift_id,
                    by=counter.pad,
                    seen_fen=0,
                    counted_fen=0,
                    now=clock.now(),
                )
        except Exception as error:  # noqa: BLE001 - told by its name
            return type(error).__name__
        return "ended"

    assert sorted(await asyncio.gather(*(end() for _ in range(4)))) == [
        "ShiftNotOpen",
        "ShiftNotOpen",
        "ShiftNotOpen",
        "ended",
    ]


@pytest.fixture
async def manager_pad(
    platform: Platform, sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> Browser:
    async with transaction(sessions) as tx:
        staff_id = await given_staff(
            tx, counter.brand, role=StaffRoleName.MANAGER, store_id=counter.store.id
        )
    by = AtPad(
        pad_id=counter.near_pad.pad_id,
        store_id=counter.store.id,
        staff_id=staff_id,
        brand_id=counter.brand.id,
    )
    browser = browser_of(platform)
    await browser.become(await signed_in_at(by, sessions, seal=seal, clock=clock))
    return browser


async def test_a_manager_closes_the_day_when_all_have_counted(
    pad: Browser, manager_pad: Browser, sessions: SessionFactory, counter: Counter
) -> None:
    page = (await manager_pad.see("/pad/day")).text
    [day] = re.findall(r'name="business_on" value="([0-9-]+)"', page)
    close = {"business_on": day}
    assert (await pad.post("/pad/day/close", **close)).json()["code"] == "staff.role_missing"
    waits = await manager_pad.post("/pad/day/close", **close)
    assert waits.json()["code"] == "day.has_open_shifts"
    await hand_over(pad, "0")
    await hand_over(manager_pad, "0")
    assert (await manager_pad.post("/pad/day/close", **close)).status_code == 200
    assert (await manager_pad.post("/pad/day/close", **close)).json()["code"] == "day.closed"
    assert "已日结" in (await manager_pad.see("/pad/day")).text
    # Whoever works on belongs to the next day.
    async with transaction(sessions) as tx:
        shift = await find_live_shift(tx, pad_id=counter.pad.pad_id)
    assert shift is not None
    await pad.post(f"/pad/shifts/{shift.id}/confirm")
    assert await count(sessions, "shifts", f"business_on > '{day}'") == 1
    await manager_pad.client.aclose()


async def test_another_stores_shift_is_nobodys_here(
    pad: Browser, far_pad: Browser, sessions: SessionFactory, counter: Counter
) -> None:
    async with transaction(sessions) as tx:
        shift = await find_live_shift(tx, pad_id=counter.pad.pad_id)
    assert shift is not None
    assert (await far_pad.see(f"/pad/shifts/{shift.id}")).status_code == 404
    path = f"/pad/shifts/{shift.id}/handover"
    answer = await far_pad.post(path, seen_fen=0, counted_yuan="0")
    assert answer.json()["code"] == "shift.not_open"


async def test_the_days_list_is_narrowed_and_stays_in_the_store(
    pad: Browser, far_pad: Browser, visit_id: UUID, counter: Counter
) -> None:
    await top_up(pad, visit_id, counter, "77.70", "cash")
    await pad.charge(visit_id, counter.member_id, "12.34")
    everything = (await pad.see("/pad/day")).text
    assert "77.70" in everything
    assert "12.34" in everything
    assert "77.70" not in (await pad.see("/pad/day?only=charges")).text
    assert "12.34" not in (await far_pad.see("/pad/day?pad=all")).text
    assert (await pad.see("/pad/day?on=nonsense&only=x&pad=y")).status_code == 200
