"""What goes back to which lot when a part of a transfer is taken back."""

from collections.abc import Sequence

import msgspec

from o2o.crm.statuses import LotKind
from o2o.kernel.money import split_by_weight
from o2o.ledger.rules.draw import Lot


class LotReturn(msgspec.Struct, frozen=True, kw_only=True):
    """So much given back to a lot it was drawn from; `lot.remaining` is not looked at."""

    lot: Lot
    amount: int


def share_returns(kept: Sequence[LotReturn], amount: int) -> list[LotReturn]:
    """Share an amount over what a transfer keeps of its lots, given newest first.

    Each fen that goes back is of the mix that was paid: principal and bonus in the ratio in which
    they are kept, by largest remainder, a tie to the principal. Inside a kind what was drawn last
    goes back first. Raises ValueError when less is kept.
    """
    principal = [one for one in kept if one.lot.kind is LotKind.PRINCIPAL]
    others = [one for one in kept if one.lot.kind is not LotKind.PRINCIPAL]
    held = [sum(one.amount for one in part) for part in (principal, others)]
    if amount > sum(held):
        raise ValueError("less is kept than is to go back")
    shares = split_by_weight(amount, held)
    return [*_first_of(principal, shares[0]), *_first_of(others, shares[1])]


def less(kept: Sequence[LotReturn], returned: Sequence[LotReturn]) -> list[LotReturn]:
    """Return what is still kept after a return."""
    gone = {one.lot.id: one.amount for one in returned}
    left = [LotReturn(lot=one.lot, amount=one.amount - gone.get(one.lot.id, 0)) for one in kept]
    return [one for one in left if one.amount > 0]


def bonus_due(*, bonus: int, amount: int, reversed_after: int) -> int:
    """How much of a top-up's bonus has gone once so much of its principal has.

    Rounded down, so that the member is never asked for more than the share; with the last fen of
    the principal all of it goes.
    """
    return bonus * reversed_after // amount


def _first_of(parts: Sequence[LotReturn], amount: int) -> list[LotReturn]:
    taken = []
    for one in parts:
        if amount == 0:
            break
        part = min(one.amount, amount)
        taken.append(LotReturn(lot=one.lot, amount=part))
        amount -= part
    return taken
