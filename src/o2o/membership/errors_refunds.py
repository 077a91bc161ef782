"""What can stand in the way of a refund that a member asks for."""

from typing import ClassVar

from o2o.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from o2o.kernel.money import format_yuan


class RefundNothingLeft(Conflict):
    """No principal of that top-up is left, or it is no top-up of this member."""

    code: ClassVar[str] = "refund.nothing_left"


class RefundAlreadyAsked(Conflict):
    """A refund of the same money is waiting already."""

    code: ClassVar[str] = "refund.already_asked"


class RefundPayeeIncomplete(Invalid):
    """A bank transfer needs the account's name, its bank and its number."""

    code: ClassVar[str] = "refund.payee_incomplete"


class RefundRequestNotFound(NotFound):
    """There is no such request, or it is another member's, store's or brand's."""

    code: ClassVar[str] = "refund.not_found"


class RefundEnded(Conflict):
    """The request was paid, withdrawn or refused before."""

    code: ClassVar[str] = "refund.ended"


class RefundAmountChanged(Conflict):
    """The member spent meanwhile: another amount is due than was shown. Nothing was paid out."""

    code: ClassVar[str] = "refund.amount_changed"

    def __init__(self, *, refund_fen: int) -> None:
        """Keep what is due now."""
        super().__init__(refund_fen=refund_fen, refund_yuan=format_yuan(refund_fen))


class RefundOverLimit(Forbidden):
    """A clerk pays out small sums; this one needs a manager."""

    code: ClassVar[str] = "refund.over_limit"

    def __init__(self, *, limit_fen: int) -> None:
        """Keep how much a clerk may pay out."""
        super().__init__(limit_fen=limit_fen, limit_yuan=format_yuan(limit_fen))


class RefundWrongPayout(Conflict):
    """What is to go to a bank account is not paid in cash, and the other way round."""

    code: ClassVar[str] = "refund.wrong_payout"


class RefundByRight(Conflict):
    """Within seven days of the top-up, or after the programme's end, nobody may refuse."""

    code: ClassVar[str] = "refund.by_right"


class RefundNeedsCode(Conflict):
    """Money is handed over only in a visit that the member's own code opened."""

    code: ClassVar[str] = "refund.needs_code"
