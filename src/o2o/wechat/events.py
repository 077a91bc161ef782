"""What happens between a fan and an official account."""

from datetime import datetime
from uuid import UUID

from o2o.kernel.events import Event


class FanFollowed(Event, frozen=True, kw_only=True):
    """A person follows the account, for the first time or again."""

    name = "fan.followed"

    fan_id: UUID
    account_id: UUID
    openid: str
    # From the QR code that led here, without its `qrscene_`.
    scene: str | None
    at: datetime


class FanUnfollowed(Event, frozen=True, kw_only=True):
    """A person stopped following; what WeChat's profile gave us is erased."""

    name = "fan.unfollowed"

    fan_id: UUID
    account_id: UUID
    openid: str
    at: datetime
