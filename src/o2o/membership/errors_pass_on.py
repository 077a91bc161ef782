"""What can stand in the way of passing stored value on to another member."""

from typing import ClassVar

from o2o.kernel.errors import Conflict, Gone, Invalid, NotFound, TooMany


class PassOnReceiverUnknown(NotFound):
    """No member of the brand has that phone or card."""

    code: ClassVar[str] = "pass_on.receiver_unknown"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="receiver")


class PassOnToOneself(Invalid):
    """Sender and receiver are the same person."""

    code: ClassVar[str] = "pass_on.to_oneself"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="receiver")


class PassOnTooManyOpen(Conflict):
    """So many offers wait for an answer that another one has to wait too."""

    code: ClassVar[str] = "pass_on.too_many_open"

    def __init__(self, *, count_max: int) -> None:
        """Keep how many may wait."""
        super().__init__(count_max=count_max)


class PassOnNotFound(NotFound):
    """There is no such offer, or it is for somebody else."""

    code: ClassVar[str] = "pass_on.not_found"


class PassOnEnded(Gone):
    """The offer was accepted, declined or withdrawn, or its day is over."""

    code: ClassVar[str] = "pass_on.ended"

    def __init__(self, *, status: str) -> None:
        """Keep how it ended."""
        super().__init__(status=status)


class PassOnLocked(TooMany):
    """Too many phones and cards were tried that no member has."""

    code: ClassVar[str] = "pass_on.locked"

    def __init__(self, *, retry_after_seconds: int) -> None:
        """Keep when to come back."""
        super().__init__(
            retry_after_seconds=retry_after_seconds, minutes=-(-retry_after_seconds // 60)
        )
