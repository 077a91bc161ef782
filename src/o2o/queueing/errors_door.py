"""What can be wrong with a code at the door, or on a paper number."""

from typing import ClassVar

from o2o.kernel.errors import Conflict, Forbidden, Gone


class DoorCodeRetired(Gone):
    """The code at the door was good once: the store has a new one."""

    code: ClassVar[str] = "queue.door_code_retired"


class PaperCodeForged(Forbidden):
    """The code of a paper number was not made by us."""

    code: ClassVar[str] = "ticket.paper_code_forged"


class TicketHasOwner(Conflict):
    """The paper number is on somebody's phone already."""

    code: ClassVar[str] = "ticket.has_owner"
