"""The pad's panel of tastes: what the member cannot eat, likes, and what to offer today."""

import msgspec

from o2o.infra.database import Tx
from o2o.membership.queries.recommendations import recommend
from o2o.membership.queries.taste import Taste, get_taste
from o2o.membership.rules.recommend import Recommendation
from o2o.membership.web.pad_views import PadVisitContext
from o2o.web.panels import Panel, Panels

SLOT = "pad.visit"
OFFERED = 3


class TastePanel(msgspec.Struct, frozen=True, kw_only=True):
    """What the clerk reads between hello and the order."""

    taste: Taste
    offers: list[Recommendation]


async def load_taste(tx: Tx, context: PadVisitContext) -> TastePanel | None:
    """Return the panel of a visit; none where nothing is known and nothing is to be offered."""
    taste = await get_taste(tx, context.member_id, store_id=context.store_id, now=context.now)
    offers = await recommend(
        tx, context.member_id, store_id=context.store_id, now=context.now, limit=OFFERED
    )
    is_known = taste.bills_count or taste.allergies or taste.dislikes or taste.likes
    return TastePanel(taste=taste, offers=offers) if is_known or offers else None


def register(panels: Panels) -> None:
    """Contribute the panel to the pad's visit."""
    panels.add(SLOT, Panel(name="taste", template="pad/_taste.html", load=load_taste, order=10))
