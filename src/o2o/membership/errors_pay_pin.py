"""What can stand in the way of a pay PIN."""

from typing import ClassVar

from o2o.kernel.errors import Conflict, Forbidden, Invalid, TooMany


class PayPinMalformed(Invalid):
    """It is not six digits."""

    code: ClassVar[str] = "pay_pin.malformed"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="pin")


class PayPinWeak(Invalid):
    """Six digits that anybody would try first; `reason` says which kind."""

    code: ClassVar[str] = "pay_pin.weak"

    def __init__(self, *, reason: str) -> None:
        """Keep why: `common`, `repeated`, `in_a_row`, `birthday` or `phone`."""
        super().__init__(field="pin", reason=reason)


class PayPinMissing(Conflict):
    """The member never chose one."""

    code: ClassVar[str] = "pay_pin.missing"


class PayPinWrong(Forbidden):
    """It is not the member's; so many tries are left."""

    code: ClassVar[str] = "pay_pin.wrong"

    def __init__(self, *, tries_left: int) -> None:
        """Keep how many wrong ones the member may still enter."""
        super().__init__(field="pin", tries_left=tries_left)


class PayPinLocked(TooMany):
    """Too many wrong ones; the next try is taken after the lock."""

    code: ClassVar[str] = "pay_pin.locked"

    def __init__(self, *, retry_after_seconds: int) -> None:
        """Keep when to come back, in seconds and as people say it."""
        minutes = -(-retry_after_seconds // 60)
        super().__init__(retry_after_seconds=retry_after_seconds, minutes=minutes)


class PayPinDiffers(Invalid):
    """The two entries of a new PIN are not the same."""

    code: ClassVar[str] = "pay_pin.differs"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="pin_again")
