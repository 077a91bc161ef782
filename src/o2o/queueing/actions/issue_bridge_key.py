"""Give a store's machine a key to sign with; a new one takes the place of the old at once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.seal import Seal, new_token

_KEEP = text(
    "INSERT INTO bridges (store_id, key_sealed, created_at) VALUES (:store_id, :key, :now)"
    # Messages are counted anew: none signed with the old key is good any more, and a machine that
    # once counted too far would never be heard again.
    " ON CONFLICT (store_id) DO UPDATE SET key_sealed = excluded.key_sealed,"
    " seq = least(bridges.seq, 1)"
)


def key_label(store_id: UUID) -> str:
    """Return the place for which a bridge's key is sealed."""
    return f"bridge:{store_id}"


async def issue_bridge_key(
    tx: Tx, *, store_id: UUID, seal: Seal, actor: Actor, now: datetime
) -> str:
    """Return a new key, this once; what was heard so far stays, messages count from 2 on."""
    key = new_token()
    sealed = seal.seal(key, label=key_label(store_id))
    await tx.execute(_KEEP, {"store_id": store_id, "key": sealed, "now": now})
    await note(
        tx,
        actor=actor,
        action="bridge.key_issued",
        at=now,
        subject=("store", store_id),
        store_id=store_id,
    )
    return key
