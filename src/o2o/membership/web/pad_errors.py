"""What can stand in the way of the pad's own forms, before the domain is asked."""

from typing import ClassVar

from o2o.kernel.errors import Invalid, NotFound


class AmountNotMoney(Invalid):
    """What was typed is no amount in yuan with at most two decimals."""

    code: ClassVar[str] = "amount.not_money"

    def __init__(self, *, field: str) -> None:
        """Name the field."""
        super().__init__(field=field)


class ReceiptNotFound(NotFound):
    """There is no such charge or top-up at a pad of this store."""

    code: ClassVar[str] = "receipt.not_found"
