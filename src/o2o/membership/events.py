"""What membership tells the other domains, through the outbox, after the commit."""

from datetime import datetime
from typing import ClassVar

from o2o.kernel.events import Event
from o2o.kernel.ids import APIKeyId, BrandId, FanId, MemberId, PadId, StoreId, VisitId


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


class ScanLockBegan(Event, frozen=True, kw_only=True):
    """A scanner showed too many unknown codes and is locked for a minute."""

    name: ClassVar[str] = "pad.scan_locked"

    store_id: StoreId
    # One of the two.
    pad_id: PadId | None
    api_key_id: APIKeyId | None
    locked_until: datetime
    at: datetime
