"""granian's server, made deaf to a second Ctrl-C while it attends to the first."""

from typing import Any

from granian.server.mp import MPServer
from typing_extensions import override


class PatientServer(MPServer):
    """Stops once.

    granian answers each signal by setting an event; a second signal inside the first one's answer
    waits for the lock that the first holds, in the same thread, for ever.
    """

    _is_told = False

    @override
    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Take the first signal to stop; further ones change nothing."""
        if self._is_told:
            return
        self._is_told = True
        super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]  # granian types none of it
