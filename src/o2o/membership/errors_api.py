"""What can stand in the way of systems that look members up, named."""

from typing import ClassVar

from o2o.kernel.errors import Conflict


class SeveralMembersFound(Conflict):
    """The phone is that of more than one member; ask by card or code instead."""

    code: ClassVar[str] = "member.several_found"
