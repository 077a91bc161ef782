"""What can stand in the way of purchases and of what staff keep about a member."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from o2o.kernel.errors import BadRequest, Conflict, Invalid, NotFound


class PurchaseDiffers(Conflict):
    """The bill of that number was told of before, with other contents."""

    code: ClassVar[str] = "purchase.differs"

    def __init__(self, *, external_id: str, bought_at: datetime) -> None:
        """Keep the number and when the bill known by it was paid."""
        super().__init__(
            field="external_id", external_id=external_id, bought_at=bought_at.isoformat()
        )


class PurchaseMalformed(Invalid):
    """A bill without a number, with amounts below zero, or with more lines than anybody orders."""

    code: ClassVar[str] = "purchase.malformed"

    def __init__(self, *, field: str) -> None:
        """Keep the field at fault."""
        super().__init__(field=field)


class TagUnreadable(Invalid):
    """A tag is one to twenty characters that can be seen."""

    code: ClassVar[str] = "tag.unreadable"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="tag")


class TagsTooMany(Conflict):
    """The member has as many tags as anybody reads."""

    code: ClassVar[str] = "tag.too_many"

    def __init__(self, *, most: int) -> None:
        """Keep the limit."""
        super().__init__(field="tag", most=most)


class NoteUnreadable(Invalid):
    """A note is one to a thousand characters that can be seen."""

    code: ClassVar[str] = "note.unreadable"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="body")


class NoteNotFound(NotFound):
    """There is no such note of this member."""

    code: ClassVar[str] = "note.not_found"

    def __init__(self, *, note_id: UUID) -> None:
        """Keep what was asked for."""
        super().__init__(field="note_id", note_id=str(note_id))


class RelationToSelf(Invalid):
    """Nobody is related to himself in a way worth keeping."""

    code: ClassVar[str] = "relation.to_self"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="other")


class OtherMemberUnknown(NotFound):
    """Nobody of this brand is found by that card or phone number."""

    code: ClassVar[str] = "relation.other_unknown"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="other")


class AlreadyBrought(Conflict):
    """Somebody else brought that member."""

    code: ClassVar[str] = "relation.already_brought"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="other")


class BroughtInCircle(Conflict):
    """The member was brought by the one who is said to have been brought."""

    code: ClassVar[str] = "relation.brought_in_circle"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="other")


class TasteUnreadable(Invalid):
    """A taste is one to twenty characters that can be seen."""

    code: ClassVar[str] = "taste.unreadable"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="word")


class TastesTooMany(Conflict):
    """The member has declared as many tastes as anybody can heed."""

    code: ClassVar[str] = "taste.too_many"

    def __init__(self, *, most: int) -> None:
        """Keep the limit."""
        super().__init__(field="word", most=most)


class PlaceUnknown(BadRequest):
    """The page asked for begins at a place that is none of ours."""

    code: ClassVar[str] = "page.place_unknown"


class ReasonMissing(Invalid):
    """Whoever wants to see a phone number in full says why."""

    code: ClassVar[str] = "phone.reason_missing"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="reason")
