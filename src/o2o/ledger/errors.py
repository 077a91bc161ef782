"""What can stand in the way of a movement in the books, named."""

from typing import ClassVar, Literal
from uuid import UUID

from o2o.kernel.errors import Conflict, Invalid, NotFound
from o2o.kernel.money import format_yuan


class InsufficientBalance(Conflict):
    """The card holds less than is asked of it."""

    code: ClassVar[str] = "ledger.insufficient_balance"

    def __init__(self, *, balance_fen: int) -> None:
        """Keep what the card holds."""
        super().__init__(balance_fen=balance_fen, balance_yuan=format_yuan(balance_fen))


class InsufficientPoints(Conflict):
    """The member has fewer points that may be spent now than are asked for."""

    code: ClassVar[str] = "ledger.insufficient_points"

    def __init__(self, *, points: int) -> None:
        """Keep how many points may be spent."""
        super().__init__(points=points)


class BalanceLimitExceeded(Invalid):
    """The card would hold more than a prepaid card of its kind may."""

    code: ClassVar[str] = "ledger.balance_limit_exceeded"

    def __init__(self, *, limit_fen: int, balance_fen: int) -> None:
        """Keep the limit and what the card holds before the top-up."""
        super().__init__(
            field="principal_fen",
            limit_fen=limit_fen,
            balance_fen=balance_fen,
            limit_yuan=format_yuan(limit_fen),
            balance_yuan=format_yuan(balance_fen),
        )


class AmountOutOfRange(Invalid):
    """An amount is zero, negative or beyond anything a counter ever takes."""

    code: ClassVar[str] = "ledger.amount_out_of_range"

    def __init__(self, *, field: str, amount_min: int, amount_max: int) -> None:
        """Keep which field it is and between which amounts (fen or points) it may be."""
        super().__init__(field=field, amount_min=amount_min, amount_max=amount_max)


class AccountNotFound(NotFound):
    """The member has no such account, or the store none in the member's brand."""

    code: ClassVar[str] = "ledger.account_not_found"

    def __init__(self, *, owner: Literal["member", "store"], owner_id: UUID) -> None:
        """Keep whose account is missing."""
        super().__init__(field=f"{owner}_id", owner=owner, owner_id=str(owner_id))


class BooksOutOfStep(Exception):
    """A write met other rows than the ones read under lock. A defect; the transaction is undone."""
