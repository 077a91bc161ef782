"""What can stand in the way of proving a phone, binding a card and becoming one member."""

from datetime import datetime
from math import ceil
from typing import ClassVar
from uuid import UUID

from o2o.kernel.errors import Conflict, Forbidden, Gone, Invalid, NotFound, TooMany, Unavailable

SECONDS_PER_MINUTE = 60


def minutes_of(seconds: int) -> int:
    """Round a wait up to whole minutes, as people are told it."""
    return ceil(seconds / SECONDS_PER_MINUTE)


class PhoneInvalid(Invalid):
    """It is not a mobile number of the mainland."""

    code: ClassVar[str] = "phone.invalid"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="phone")


class NameInvalid(Invalid):
    """A real name has 2 to 30 letters or characters, no digits."""

    code: ClassVar[str] = "name.invalid"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="name")


class NameFixed(Conflict):
    """A named member's name is not typed over: the higher prepaid limit hangs on it."""

    code: ClassVar[str] = "name.fixed"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="name")


class SMSNotOffered(Unavailable):
    """No provider of text messages is set up."""

    code: ClassVar[str] = "sms.not_offered"


class SMSTooOften(TooMany):
    """Enough messages went to this phone, for this person or from this address."""

    code: ClassVar[str] = "sms.too_often"

    def __init__(self, *, retry_after_seconds: int) -> None:
        """Keep when the next one may go."""
        super().__init__(
            field="phone",
            retry_after_seconds=retry_after_seconds,
            minutes=minutes_of(retry_after_seconds),
        )


class StepUpNeeded(Forbidden):
    """A member with a phone names another one only after proving the one in force."""

    code: ClassVar[str] = "phone.step_up_needed"


class CodeNotAsked(Gone):
    """There is nothing to prove: never asked for, over, or acted on already."""

    code: ClassVar[str] = "sms_code.over"


class CodeWrong(Invalid):
    """These are not the six digits that were sent."""

    code: ClassVar[str] = "sms_code.wrong"

    def __init__(self, *, tries_left: int) -> None:
        """Keep how many tries are left."""
        super().__init__(field="code", tries_left=tries_left)


class CodeDead(Gone):
    """Five wrong tries: a new code is needed."""

    code: ClassVar[str] = "sms_code.dead"


class PhoneNotProved(Forbidden):
    """No phone was proved in the last ten minutes."""

    code: ClassVar[str] = "phone.not_proved"


class CandidatesChanged(Conflict):
    """The cards to become one are no longer those that were shown."""

    code: ClassVar[str] = "merge.changed"


class MemberMergedAway(Conflict):
    """The member became one with another; money moves on that one."""

    code: ClassVar[str] = "member.merged"

    def __init__(self, *, member_id: UUID, survivor_id: UUID) -> None:
        """Keep who was asked for and who it is now."""
        super().__init__(
            field="member_id", member_id=str(member_id), survivor_member_id=str(survivor_id)
        )


class NotOneBrand(Conflict):
    """Members of two brands never become one, nor does a member with itself."""

    code: ClassVar[str] = "merge.not_one_brand"


class MergeNotFound(NotFound):
    """There is no such merge, or it is not for the one who asks."""

    code: ClassVar[str] = "merge.not_found"


class MergeUndone(Conflict):
    """The merge was undone already."""

    code: ClassVar[str] = "merge.undone"


class OtherPinNeeded(Forbidden):
    """The other member chose a pay PIN: proving its phone is not enough to get at its money."""

    code: ClassVar[str] = "merge.pin_needed"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="pay_pin")


class MergeReasonMissing(Invalid):
    """Staff join or part two members only with a reason."""

    code: ClassVar[str] = "merge.reason_missing"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="reason")


class MergeTooOld(Gone):
    """The seven days in which a merge can be undone are over."""

    code: ClassVar[str] = "merge.too_old"

    def __init__(self, *, undo_until: datetime) -> None:
        """Keep when they ended."""
        super().__init__(undo_until=undo_until.isoformat())


class LaterMergeFirst(Conflict):
    """The survivor itself became one with another member since: that has to be undone first."""

    code: ClassVar[str] = "merge.later_first"


class CardCodeWrong(Invalid):
    """No card of the brand has this number and this code; which of the two is wrong, nobody says.

    Counts as a guess.
    """

    code: ClassVar[str] = "card.code_wrong"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="card_no")


class CardGuessLocked(TooMany):
    """Too many wrong numbers or codes within an hour."""

    code: ClassVar[str] = "card.guess_locked"

    def __init__(self, *, retry_after_seconds: int) -> None:
        """Keep when to come back."""
        super().__init__(
            field="card_no",
            retry_after_seconds=retry_after_seconds,
            minutes=minutes_of(retry_after_seconds),
        )


class CardAlreadyYours(Conflict):
    """The card is bound to the one who asks."""

    code: ClassVar[str] = "card.already_yours"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="card_no")


class CardOfSomebodyElse(Conflict):
    """Another person in WeChat has bound the card."""

    code: ClassVar[str] = "card.bound_by_other"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="card_no")


class CardReportedLost(Conflict):
    """The card was reported lost; nobody uses it any more."""

    code: ClassVar[str] = "card.reported_lost"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="card_no")


class CardReplaced(Conflict):
    """Another card took this one's place."""

    code: ClassVar[str] = "card.replaced"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="card_no")


class CardUnknown(NotFound):
    """The member has no such card."""

    code: ClassVar[str] = "card.not_found"


class UnnamedCardNotReplaced(Conflict):
    """Only a named card can be reported lost (rules on prepaid cards: unnamed ones are cash)."""

    code: ClassVar[str] = "card.unnamed_no_loss"
