"""Cards carried over in two lanes: kept in turn, undone together, overtaken by others."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from o2o.crm.statuses import ImportStatus
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.locks import try_lock_name
from o2o.ledger.verify import verify_ledger
from o2o.membership import import_runner
from o2o.membership.actions import import_carry
from o2o.membership.actions.import_carry import Overtaken, carry_stretch, plan_lanes
from o2o.membership.actions.import_carry_cards import Stretch
from o2o.membership.errors_imports import ImportNotReady
from tests.factories.imports import Office, cards, many_cards
from tests.factories.members import count

AT_ONCE = 3
PHONE = "13900000001"


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_carry, "CARDS_AT_ONCE", AT_ONCE)


async def given_confirmed(office: Office, rows: int = 2 * AT_ONCE) -> UUID:
    one = await office.checked(cards(*many_cards(rows)))
    await office.confirm(one)
    return one.id


async def planned(office: Office, import_id: UUID) -> list[Stretch]:
    async with transaction(office.sessions) as tx:
        return await plan_lanes(tx, import_id, now=office.clock.now()) or []


async def at_once() -> None:
    """A turn that is ours already."""


async def test_lanes_share_the_rows_and_leave_none_out(
    office: Office, sessions: SessionFactory
) -> None:
    import_id = await given_confirmed(office, 20)
    lasts = [4, 7, 10, 13, 16, 19, 21]
    assert await planned(office, import_id) == [
        Stretch(cursor, last) for cursor, last in zip([0, *lasts], lasts, strict=False)
    ]

    carried = await office.runner().carry(import_id)

    assert carried is not None
    assert (carried.done_count, carried.left_out_count, carried.is_done) == (20, 0, True)
    for table in ("members", "cards", "offline_cards"):
        assert await count(sessions, table) == 20
    assert (await verify_ledger(sessions)).is_sound


async def test_a_lane_whose_predecessor_fails_keeps_nothing(
    office: Office, sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await given_confirmed(office)
    real = carry_stretch

    async def fail_in_the_first(*args: object, lane: int, **more: object) -> object:
        if lane == 0:
            raise ZeroDivisionError
        return await real(*args, lane=lane, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(import_runner, "carry_stretch", fail_in_the_first)
    with pytest.raises(ZeroDivisionError):
        await office.runner().carry(import_id)

    assert (await office.see(import_id)).done_count == 0
    assert await count(sessions, "members") == 0
    assert await count(sessions, "ledger_transfers") == 0


async def test_a_lane_that_fails_takes_none_of_those_before_it_along(
    office: Office, sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await given_confirmed(office, 7 * AT_ONCE)
    lasts = [stretch.last for stretch in await planned(office, import_id)]
    assert len(lasts) == 7
    real = carry_stretch
    begun: list[tuple[int, int]] = []

    async def fail_in_the_fourth(
        tx: object, one: object, stretch: Stretch, *, lane: int, **more: object
    ) -> object:
        begun.append((lasts.index(stretch.last), lane))
        if stretch.last == lasts[3]:
            raise ZeroDivisionError
        return await real(tx, one, stretch, lane=lane, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(import_runner, "carry_stretch", fail_in_the_fourth)
    with pytest.raises(ZeroDivisionError):
        await office.runner().carry(import_id)

    # Two at once, and behind one that failed nothing is begun that could not be kept.
    assert begun == [(0, 0), (1, 1), (2, 0), (3, 1)]
    assert (await office.see(import_id)).done_count == 3 * AT_ONCE
    assert await count(sessions, "members") == 3 * AT_ONCE
    assert (await verify_ledger(sessions)).is_sound
    monkeypatch.setattr(import_runner, "carry_stretch", real)
    carried = await office.runner().carry(import_id)
    assert carried is not None
    assert (carried.done_count, carried.is_done) == (7 * AT_ONCE, True)


async def test_who_is_told_to_stop_stops_in_both_lanes_and_another_goes_on(
    office: Office, sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await given_confirmed(office, 5 * AT_ONCE)
    lasts = [stretch.last for stretch in await planned(office, import_id)]
    real = carry_stretch
    ended: list[int] = []
    both_hang = asyncio.Barrier(3)

    async def hang_from_the_third(
        tx: object, one: object, stretch: Stretch, *, lane: int, **more: object
    ) -> object:
        try:
            if stretch.last >= lasts[2]:
                await both_hang.wait()
                await asyncio.Event().wait()
            return await real(tx, one, stretch, lane=lane, **more)  # type: ignore[arg-type]
        finally:
            ended.append(lasts.index(stretch.last))

    monkeypatch.setattr(import_runner, "carry_stretch", hang_from_the_third)
    work = asyncio.create_task(office.runner().carry(import_id))
    await asyncio.wait_for(both_hang.wait(), timeout=30)
    work.cancel()
    await asyncio.wait([work], timeout=30)

    assert work.cancelled()
    assert sorted(ended) == [0, 1, 2, 3]
    assert (await office.see(import_id)).done_count == 2 * AT_ONCE
    assert await count(sessions, "members") == 2 * AT_ONCE
    monkeypatch.setattr(import_runner, "carry_stretch", real)
    carried = await office.runner().carry(import_id)
    assert carried is not None
    assert (carried.done_count, carried.is_done) == (5 * AT_ONCE, True)


async def test_lanes_share_a_few_card_numbers_without_waiting_for_each_other(
    office: Office, sessions: SessionFactory
) -> None:
    # Of a hundred numbers the lanes have fifty each: alike, they would draw some twice.
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE brands SET card_prefix = '6660123456789'"))
    import_id = await given_confirmed(office, 12 * AT_ONCE)

    carried = await office.runner().carry(import_id)

    assert carried is not None
    assert (carried.done_count, carried.is_done) == (12 * AT_ONCE, True)
    assert await count(sessions, "cards") == 12 * AT_ONCE


async def test_a_stretch_behind_the_cursor_of_another_keeps_nothing(
    office: Office, sessions: SessionFactory
) -> None:
    import_id = await given_confirmed(office)
    _, second = await planned(office, import_id)

    with pytest.raises(ImportNotReady):
        # The first stretch was never kept: this one would leave a hole.
        async with transaction(sessions) as tx:
            await carry_stretch(tx, import_id, second, lane=1, turn=at_once, now=office.clock.now())

    assert await count(sessions, "members") == 0


async def test_a_lane_that_another_process_has_is_not_entered(
    office: Office, sessions: SessionFactory
) -> None:
    import_id = await given_confirmed(office)
    async with transaction(sessions) as tx:
        assert await try_lock_name(tx, f"import:{import_id}:0")
        with pytest.raises(ImportNotReady):
            await office.runner().carry(import_id)

    assert await count(sessions, "members") == 0


async def test_a_phone_that_somebody_got_meanwhile_is_left_out_and_told(
    office: Office, sessions: SessionFactory
) -> None:
    one = await office.checked(
        cards(f"A0001,,王雨,{PHONE},10,2,3,", *many_cards(2 * AT_ONCE, first=10))
    )
    await office.confirm(one)
    first, _, _ = await planned(office, one.id)

    async def somebody_else_comes() -> None:
        async with transaction(sessions) as tx:
            await tx.execute(
                text(
                    "INSERT INTO members (id, brand_id, tier_id, status, phone, joined_at)"
                    " SELECT gen_random_uuid(), brand_id, id, 'active', :phone, now() FROM tiers"
                    " WHERE brand_id = :brand_id LIMIT 1"
                ),
                {"phone": PHONE, "brand_id": office.brand.id},
            )

    with pytest.raises(Overtaken):
        async with transaction(sessions) as tx:
            await carry_stretch(
                tx, one.id, first, lane=0, turn=somebody_else_comes, now=office.clock.now()
            )
    assert await count(sessions, "offline_cards") == 0

    await office.runner().carry(one.id)
    assert await office.codes(await office.see(one.id)) == [(2, "phone_exists")]
    assert await count(sessions, "offline_cards") == 2 * AT_ONCE


async def test_two_files_at_once_make_one_member_of_a_phone(
    office: Office, sessions: SessionFactory
) -> None:
    files = [
        await office.checked(
            cards(f"{name}0001,,王雨,{PHONE},10,2,3,", *many_cards(5, first=first))
        )
        for name, first in (("A", 100), ("B", 200))
    ]
    for one in files:
        await office.confirm(one)

    await asyncio.gather(*(office.runner().carry(one.id) for one in files))

    seen = [await office.see(one.id) for one in files]
    assert [one.status for one in seen] == [ImportStatus.DONE] * 2
    assert sorted(one.left_out_count for one in seen) == [0, 1]
    async with transaction(sessions) as tx:
        of_phone = await tx.scalar(
            text("SELECT count(*) FROM members WHERE phone = :phone"), {"phone": PHONE}
        )
    assert of_phone == 1
    assert (await verify_ledger(sessions)).is_sound
