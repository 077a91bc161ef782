"""How a desk is named: a few characters that fit on the display and can be read out."""

from o2o.kernel.text import without_controls
from o2o.queueing.errors import DeskUnreadable

DESK_CHARS_MAX = 12


def readable_desk(text: str) -> str:
    """Return the name as it is shown. Raises DeskUnreadable: nothing to read, or too much."""
    desk = " ".join(without_controls(text.encode("utf-8", "ignore").decode()).split())
    if not 1 <= len(desk) <= DESK_CHARS_MAX:
        raise DeskUnreadable
    return desk
