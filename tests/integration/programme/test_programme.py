"""Rules, tiers, packages and the end: saved by whoever may, over what was seen, and noted."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text

from o2o.crm.statuses import Tender
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import StoreId, new_id, new_request_id
from o2o.ledger.events import StoredValueDebited
from o2o.membership.actions.edit_packages import (
    PackageEdit,
    change_package,
    move_package,
    offer_package,
    withdraw_package,
)
from o2o.membership.actions.edit_tiers import edit_tiers, raise_next_members
from o2o.membership.actions.end_programme import approve_end, propose_end, reject_end
from o2o.membership.actions.set_programme import set_programme
from o2o.membership.errors_programme import (
    EndingAlreadyProposed,
    OwnProposal,
    PackageGone,
    ProgrammeChangedMeanwhile,
    ProgrammeEnded,
    ProgrammeOutOfRange,
    TierNotFound,
)
from o2o.membership.queries.effects import PointsRate, get_package_effect, get_points_effect
from o2o.membership.queries.programmes import get_programme, list_packages
from o2o.membership.rules.programme import PackageDraft, ProgrammeSettings, TierDraft
from o2o.membership.till import Till
from o2o.stores.errors import StoreNotFound
from o2o.stores.queries import list_tiers
from o2o.web.errors import RoleMissing
from tests.factories.members import Counter, balance_of, count, given_counter
from tests.factories.programme import People, brand_of, charge, given_tiers, reverse, tier_of
from tests.fakes.clock import NOON, FakeClock

SETTINGS = ProgrammeSettings(
    draw_order="principal_first",
    points_per_yuan=3,
    points_valid_months=None,
    joining_points=10,
    visit_points=2,
    no_pin_fen_max=10_000,
    no_pin_daily_fen_max=50_000,
)
PACKAGE = PackageDraft(
    name="充500送60",
    principal_fen=50_000,
    bonus_fen=6_000,
    bonus_points=0,
    store_id=None,
    starts_at=None,
    ends_at=None,
)


async def save(
    sessions: SessionFactory, at: Counter, by: UUID, *, version: int = 1, **changes: Any
) -> None:
    async with transaction(sessions) as tx:
        await set_programme(
            tx,
            msgspec.structs.replace(SETTINGS, **changes),
            brand_id=brand_of(at),
            version=version,
            staff_id=by,
            now=NOON,
        )


async def test_rules_are_saved_once_over_what_was_seen(
    sessions: SessionFactory, counter: Counter, people: People
) -> None:
    for person in (people.manager, people.finance, people.agent, new_id()):
        with pytest.raises(RoleMissing):
            await save(sessions, counter, person)
    with pytest.raises(ProgrammeOutOfRange):
        await save(sessions, counter, people.marketer, points_per_yuan=1001)
    both = [save(sessions, counter, people.marketer, points_per_yuan=n) for n in (3, 4)]
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["NoneType", "ProgrammeChangedMeanwhile"]
    async with sessions() as tx:
        rules = await get_programme(tx, brand_of(counter))
        [noted] = (
            await tx.execute(
                text("SELECT detail FROM audit_entries WHERE action = 'programme.set'")
            )
        ).scalars()
    assert (rules.version, rules.points_valid_months, rules.joining_points) == (2, None, 10)
    assert noted["before"]["points_per_yuan"] == 1
    assert noted["after"]["points_per_yuan"] == rules.points_per_yuan


async def test_packages_are_versions_in_an_order(
    sessions: SessionFactory, counter: Counter, people: People, seal: Seal
) -> None:
    version = 0

    def edit() -> PackageEdit:
        nonlocal version
        version += 1
        return PackageEdit(
            brand_id=brand_of(counter), version=version, staff_id=people.marketer, now=NOON
        )

    async def offered() -> list[tuple[str, int]]:
        async with sessions() as tx:
            found = await list_packages(
                tx, brand_of(counter), store_id=StoreId(counter.store.id), now=NOON
            )
        return [(package.name, package.bonus_fen) for package in found]

    async with transaction(sessions) as tx:
        first = await offer_package(tx, PACKAGE, edit=edit())
        small = msgspec.structs.replace(PACKAGE, name="充200", principal_fen=20_000, bonus_fen=0)
        second = await offer_package(tx, small, edit=edit())
    assert await offered() == [("充500送60", 6_000), ("充200", 0)]
    async with transaction(sessions) as tx:
        more = msgspec.structs.replace(PACKAGE, bonus_fen=8_000)
        third = await change_package(tx, first, more, edit=edit())
        await move_package(tx, second, places=-1, edit=edit())
    assert await offered() == [("充200", 0), ("充500送60", 8_000)]
    # What was sold as it was is still there to be read.
    assert await count(sessions, "top_up_packages", "withdrawn_at IS NOT NULL") == 1
    assert await count(sessions, "top_up_packages", f"replaces_id = '{first}'") == 1

    other = await given_counter(sessions, seal=seal)
    stale = PackageEdit(brand_id=brand_of(counter), version=1, staff_id=people.marketer, now=NOON)
    fresh = msgspec.structs.replace(stale, version=version + 1)
    theirs = msgspec.structs.replace(PACKAGE, store_id=other.store.id)
    async with sessions() as tx:
        with pytest.raises(ProgrammeChangedMeanwhile):
            await withdraw_package(tx, third, edit=stale)
        with pytest.raises(PackageGone):
            await withdraw_package(tx, first, edit=fresh)
        with pytest.raises(StoreNotFound):
            await offer_package(tx, theirs, edit=fresh)
    async with transaction(sessions) as tx:
        await withdraw_package(tx, third, edit=edit())
    assert await offered() == [("充200", 0)]


def draft(tier_id: UUID | None, name: str, spend_from_fen: int | None) -> TierDraft:
    return TierDraft(
        tier_id=tier_id,
        name=name,
        spend_from_fen=spend_from_fen,
        visits_from=None,
        price_fen=None,
        discount_bp=0,
        points_multiplier_bp=10_000,
        birthday_points=0,
        valid_months=12,
        grace_days=30,
    )


async def test_lower_conditions_raise_members_and_a_new_tier_comes_on_top(
    sessions: SessionFactory, counter: Counter, people: People
) -> None:
    await given_tiers(sessions, counter, silver={"spend_from_fen": 50_000})
    await charge(sessions, counter, 20_000, now=NOON)
    async with sessions() as tx:
        basic, silver = await list_tiers(tx, counter.brand.id)

    async def edit(*drafts: TierDraft, version: int) -> None:
        async with transaction(sessions) as tx:
            await edit_tiers(
                tx,
                drafts,
                brand_id=brand_of(counter),
                version=version,
                staff_id=people.marketer,
                now=NOON,
            )

    kept = draft(basic.id, "普通会员", 0)
    # A tier is never taken away, nor is another brand's put in its place.
    for wrong in ([kept], [kept, draft(new_id(), "银卡", 10_000)]):
        with pytest.raises(TierNotFound):
            await edit(*wrong, version=1)
    lower = draft(silver.id, "银卡", 10_000)
    await edit(kept, lower, draft(None, "金卡", 90_000), version=1)
    async with sessions() as tx:
        assert [t.name for t in await list_tiers(tx, counter.brand.id)] == [
            "普通会员",
            "银卡",
            "金卡",
        ]
    assert (await tier_of(sessions, counter.member_id))[0] == "basic"
    async with transaction(sessions) as tx:
        await raise_next_members(tx, brand_id=brand_of(counter), after=None, now=NOON)
    assert (await tier_of(sessions, counter.member_id))[0] == "silver"
    assert await count(sessions, "outbox_messages", "topic = 'programme.tiers_changed'") == 1


async def test_effects_are_what_the_last_month_would_have_been(
    sessions: SessionFactory, counter: Counter, people: People
) -> None:
    await given_tiers(sessions, counter, gold={"points_multiplier_bp": 15_000})
    async with transaction(sessions) as tx:
        await tx.execute(
            text("UPDATE members SET tier_id = (SELECT id FROM tiers WHERE code = 'gold')")
        )
    await charge(sessions, counter, 999, now=NOON - timedelta(days=31))
    await charge(sessions, counter, 3_333, now=NOON)
    half = await charge(sessions, counter, 2_000, now=NOON)
    await reverse(sessions, counter, half, now=NOON, amount=1_000)
    async with sessions() as tx:
        effect = await get_points_effect(
            tx,
            counter.brand.id,
            rate_now=PointsRate(1, 0),
            rate_then=PointsRate(2, 5),
            now=NOON,
        )
        package = await get_package_effect(
            tx,
            counter.brand.id,
            least_fen=200_000,
            greatest_fen=200_000,
            store_id=None,
            bonus_fen=700,
            bonus_points=3,
            now=NOON,
        )
    # 33.33 · 1.5 and 10.00 · 1.5, each rounded down by itself; two of one day are one visit.
    assert (effect.charges, effect.amount_fen) == (2, 4_333)
    assert (effect.points_now, effect.points_then) == (49 + 15, 99 + 30 + 5)
    assert (package.top_ups, package.bonus_now_fen) == (1, 0)
    assert (package.bonus_then_fen, package.points_then) == (700, 3)


async def test_two_people_end_a_programme_and_nothing_is_topped_up_after(
    sessions: SessionFactory, counter: Counter, people: People, seal: Seal, clock: FakeClock
) -> None:
    till = Till(sessions=sessions, seal=seal, clock=clock)

    async def propose(by: UUID) -> UUID:
        async with transaction(sessions) as tx:
            return await propose_end(
                tx,
                request_id=new_request_id(),
                brand_id=counter.brand.id,
                staff_id=by,
                reason="换用新的会员计划",
                now=NOON,
            )

    async def decide(act: Any, ending_id: UUID, by: UUID) -> None:
        async with transaction(sessions) as tx:
            await act(tx, ending_id, brand_id=counter.brand.id, staff_id=by, now=NOON)

    top_up: dict[str, Any] = {
        "request_id": new_request_id(),
        "member_id": counter.member_id,
        "principal_fen": 1_000,
        "bonus_fen": 0,
        "tender": Tender.CASH,
        "by": counter.key,
    }
    first = await propose(people.marketer)
    with pytest.raises(EndingAlreadyProposed):
        await propose(people.manager)
    with pytest.raises(RoleMissing):
        await decide(approve_end, first, people.manager)
    async with transaction(sessions) as tx:
        await tx.execute(
            text("UPDATE programme_endings SET proposed_by = :id"), {"id": people.other_finance}
        )
    with pytest.raises(OwnProposal):
        await decide(approve_end, first, people.other_finance)
    await decide(reject_end, first, people.finance)
    await till.top_up(**top_up)
    second = await propose(people.manager)
    await decide(approve_end, second, people.finance)
    await decide(approve_end, second, people.finance)
    with pytest.raises(ProgrammeEnded):
        await propose(people.marketer)
    with pytest.raises(ProgrammeEnded):
        await till.top_up(**{**top_up, "request_id": new_request_id()})
    # What was answered before is answered again.
    assert (await till.top_up(**top_up)).is_replay
    assert await balance_of(sessions, counter.member_id) == 201_000


async def test_the_points_handler_and_the_tier_handler_both_hear_of_a_charge() -> None:
    from o2o.infra.subscriptions import Registry  # noqa: PLC0415
    from o2o.membership import jobs_programme  # noqa: PLC0415

    registry = Registry()
    jobs_programme.register(registry, clock=FakeClock())
    heard = [one.handle.__name__ for one in registry.subscriptions[StoredValueDebited.name]]
    # Points first: a charge earns by the tier it was made at.
    assert heard == ["earn", "raise_tier"]
