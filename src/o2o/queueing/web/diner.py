"""The diner's side of queueing: its routes, and its panel on the card."""

from typing import Any

from o2o.infra.database import Tx
from o2o.kernel.clock import Clock
from o2o.queueing.queries.own_tickets import list_own_active
from o2o.queueing.web.diner_queue import OWN_FOR, DinerQueuePages
from o2o.queueing.web.diner_ticket import DinerPaperPages, DinerTicketPages, holder_of
from o2o.web.panels import Panel, Panels
from o2o.web.principals import Diner

CARD_PANELS = "diner.card"

route_handlers = [DinerQueuePages, DinerTicketPages, DinerPaperPages]


def register(panels: Panels, *, clock: Clock) -> None:
    """Put the numbers that wait onto the card."""

    async def load(tx: Tx, diner: Diner) -> Any | None:
        if diner.is_snapshot:
            return None
        now = clock.now()
        tickets = await list_own_active(tx, holder_of(diner), since=now - OWN_FOR, now=now)
        return {"slug": diner.account_slug, "tickets": tickets} if tickets else None

    panels.add(
        CARD_PANELS, Panel(name="tickets", template="diner/_ticket_panel.html", load=load, order=2)
    )
