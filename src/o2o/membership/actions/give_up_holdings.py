"""What is left on a card when its member leaves: offers go back, value and points lapse."""

from datetime import datetime
from uuid import UUID

from o2o.crm.statuses import Asset, LotKind
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId
from o2o.ledger.actions.adjust_balance import AdjustBalance, adjust_balance
from o2o.membership.queries.leaving import Leaving, get_leaving
from o2o.membership.rules.request_ids import follows_from


async def give_up_holdings(tx: Tx, *, member_ids: list[UUID], now: datetime) -> None:
    """Bring the cards of these members, who are one person, to zero by opposite transfers."""
    for member_id in member_ids:
        left = await get_leaving(tx, [member_id], now=now)
        commands = _lapses(member_id, left, now=now)
        for outcome in await adjust_balance(tx, commands) if commands else ():
            if isinstance(outcome, Fact):
                raise outcome


def _lapses(member_id: UUID, left: Leaving, *, now: datetime) -> list[AdjustBalance]:
    return [
        AdjustBalance(
            request_id=follows_from("member.leaves", member_id, kind.value),
            member_id=MemberId(member_id),
            store_id=None,
            asset=Asset.POINTS if kind is LotKind.POINTS else Asset.CNY_FEN,
            delta=-amount,
            lot_kind=kind,
            now=now,
        )
        for kind, amount in (
            (LotKind.PRINCIPAL, left.principal_fen),
            (LotKind.BONUS, left.bonus_fen),
            (LotKind.POINTS, left.points),
        )
        if amount > 0
    ]
