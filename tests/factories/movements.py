"""Commands on the books beyond paying in and paying: hold, reverse, refund, pass on, correct."""

from datetime import timedelta
from typing import Any

from o2o.crm.statuses import Asset, LotKind, Tender
from o2o.infra.database import Tx
from o2o.kernel.ids import TransferId, new_id, new_request_id
from o2o.ledger.actions.adjust_balance import AdjustBalance
from o2o.ledger.actions.donate_points import DonatePoints
from o2o.ledger.actions.end_holds import PostHold, VoidHold
from o2o.ledger.actions.enter_opening_balances import OpeningBalance
from o2o.ledger.actions.hold_stored_value import HoldStoredValue, hold_stored_value
from o2o.ledger.actions.pass_on_stored_value import PassOnStoredValue
from o2o.ledger.actions.refund_stored_value import RefundStoredValue
from o2o.ledger.actions.reverse_transfers import ReverseTransfer
from tests.factories.ledger import LIMIT_FEN, Books
from tests.fakes.clock import NOON

LATER = NOON + timedelta(minutes=10)
HOLD_ENDS = NOON + timedelta(hours=1)


def _fields(books: Books, fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "request_id": new_request_id(),
        "member_id": books.member_id,
        "store_id": books.store_id,
        "now": LATER,
        **fields,
    }


def hold(books: Books, amount_fen: int = 1_000, **fields: Any) -> HoldStoredValue:
    """Set aside on the first member's card, until `HOLD_ENDS`, unless said otherwise."""
    return HoldStoredValue(
        **_fields(books, {"amount_fen": amount_fen, "expires_at": HOLD_ENDS, **fields})
    )


async def given_hold(tx: Tx, books: Books, amount_fen: int = 1_000, **fields: Any) -> TransferId:
    """An open hold."""
    [held] = await hold_stored_value(tx, [hold(books, amount_fen, **fields)])
    assert not isinstance(held, Exception), held
    return held.hold_id


def post(
    books: Books, hold_id: TransferId, amount_fen: int | None = None, **fields: Any
) -> PostHold:
    """Sell for a hold."""
    return PostHold(**_fields(books, {"hold_id": hold_id, "amount_fen": amount_fen, **fields}))


def void(books: Books, hold_id: TransferId, **fields: Any) -> VoidHold:
    """Give a hold back."""
    return VoidHold(**_fields(books, {"hold_id": hold_id, **fields}))


def reverse(
    books: Books, transfer_id: TransferId, amount: int | None = None, **fields: Any
) -> ReverseTransfer:
    """Take a transfer of the first member back."""
    return ReverseTransfer(
        **_fields(books, {"transfer_id": transfer_id, "amount": amount, **fields})
    )


def refund(books: Books, top_up_id: TransferId | None = None, **fields: Any) -> RefundStoredValue:
    """Pay the first member back, all of the card unless a top-up is named."""
    plain = {"top_up_id": top_up_id, "tender": Tender.CASH, "within_days": None}
    return RefundStoredValue(**_fields(books, {**plain, **fields}))


def pass_on(books: Books, amount_fen: int = 1_000, **fields: Any) -> PassOnStoredValue:
    """From the first member to the other one, without a store."""
    plain = {
        "to_member_id": books.other_member_id,
        "amount_fen": amount_fen,
        "balance_fen_max": LIMIT_FEN,
        "store_id": None,
    }
    return PassOnStoredValue(**_fields(books, {**plain, **fields}))


def donate(books: Books, points: int = 10, **fields: Any) -> DonatePoints:
    """Points given away by the first member, without a store."""
    return DonatePoints(**_fields(books, {"points": points, "store_id": None, **fields}))


def adjust(books: Books, delta: int, **fields: Any) -> AdjustBalance:
    """A correction of the first member's principal, unless said otherwise."""
    plain = {
        "asset": Asset.CNY_FEN,
        "delta": delta,
        "lot_kind": LotKind.PRINCIPAL,
        "store_id": None,
    }
    return AdjustBalance(**_fields(books, {**plain, **fields}))


def opening(books: Books, **fields: Any) -> OpeningBalance:
    """What the card of somebody new held before: nothing, unless said otherwise."""
    plain: dict[str, Any] = {
        "request_id": new_request_id(),
        "member_id": new_id(),
        "store_id": books.store_id,
        "principal_fen": 0,
        "bonus_fen": 0,
        "points": 0,
        "granted_at": NOON - timedelta(days=100),
    }
    return OpeningBalance(**{**plain, **fields})
