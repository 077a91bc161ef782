"""Tell a member what the programme's rules did: a tier reached, points ending, a correction."""

from datetime import datetime, timedelta
from uuid import UUID

from o2o.infra.database import Tx
from o2o.kernel.money import format_yuan
from o2o.notifications.actions.tell_member import ZONE, tell_member
from o2o.wechat.templates import Value

TIER_CHANGED = "tier_changed"
POINTS_EXPIRING = "points_expiring"
POINTS_ADJUSTED = "points_adjusted"
STORED_VALUE_ADJUSTED = "stored_value_adjusted"


async def tell_of_tier(
    tx: Tx, *, member_id: UUID, tier_name: str, before_name: str, at: datetime, now: datetime
) -> UUID | None:
    """Queue the message of a tier reached; None when nobody follows, or it was told."""
    return await tell_member(
        tx,
        purpose=TIER_CHANGED,
        member_id=member_id,
        values={"tier": tier_name, "before": before_name, "at": at.astimezone(ZONE)},
        page="card",
        client_msg_id=f"tier:{member_id}:{at.isoformat()}",
        now=now,
    )


async def tell_of_expiry(
    tx: Tx,
    *,
    member_id: UUID,
    points: int,
    balance: int,
    expires_at: datetime,
    days_before: int,
    now: datetime,
) -> UUID | None:
    """Queue the reminder that points end; `expires_at` is exclusive, the day named is the last."""
    last_day = (expires_at - timedelta(seconds=1)).astimezone(ZONE)
    return await tell_member(
        tx,
        purpose=POINTS_EXPIRING,
        member_id=member_id,
        values={"points": points, "balance": balance, "last_day": last_day},
        page="points",
        client_msg_id=f"expiry:{member_id}:{last_day:%Y-%m}:{days_before}",
        now=now,
    )


async def tell_of_adjustment(
    tx: Tx,
    *,
    adjustment_id: UUID,
    member_id: UUID,
    is_points: bool,
    delta: int,
    balance: int,
    reason: str,
    at: datetime,
    now: datetime,
) -> UUID | None:
    """Queue the message of a correction, `delta` and `balance` in points or fen."""
    values: dict[str, Value] = {
        "balance": balance,
        "reason": reason,
        "at": at.astimezone(ZONE),
    }
    if is_points:
        values["points"] = abs(delta)
    else:
        values["change"] = _signed(delta)
    return await tell_member(
        tx,
        purpose=POINTS_ADJUSTED if is_points else STORED_VALUE_ADJUSTED,
        member_id=member_id,
        values=values,
        page="points" if is_points else "wallet",
        client_msg_id=f"adjustment:{adjustment_id}",
        now=now,
    )


def _signed(delta_fen: int) -> str:
    return f"{'+' if delta_fen > 0 else '-'}{format_yuan(abs(delta_fen))}"
