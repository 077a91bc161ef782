"""What can stand in the way of looking members up and of reading statements, named."""

from typing import ClassVar

from o2o.kernel.errors import Conflict, Gone


class SeveralMembersFound(Conflict):
    """The phone is that of more than one member; ask by card or code instead."""

    code: ClassVar[str] = "member.several_found"


class StatementLinkOver(Gone):
    """The link to a statement is too old, or none of ours."""

    code: ClassVar[str] = "statement.link_over"
