"""States of the way round by WeChat: opened, used once, remembered for a second load, swept."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import delete, insert, text, update

from o2o.crm.wechat import OAuthState
from o2o.infra.database import Tx

LASTING = timedelta(minutes=5)

_USE = text(
    "UPDATE oauth_states SET used_at = :now WHERE state_hash = :state_hash"
    " AND account_id = :account_id AND browser_hash = :browser_hash AND used_at IS NULL"
    " AND expires_at > :now RETURNING next_path, scope, round"
)
_USED_JUST_NOW = text(
    "SELECT next_path, scope, round FROM oauth_states WHERE state_hash = :state_hash"
    " AND account_id = :account_id AND browser_hash = :browser_hash AND used_at > :reuse_since"
)


class OpenState(msgspec.Struct, frozen=True):
    """A state that came back in time with its own browser; `is_used` for a second load."""

    state_hash: bytes
    next_path: str
    scope: str
    round: int
    is_used: bool


async def open_state(
    tx: Tx,
    *,
    state_hash: bytes,
    account_id: UUID,
    browser_hash: bytes,
    next_path: str,
    scope: str,
    round_: int,
    now: datetime,
) -> None:
    """Write down that a browser sets out."""
    await tx.execute(
        insert(OAuthState).values(
            state_hash=state_hash,
            account_id=account_id,
            browser_hash=browser_hash,
            next_path=next_path,
            scope=scope,
            round=round_,
            created_at=now,
            expires_at=now + LASTING,
        )
    )


async def use_state(
    tx: Tx,
    *,
    state_hash: bytes,
    account_id: UUID,
    browser_hash: bytes,
    now: datetime,
    reuse_since: datetime,
) -> OpenState | None:
    """Use a state once, by one conditional update; None when it is not good (any more)."""
    owner = {
        "state_hash": state_hash,
        "account_id": account_id,
        "browser_hash": browser_hash,
    }
    row = (await tx.execute(_USE, {**owner, "now": now})).first()
    if row is not None:
        return OpenState(state_hash, row.next_path, row.scope, row.round, is_used=False)
    row = (await tx.execute(_USED_JUST_NOW, {**owner, "reuse_since": reuse_since})).first()
    if row is not None:
        return OpenState(state_hash, row.next_path, row.scope, row.round, is_used=True)
    return None


async def keep_result(tx: Tx, state_hash: bytes, *, fan_id: UUID, is_snapshot: bool) -> None:
    """Remember whom the state's code named, for a second load of the same address."""
    await tx.execute(
        update(OAuthState)
        .where(OAuthState.state_hash == state_hash)
        .values(fan_id=fan_id, is_snapshot=is_snapshot)
    )


async def sweep_states(tx: Tx, now: datetime) -> None:
    """Drop states that nobody can use any more."""
    await tx.execute(delete(OAuthState).where(OAuthState.expires_at < now - LASTING))
