"""Reads of OAuth states."""

from uuid import UUID

import msgspec
from sqlalchemy import select

from o2o.crm.wechat import OAuthState
from o2o.infra.database import Tx


class StateResult(msgspec.Struct, frozen=True):
    """Whom a state's code named."""

    fan_id: UUID
    is_snapshot: bool


async def find_result(tx: Tx, state_hash: bytes) -> StateResult | None:
    """Return whom the code of a state named; None while WeChat is still being asked."""
    row = (
        await tx.execute(
            select(OAuthState.fan_id, OAuthState.is_snapshot).where(
                OAuthState.state_hash == state_hash
            )
        )
    ).first()
    if row is None or row.fan_id is None:
        return None
    return StateResult(row.fan_id, row.is_snapshot)
