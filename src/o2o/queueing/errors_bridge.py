"""What can stand in the way of news from a hall's own queue machine."""

from typing import ClassVar

from o2o.kernel.errors import Conflict, Forbidden, NotFound


class BridgeNotFound(NotFound):
    """The store has no bridge to a machine."""

    code: ClassVar[str] = "bridge.not_found"


class BridgeSignatureWrong(Forbidden):
    """The message was not signed with the store's key, or was changed on its way."""

    code: ClassVar[str] = "bridge.signature_wrong"


class BridgeClockOff(Forbidden):
    """The message is older or newer than five minutes: replayed, or a clock is wrong."""

    code: ClassVar[str] = "bridge.clock_off"

    def __init__(self, *, server_time: int) -> None:
        """Keep our time, in seconds since 1970, for the other side to compare."""
        super().__init__(server_time=server_time)


class BridgeOutOfOrder(Conflict):
    """A newer message was heard already; `last_seq` says which."""

    code: ClassVar[str] = "bridge.out_of_order"

    def __init__(self, *, last_seq: int) -> None:
        """Keep the number of the newest message."""
        super().__init__(field="seq", last_seq=last_seq)
        self.last_seq = last_seq
