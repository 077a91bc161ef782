"""What happens around an import: readings that die, whose stores, rows whose time is over."""

import pytest
from sqlalchemy import text

from o2o.crm.statuses import ImportStatus, StaffRoleName
from o2o.infra.database import SessionFactory, transaction
from o2o.membership.actions.import_confirm import withdraw_import
from o2o.membership.actions.import_empty import KEPT, empty_imports
from o2o.membership.actions.import_stage import begin_check, keep_progress
from o2o.membership.errors_imports import ImportNotReady
from tests.factories.imports import Office, cards, refusal_of
from tests.factories.members import count
from tests.factories.staff import given_staff
from tests.fakes.clock import FakeClock

GOOD = "A0001,ab-1O,张三,13800000001,100.50,20,30,2023/1/5"
BARE = "A0002,,,,1000,,,"


async def test_a_reading_that_died_begins_anew_once_it_has_been_silent(
    office: Office, sessions: SessionFactory, clock: FakeClock
) -> None:
    received = await office.bring(cards(GOOD))
    async with transaction(sessions) as tx:
        _, staged = await begin_check(tx, received.import_id, now=clock.now())
    assert await office.runner().run_until_idle() == 0
    clock.advance(minutes=1)
    assert await office.runner().run_until_idle() == 1
    assert (await office.see(received.import_id)).row_count == 1
    # The one that was only slow finds that the file is another's now.
    with pytest.raises(ImportNotReady):
        async with transaction(sessions) as tx:
            await keep_progress(tx, received.import_id, staged, now=clock.now())


async def test_stores_and_tiers_are_found_by_code_or_name_within_ones_reach(
    office: Office, sessions: SessionFactory
) -> None:
    async with transaction(sessions) as tx:
        manager = await given_staff(
            tx, office.brand, role=StaffRoleName.MANAGER, store_id=office.store.id
        )
        await tx.execute(
            text(
                "INSERT INTO stores SELECT gen_random_uuid(), brand_id, account_id, 'far', '远店',"
                " city, district, address, latitude, longitude, phone, hours, timezone, created_at"
                " FROM stores WHERE id = :id"
            ),
            {"id": office.store.id},
        )
    content = cards(
        "A0001,普通会员,小灶静安寺店",
        "A0002,BASIC,远店",
        "A0003,,",
        "A0004,金卡,没有这家",
        head="卡号,等级,门店",
    )
    for by, faults in (
        (office.marketer, [(4, "store_missing"), (5, "tier_unknown"), (5, "store_unknown")]),
        (
            manager,
            [
                (3, "store_not_yours"),
                (4, "store_missing"),
                (5, "tier_unknown"),
                (5, "store_unknown"),
            ],
        ),
    ):
        one = await office.checked(content, by=by, store_id=None)
        assert await office.codes(one) == faults
        async with transaction(sessions) as tx:
            await withdraw_import(
                tx, import_id=one.id, brand_id=office.brand_id, by=by, now=office.clock.now()
            )
    async with transaction(sessions) as tx:
        nobody = await given_staff(tx, office.brand, role=StaffRoleName.CLERK)
    assert await refusal_of(office.bring(content, by=nobody)) == "staff.role_missing"


async def test_rows_are_deleted_when_their_time_is_over(
    office: Office, sessions: SessionFactory, clock: FakeClock
) -> None:
    done = await office.checked(cards(GOOD, "A0009,,,1,,,,"))
    await office.confirm(done, skips_faulty=True)
    await office.runner().run_until_idle()
    forgotten = await office.checked(cards(BARE))
    clock.advance(seconds=int(KEPT.total_seconds()) + 1)
    async with transaction(sessions) as tx:
        await empty_imports(tx, clock.now())
    assert (await office.see(forgotten.id)).status is ImportStatus.WITHDRAWN
    assert await count(sessions, "import_card_rows") == 1
    clock.advance(seconds=int(KEPT.total_seconds()) + 1)
    async with transaction(sessions) as tx:
        await empty_imports(tx, clock.now())
    assert await count(sessions, "import_card_rows") == 0
    assert await count(sessions, "import_faults") == 0
    assert await refusal_of(office.bring(cards(GOOD, "A0009,,,1,,,,"))) == "import.already_done"
    assert await count(sessions, "members") == 1
