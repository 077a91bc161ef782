"""What can stand in the way of a card, a scan and a charge at the counter."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from o2o.kernel.errors import Conflict, Forbidden, Gone, Invalid, NotFound, TooMany
from o2o.kernel.money import format_yuan


class MemberNotFound(NotFound):
    """There is no such member, or not in the brand of whoever asks."""

    code: ClassVar[str] = "member.not_found"

    def __init__(self, *, member_id: UUID | None = None) -> None:
        """Keep who was asked for, unless it was by something else than the id."""
        if member_id is None:
            super().__init__()
        else:
            super().__init__(field="member_id", member_id=str(member_id))


class SnapshotSession(Forbidden):
    """WeChat showed the page to a virtual user, who can look but not join."""

    code: ClassVar[str] = "member.snapshot_session"


class CardNeeded(Forbidden):
    """Only somebody with a card can ask for this."""

    code: ClassVar[str] = "member.card_needed"


class ConsentMissing(Invalid):
    """The person did not say yes to the membership terms."""

    code: ClassVar[str] = "consent.missing"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="terms_version")


class TermsChanged(Conflict):
    """The person said yes to another version of the terms than the one in force."""

    code: ClassVar[str] = "consent.terms_changed"

    def __init__(self, *, terms_version: str) -> None:
        """Keep the version in force."""
        super().__init__(field="terms_version", terms_version=terms_version)


class CodeChecksumWrong(Invalid):
    """The digits do not fit together: misread or mistyped, no guess is spent."""

    code: ClassVar[str] = "code.checksum_wrong"


class CodeIsWeChatPay(Invalid):
    """It is a WeChat Pay code, not ours."""

    code: ClassVar[str] = "code.is_wechat_pay"


class CodeIsAlipay(Invalid):
    """It is an Alipay code, not ours."""

    code: ClassVar[str] = "code.is_alipay"


class QRUnreadable(Invalid):
    """The text is none of ours: too long, binary, or another site's address; never opened."""

    code: ClassVar[str] = "qr.unreadable"


class QRWrongKind(Invalid):
    """It is ours but for another page; `kind` says which."""

    code: ClassVar[str] = "qr.wrong_kind"

    def __init__(self, *, kind: str) -> None:
        """Keep what it is."""
        super().__init__(kind=kind)


class CodeUnknown(NotFound):
    """No member of this brand was ever shown that code. Counts as a guess."""

    code: ClassVar[str] = "code.unknown"


class CodeExpired(Gone):
    """The code's minute is over, or a newer one took its place."""

    code: ClassVar[str] = "code.expired"


class CodeUsed(Conflict):
    """The code opened a visit already."""

    code: ClassVar[str] = "code.used"

    def __init__(self, *, used_at: datetime, used_clock: str, store_name: str) -> None:
        """Keep when (also as the store's clock shows it) and where."""
        super().__init__(used_at=used_at.isoformat(), used_clock=used_clock, store_name=store_name)


class ScanLocked(TooMany):
    """Too many unknown codes in a minute from this scanner."""

    code: ClassVar[str] = "pad.scan_locked"

    def __init__(self, *, retry_after_seconds: int) -> None:
        """Keep when to come back."""
        super().__init__(retry_after_seconds=retry_after_seconds)


class UnlikelyTravel(Conflict):
    """Nobody gets here that fast from where the member was; the member has to say yes."""

    code: ClassVar[str] = "visit.unlikely_travel"

    def __init__(self, *, visit_id: UUID, store_name: str) -> None:
        """Keep the held visit and where the member was last."""
        super().__init__(visit_id=str(visit_id), store_name=store_name)


class VisitNeeded(Invalid):
    """Money moves at a pad only inside a visit."""

    code: ClassVar[str] = "visit.needed"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="visit_id")


class VisitExpired(Gone):
    """The visit's five minutes are over, or it was closed."""

    code: ClassVar[str] = "visit.expired"


class VisitNotYours(Forbidden):
    """There is no such visit of this member, pad and store."""

    code: ClassVar[str] = "visit.not_yours"


class UnattendedNotAllowed(Forbidden):
    """The key may debit only inside a visit or with a member code."""

    code: ClassVar[str] = "debit.unattended_not_allowed"


class DebitOverLimit(Forbidden):
    """The key may debit without the member only up to a limit."""

    code: ClassVar[str] = "debit.over_limit"

    def __init__(self, *, limit_fen: int) -> None:
        """Keep the limit."""
        super().__init__(field="amount_fen", limit_fen=limit_fen, limit_yuan=format_yuan(limit_fen))
