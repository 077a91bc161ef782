"""Enter what the demo's members bought, and count what recommendations rest on."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from o2o.app.demo.bills import DemoBill
from o2o.app.demo.seeding import Places
from o2o.app.demo.world import World
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId
from o2o.membership.actions.describe_items import ItemDescription, describe_items
from o2o.membership.actions.record_purchases import Bought, BoughtLine, record_purchases
from o2o.membership.actions.refresh_recommendations import refresh_brand

SOURCE = "demo"
_BATCH = 2_000


async def seed_menus(tx: Tx, world: World, *, places: Places, now: datetime) -> None:
    """Say what the dishes of every brand are and contain."""
    for brand in world.brands:
        dishes = [dish for dish in world.dishes if dish.brand == brand.slug]
        await describe_items(
            tx,
            [
                ItemDescription(
                    item_code=dish.code,
                    name=dish.name,
                    contains=dish.contains,
                    is_recommended=not dish.is_extra,
                )
                for dish in dishes
            ],
            brand_id=places.brands[brand.slug],
            now=now,
        )


async def seed_purchases(
    tx: Tx,
    world: World,
    *,
    bills: Sequence[DemoBill],
    places: Places,
    members: Mapping[str, MemberId],
    now: datetime,
) -> None:
    """Record the bills; told again, they are there already. Raises what refuses one."""
    for brand in world.brands:
        brand_id = places.brands[brand.slug]
        own = [bill for bill in bills if bill.member_ref.partition("-")[0] == brand.slug]
        for start in range(0, len(own), _BATCH):
            some = own[start : start + _BATCH]
            bought = [_bought(bill, places=places, members=members) for bill in some]
            for outcome in await record_purchases(tx, bought, brand_id=brand_id, now=now):
                if isinstance(outcome, Fact):
                    raise outcome
        await refresh_brand(tx, brand_id, now=now)


def _bought(bill: DemoBill, *, places: Places, members: Mapping[str, MemberId]) -> Bought:
    return Bought(
        member_id=members[bill.member_ref],
        store_id=places.stores[bill.store],
        source=SOURCE,
        external_id=f"{bill.member_ref}-{bill.number:04d}",
        total_fen=bill.total_fen,
        bought_at=bill.at,
        lines=tuple(
            BoughtLine(
                item_code=line.dish.code,
                item_name=line.dish.name,
                quantity=line.quantity,
                amount_fen=line.amount_fen,
            )
            for line in bill.lines
        ),
    )
