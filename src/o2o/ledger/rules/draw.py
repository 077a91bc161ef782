"""Which lots an amount is drawn from: named orders over principal and bonus, oldest lots first."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from o2o.crm.statuses import LotKind
from o2o.kernel.ids import LotId
from o2o.kernel.money import split_by_weight


class DrawOrder(StrEnum):
    """How an amount is shared between what a member paid in and what the house added."""

    # Principal and bonus leave in the ratio in which they are there, so that at any moment the
    # refund of a card owes the same share of bonus; the usual rule of prepaid cards.
    PROPORTIONAL = "proportional"
    # The member's own money goes first; the bonus is a reward for using all of it.
    PRINCIPAL_FIRST = "principal_first"
    # All lots alike, oldest first; points have one kind and go this way.
    OLDEST_FIRST = "oldest_first"


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of one grant."""

    id: LotId
    kind: LotKind
    remaining: int
    expires_at: datetime | None = None
    granted_at: datetime | None = None

    def is_spendable(self, *, at: datetime) -> bool:
        """Whether the lot has not expired; the end is exclusive."""
        return self.expires_at is None or at < self.expires_at


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """So much taken from one lot."""

    lot_id: LotId
    kind: LotKind
    amount: int


def draw(lots: Sequence[Lot], amount: int, *, order: DrawOrder) -> list[Draw]:
    """Draw an amount from lots given oldest first; the draws sum to it exactly.

    Raises ValueError when the lots hold less, or the amount is not positive.
    """
    if not 0 < amount <= sum(lot.remaining for lot in lots):
        raise ValueError("the lots do not hold the amount")
    if order is DrawOrder.OLDEST_FIRST:
        return _draw_oldest_first(lots, amount)
    principal = [lot for lot in lots if lot.kind is LotKind.PRINCIPAL]
    others = [lot for lot in lots if lot.kind is not LotKind.PRINCIPAL]
    shares = _share(amount, _held(principal), _held(others), order=order)
    return [
        *_draw_oldest_first(principal, shares[0]),
        *_draw_oldest_first(others, shares[1]),
    ]


def drawn_of(draws: Sequence[Draw], kind: LotKind) -> int:
    """Return how much of the draws came from lots of one kind."""
    return sum(one.amount for one in draws if one.kind is kind)


def lots_after(lots: Sequence[Lot], draws: Sequence[Draw]) -> list[Lot]:
    """Return the lots less the draws, without those that are spent."""
    taken = {one.lot_id: one.amount for one in draws}
    left = (
        msgspec.structs.replace(lot, remaining=lot.remaining - taken.get(lot.id, 0)) for lot in lots
    )
    return [lot for lot in left if lot.remaining > 0]


def _share(amount: int, principal: int, bonus: int, *, order: DrawOrder) -> tuple[int, int]:
    if order is DrawOrder.PRINCIPAL_FIRST:
        from_principal = min(amount, principal)
        return from_principal, amount - from_principal
    # Largest remainder; a tie of one fen goes to the principal. A share never exceeds what its
    # kind holds, because the amount does not exceed both together.
    from_principal, from_bonus = split_by_weight(amount, (principal, bonus))
    return from_principal, from_bonus


def _held(lots: Sequence[Lot]) -> int:
    return sum(lot.remaining for lot in lots)


def _draw_oldest_first(lots: Sequence[Lot], amount: int) -> list[Draw]:
    draws = []
    for lot in lots:
        if amount == 0:
            break
        taken = min(lot.remaining, amount)
        draws.append(Draw(lot_id=lot.id, kind=lot.kind, amount=taken))
        amount -= taken
    return draws
