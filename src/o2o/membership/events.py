"""What membership tells the other domains, through the outbox, after the commit."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from o2o.kernel.events import Event
from o2o.kernel.ids import (
    APIKeyId,
    BrandId,
    FanId,
    MemberId,
    PadId,
    RequestId,
    StoreId,
    VisitId,
)


class MemberJoined(Event, frozen=True, kw_only=True):
    """A fan opened the card and consented: there is one member more."""

    name: ClassVar[str] = "member.joined"

    member_id: MemberId
    brand_id: BrandId
    fan_id: FanId
    at: datetime


class VisitOpened(Event, frozen=True, kw_only=True):
    """A member code was scanned: for five minutes at most, money may move."""

    name: ClassVar[str] = "visit.opened"

    visit_id: VisitId
    member_id: MemberId
    store_id: StoreId
    at: datetime


class VisitHeld(Event, frozen=True, kw_only=True):
    """A member code was scanned where the member can hardly be; the member is asked."""

    name: ClassVar[str] = "visit.held"

    visit_id: VisitId
    member_id: MemberId
    store_id: StoreId
    last_store_id: StoreId
    at: datetime


class ChargeAsked(Event, frozen=True, kw_only=True):
    """A charge needs the member's own yes; the phone is asked."""

    name: ClassVar[str] = "charge.asked"

    request_id: RequestId
    member_id: MemberId
    store_id: StoreId
    amount_fen: int
    at: datetime


class ScanLockBegan(Event, frozen=True, kw_only=True):
    """A scanner showed too many unknown codes and is locked for a minute."""

    name: ClassVar[str] = "pad.scan_locked"

    store_id: StoreId
    # One of the two.
    pad_id: PadId | None
    api_key_id: APIKeyId | None
    locked_until: datetime
    at: datetime


class TierChanged(Event, frozen=True, kw_only=True):
    """A member went up or down among the brand's tiers; `reason` is a TierMoveReason."""

    name: ClassVar[str] = "tier.changed"

    member_id: MemberId
    brand_id: BrandId
    from_code: str
    to_code: str
    to_name: str
    is_up: bool
    reason: str
    # Until when the new tier holds; None is without an end.
    valid_until: datetime | None
    at: datetime


class ProgrammeChanged(Event, frozen=True, kw_only=True):
    """A marketer changed the conditions of tiers: whoever meets them now goes up.

    Members are gone through in the order of their ids, a stretch per event; `after` is the last one
    of the stretch before.
    """

    name: ClassVar[str] = "programme.tiers_changed"

    brand_id: BrandId
    after: MemberId | None
    at: datetime


class AdjustmentDecided(Event, frozen=True, kw_only=True):
    """A correction of a member's stored value (fen) or points was carried out."""

    name: ClassVar[str] = "adjustment.approved"

    adjustment_id: UUID
    member_id: MemberId
    brand_id: BrandId
    asset: str
    delta: int
    balance: int
    at: datetime


class MemberDeleted(Event, frozen=True, kw_only=True):
    """A member asked to be forgotten and is: only the number is left, which names nobody."""

    name: ClassVar[str] = "member.deleted"

    member_id: MemberId
    brand_id: BrandId
    at: datetime


class MembersMerged(Event, frozen=True, kw_only=True):
    """`merged_member_id` became one with `member_id`: its money and rows are there now."""

    name: ClassVar[str] = "member.merged"

    merge_id: UUID
    member_id: MemberId
    merged_member_id: MemberId
    brand_id: BrandId
    at: datetime


class MembersUnmerged(Event, frozen=True, kw_only=True):
    """`returned_member_id` came out of `member_id` again, with what it brought."""

    name: ClassVar[str] = "member.unmerged"

    merge_id: UUID
    member_id: MemberId
    returned_member_id: MemberId
    brand_id: BrandId
    at: datetime


class CardReportedLost(Event, frozen=True, kw_only=True):
    """A member's card number is dead and another one took its place."""

    name: ClassVar[str] = "card.reported_lost"

    member_id: MemberId
    brand_id: BrandId
    card_no: str
    at: datetime


class RefundDecided(Event, frozen=True, kw_only=True):
    """A refund that a member asked for was paid out, or refused."""

    name: ClassVar[str] = "refund.decided"

    refund_id: UUID
    member_id: MemberId
    brand_id: BrandId
    is_paid: bool
    # In fen; 0 and an empty tender where it was refused.
    amount_fen: int
    tender: str
    at: datetime


class PassOnOffered(Event, frozen=True, kw_only=True):
    """A member set stored value aside for another one, who may take it for a day."""

    name: ClassVar[str] = "pass_on.offered"

    offer_id: UUID
    brand_id: BrandId
    from_member_id: MemberId
    # None where whoever holds the link may take it.
    to_member_id: MemberId | None
    amount_fen: int
    at: datetime


class PassOnSettled(Event, frozen=True, kw_only=True):
    """An offer of stored value ended: accepted, or back on the card it came from."""

    name: ClassVar[str] = "pass_on.settled"

    offer_id: UUID
    brand_id: BrandId
    from_member_id: MemberId
    to_member_id: MemberId | None
    amount_fen: int
    # A PassOnStatus.
    status: str
    at: datetime
