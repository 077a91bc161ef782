"""Bills are recorded once; tastes and offers follow, unless the member does not want that."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text

from o2o.crm.members import Member
from o2o.crm.statuses import TasteKind
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import StaffId, new_id
from o2o.membership.actions.declare_tastes import declare_taste
from o2o.membership.actions.describe_items import ItemDescription, describe_items
from o2o.membership.actions.record_purchases import (
    Bought,
    BoughtLine,
    Recorded,
    record_purchases,
)
from o2o.membership.actions.refresh_recommendations import refresh_recommendations
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_dossier import PurchaseDiffers, PurchaseMalformed
from o2o.membership.queries.recommendations import recommend
from o2o.membership.queries.taste import get_taste
from o2o.membership.rules.recommend import Reason
from o2o.membership.web.pad_taste import load_taste
from o2o.membership.web.pad_views import PadVisitContext
from o2o.stores.errors import StoreNotFound
from tests.factories.members import Counter, count, given_counter, given_member
from tests.fakes.clock import NOON

DISHES = {"A": "东坡肉", "B": "宫保虾球", "C": "鸡毛菜", "R": "米饭"}


def bought(
    counter: Counter, number: int, *codes: str, member_id: UUID | None = None, days_ago: int = 1
) -> Bought:
    return Bought(
        member_id=member_id or counter.member_id,
        store_id=counter.store.id,
        source="pos",
        external_id=f"bill-{number}",
        total_fen=1_000 * len(codes),
        bought_at=NOON - timedelta(days=days_ago),
        lines=tuple(
            BoughtLine(item_code=code, item_name=DISHES[code], quantity=1, amount_fen=1_000)
            for code in codes
        ),
    )


async def test_a_bill_told_of_twice_is_kept_once(
    sessions: SessionFactory, counter: Counter
) -> None:
    bill = bought(counter, 1, "A", "R")
    async with transaction(sessions) as tx:
        first, twin = await record_purchases(tx, [bill, bill], brand_id=counter.brand.id, now=NOON)
    async with transaction(sessions) as tx:
        changed = msgspec.structs.replace(bill, total_fen=9_999)
        again, differs = await record_purchases(
            tx, [bill, changed], brand_id=counter.brand.id, now=NOON
        )
    assert isinstance(first, Recorded)
    assert not first.is_replay
    replay = Recorded(purchase_id=first.purchase_id, is_replay=True)
    assert (twin, again) == (replay, replay)
    assert isinstance(differs, PurchaseDiffers)
    assert await count(sessions, "purchases", "total_fen = 2000") == 1
    assert await count(sessions, "purchases") == 1
    assert await count(sessions, "purchase_lines") == 2


async def test_a_bill_that_cannot_be_is_refused_and_the_others_are_kept(
    sessions: SessionFactory, counter: Counter, seal: Seal
) -> None:
    other = await given_counter(sessions, seal=seal)
    good = bought(counter, 1, "A")
    replace = msgspec.structs.replace
    [line] = good.lines
    bad = [
        (replace(good, external_id=""), PurchaseMalformed),
        (replace(good, external_id="2", total_fen=-1), PurchaseMalformed),
        (replace(good, external_id="3", lines=(replace(line, quantity=0),)), PurchaseMalformed),
        (replace(good, external_id="4", lines=(line,) * 201), PurchaseMalformed),
        (replace(good, external_id="5", member_id=other.member_id), MemberNotFound),
        (replace(good, external_id="6", store_id=other.store.id), StoreNotFound),
        (replace(good, external_id="7", member_id=new_id()), MemberNotFound),
    ]
    async with transaction(sessions) as tx:
        outcomes = await record_purchases(
            tx, [good, *(bill for bill, _ in bad)], brand_id=counter.brand.id, now=NOON
        )
    assert isinstance(outcomes[0], Recorded)
    assert [type(outcome) for outcome in outcomes[1:]] == [fact for _, fact in bad]
    assert await count(sessions, "purchases") == 1


@dataclass
class Table:
    """A brand whose dishes are described, and what its members had."""

    counter: Counter
    alike: list[UUID]


async def given_table(tx: Tx, counter: Counter) -> Table:
    """Our member loves A; four others love A and B; rice is on every bill."""
    described = {"A": ("猪肉",), "B": ("虾", "花生"), "C": (), "R": ()}
    await describe_items(
        tx,
        [
            ItemDescription(
                item_code=code,
                name=DISHES[code],
                contains=described[code],
                is_recommended=code != "R",
            )
            for code in DISHES
        ],
        brand_id=counter.brand.id,
        now=NOON,
    )
    alike = [await given_member(tx, counter.brand) for _ in range(4)]
    bills = [bought(counter, n, "A", "R", days_ago=10 * n) for n in range(1, 4)]
    for at, member_id in enumerate(alike):
        for n in range(2):
            number = 100 + 10 * at + n
            bills.append(bought(counter, number, "A", "B", "R", member_id=member_id))
    bills.append(bought(counter, 900, "C", member_id=alike[0], days_ago=2))
    for outcome in await record_purchases(tx, bills, brand_id=counter.brand.id, now=NOON):
        assert isinstance(outcome, Recorded)
    await refresh_recommendations(tx, NOON)
    return Table(counter, list(alike))


async def test_tastes_and_offers_are_read_from_bills(
    sessions: SessionFactory, counter: Counter, service: StaffId
) -> None:
    where = {"store_id": counter.store.id, "now": NOON}
    async with transaction(sessions) as tx:
        await given_table(tx, counter)
        taste = await get_taste(tx, counter.member_id, **where)  # type: ignore[arg-type]  # values by name
        assert [(dish.item_code, dish.bills) for dish in taste.favourites] == [("A", 3)]
        assert (taste.usual_spend_fen, taste.days_between_visits) == (2_000, 10)
        assert (taste.last_visit_at, taste.bills_here) == (NOON - timedelta(days=10), 3)
        offers = await recommend(tx, counter.member_id, **where)  # type: ignore[arg-type]  # values by name
        assert [(offer.item_code, offer.reason_code) for offer in offers] == [
            ("A", Reason.USUAL),
            ("B", Reason.ALIKE),
            ("C", Reason.POPULAR),
        ]
        await declare_taste(
            tx,
            member_id=counter.member_id,
            word="花生",
            kind=TasteKind.ALLERGY,
            by=service,
            now=NOON,
        )
        offers = await recommend(tx, counter.member_id, **where)  # type: ignore[arg-type]  # values by name
        assert [offer.item_code for offer in offers] == ["A", "C"]
        # In another store nothing was sold: what remains is the member's own.
        far = await recommend(tx, counter.member_id, store_id=counter.far_store.id, now=NOON)
        assert far[0].reason_code is Reason.USUAL


async def test_who_refuses_profiling_has_no_conclusions_drawn(
    sessions: SessionFactory, counter: Counter, service: StaffId
) -> None:
    async with transaction(sessions) as tx:
        table = await given_table(tx, counter)
        for member_id in (counter.member_id, *table.alike):
            (await tx.get_one(Member, member_id)).profiling_refused_at = NOON
        await declare_taste(
            tx, member_id=counter.member_id, word="虾", kind=TasteKind.DISLIKE, by=service, now=NOON
        )
        await refresh_recommendations(tx, NOON)
        assert await tx.scalar(text("SELECT count(*) FROM item_affinities")) == 0
        context = PadVisitContext(
            visit_id=new_id(),
            member_id=counter.member_id,
            store_id=counter.store.id,
            brand_id=counter.brand.id,
            now=NOON,
        )
        panel = await load_taste(tx, context)
        assert panel is not None
        taste = panel.taste
        assert (taste.is_profiled, taste.favourites, taste.usual_spend_fen) == (False, [], None)
        assert (taste.last_visit_at, taste.bills_count) == (None, 0)
        assert taste.dislikes == ["虾"]
        assert {offer.reason_code for offer in panel.offers} == {Reason.POPULAR}
        assert "B" not in {offer.item_code for offer in panel.offers}


async def test_another_brands_store_offers_nothing_and_strangers_are_not_found(
    sessions: SessionFactory, counter: Counter, seal: Seal
) -> None:
    other = await given_counter(sessions, seal=seal)
    async with transaction(sessions) as tx:
        await given_table(tx, counter)
        assert await recommend(tx, counter.member_id, store_id=other.store.id, now=NOON) == []
        with pytest.raises(MemberNotFound):
            await recommend(tx, new_id(), store_id=counter.store.id, now=NOON)


async def test_without_bills_the_card_tells_of_sums(
    sessions: SessionFactory, counter: Counter
) -> None:
    async with transaction(sessions) as tx:
        taste = await get_taste(tx, counter.member_id, store_id=counter.store.id, now=NOON)
        assert (taste.bills_count, taste.favourites) == (0, [])
