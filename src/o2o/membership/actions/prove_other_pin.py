"""Prove the pay PIN of the member that a diner is about to become one with."""

from datetime import datetime
from uuid import UUID

from o2o.infra.database import Tx, transaction_beside
from o2o.kernel.text import fold_width
from o2o.membership.actions.pay_pin import check_pay_pin
from o2o.membership.queries.joinable import find_joinable
from o2o.membership.queries.merge_preview import list_guarded
from o2o.web.principals import Diner


async def prove_other_pin(tx: Tx, diner: Diner, *, pin: str, now: datetime) -> list[UUID]:
    """Return whose pay PIN was typed, among those who have the phone that the diner proved.

    Nobody else's tries are counted, so that an id in a form locks no stranger's PIN. Call it before
    the first statement of `tx`, see check_pay_pin. Raises what check_pay_pin refuses.
    """
    if not pin:
        return []
    async with transaction_beside(tx) as own:
        found = await find_joinable(own, diner, now=now)
        guarded = await list_guarded(own, found.owner_ids) if found else []
    for member_id in guarded:
        await check_pay_pin(tx, member_id=member_id, pin=fold_width(pin), now=now)
    return guarded
