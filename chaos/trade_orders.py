"""Orders drawn at random: every command of the ledger, aimed at what is known to have happened."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from o2o.crm.statuses import Asset, LotKind, Tender
from o2o.kernel.ids import MemberId, TransferId, new_request_id
from o2o.ledger.actions.adjust_balance import AdjustBalance, adjust_balance
from o2o.ledger.actions.debit_stored_value import DebitStoredValue, debit_stored_value
from o2o.ledger.actions.donate_points import DonatePoints, donate_points
from o2o.ledger.actions.end_holds import PostHold, VoidHold, post_holds, void_holds
from o2o.ledger.actions.grant_points import GrantPoints, grant_points
from o2o.ledger.actions.hold_stored_value import HoldStoredValue, hold_stored_value
from o2o.ledger.actions.pass_on_stored_value import PassOnStoredValue, pass_on_stored_value
from o2o.ledger.actions.refund_stored_value import RefundStoredValue, refund_stored_value
from o2o.ledger.actions.reverse_transfers import (
    ReverseTransfer,
    reverse_debits,
    reverse_points,
    reverse_top_ups,
)
from o2o.ledger.actions.spend_points import SpendPoints, spend_points
from o2o.ledger.actions.top_up_stored_value import TopUpStoredValue, top_up_stored_value

if TYPE_CHECKING:
    from chaos.trade import Market

LIMIT_FEN = 500_000
KNOWN_MAX = 200
Subjects = list[tuple[MemberId, TransferId]]


class Order(msgspec.Struct, frozen=True):
    """Commands for one transaction, and the action that answers them."""

    name: str
    action: Callable[[Any, Sequence[Any]], Awaitable[Sequence[Any]]]
    commands: Sequence[Any]


# How the answers change what is on all cards together, held amounts included, in fen.
MONEY: dict[str, Callable[[Any], int]] = {
    "top_up": lambda r: r.amount_fen,
    "debit": lambda r: -r.amount_fen,
    "post": lambda r: -r.amount_fen,
    "reverse_debit": lambda r: r.amount_fen,
    "reverse_top_up": lambda r: -r.amount_fen,
    "refund": lambda r: -r.amount_fen,
    "adjust": lambda r: r.delta,
}


class Known:
    """What happened lately and may be undone: by whom, and which transfer."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.of: dict[str, Subjects] = {
            name: [] for name in ("top_up", "debit", "hold", "earn", "spend")
        }

    def learn(self, name: str, command: Any, result: Any) -> None:
        """Remember what a command did."""
        kept = self.of.get("debit" if name == "post" else name)
        if kept is None:
            return
        named = result.hold_id if name == "hold" else result.transfer_id
        kept.append((command.member_id, named))
        del kept[:-KNOWN_MAX]


def draw_order(rng: Random, market: "Market", known: Known, *, now: datetime) -> Order:
    """Draw what somebody asks for next; undo something only where something is known."""
    name = rng.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()))[0]
    fields: dict[str, Any] = {
        "request_id": new_request_id(),
        "member_id": rng.choice(market.members),
        "store_id": market.store_id,
        "now": now,
    }
    subject = _SUBJECTS.get(name)
    if subject is not None and known.of[subject]:
        fields["member_id"], named = rng.choice(known.of[subject])
        return _undo(rng, name, fields, named=named)
    if subject is not None or name == "debit":
        return _debits(rng, market, fields)
    return _move(rng, name, fields, market=market)


_WEIGHTS = {
    "debit": 30,
    "top_up": 14,
    "hold": 10,
    "post": 6,
    "void": 3,
    "reverse_debit": 6,
    "reverse_top_up": 2,
    "refund": 1,
    "pass_on": 8,
    "earn": 6,
    "spend": 5,
    "donate": 2,
    "reverse_earned": 2,
    "reverse_spent": 2,
    "adjust": 3,
}
_SUBJECTS = {
    "post": "hold",
    "void": "hold",
    "reverse_debit": "debit",
    "reverse_top_up": "top_up",
    "reverse_earned": "earn",
    "reverse_spent": "spend",
}


def _debits(rng: Random, market: "Market", fields: dict[str, Any]) -> Order:
    """One debit, or several over several cards in an order of its own."""
    members = rng.sample(market.members, rng.choice([1, 1, 1, 3]))
    commands = [
        DebitStoredValue(
            **{**fields, "request_id": new_request_id(), "member_id": member_id},
            amount_fen=rng.randrange(1, 5_000),
        )
        for member_id in members
    ]
    return Order("debit", debit_stored_value, commands)


def _undo(rng: Random, name: str, fields: dict[str, Any], *, named: TransferId) -> Order:
    part = rng.choice([None, None, rng.randrange(1, 2_000)])
    if name == "post":
        return Order(name, post_holds, [PostHold(**fields, hold_id=named, amount_fen=part)])
    if name == "void":
        return Order(name, void_holds, [VoidHold(**fields, hold_id=named)])
    action: Any = {"reverse_debit": reverse_debits, "reverse_top_up": reverse_top_ups}.get(
        name, reverse_points
    )
    return Order(name, action, [ReverseTransfer(**fields, transfer_id=named, amount=part)])


def _move(rng: Random, name: str, fields: dict[str, Any], *, market: "Market") -> Order:
    amount, points, soon = rng.randrange(1, 5_000), rng.randrange(1, 300), rng.randrange(1, 6)
    ends = fields["now"] + timedelta(seconds=soon)
    makers: dict[str, Callable[[], tuple[Any, Any]]] = {
        "top_up": lambda: (
            top_up_stored_value,
            TopUpStoredValue(
                **fields,
                principal_fen=amount * 3,
                bonus_fen=rng.choice([0, amount]),
                tender=Tender.CASH,
                balance_fen_max=LIMIT_FEN,
            ),
        ),
        "hold": lambda: (
            hold_stored_value,
            HoldStoredValue(**fields, amount_fen=amount, expires_at=ends),
        ),
        "refund": lambda: (
            refund_stored_value,
            RefundStoredValue(**fields, top_up_id=None, tender=Tender.CASH, within_days=None),
        ),
        "pass_on": lambda: (
            pass_on_stored_value,
            PassOnStoredValue(
                **fields,
                to_member_id=rng.choice(market.members),
                amount_fen=amount,
                balance_fen_max=LIMIT_FEN,
            ),
        ),
        "earn": lambda: (grant_points, GrantPoints(**fields, points=points, expires_at=ends)),
        "spend": lambda: (spend_points, SpendPoints(**fields, points=points)),
        "donate": lambda: (donate_points, DonatePoints(**fields, points=points)),
        "adjust": lambda: (
            adjust_balance,
            AdjustBalance(
                **fields,
                asset=Asset.CNY_FEN,
                delta=rng.choice([amount, -amount]),
                lot_kind=rng.choice([LotKind.PRINCIPAL, LotKind.BONUS]),
            ),
        ),
    }
    action, command = makers[name]()
    return Order(name, action, [command])
