"""Close the accounts of members who leave for good: empty as they are, they stay empty."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId

_CLOSE = text(
    "UPDATE ledger_accounts SET closed_at = :now"
    " WHERE owner_id = ANY(CAST(:member_ids AS uuid[])) AND closed_at IS NULL"
)


async def close_accounts(tx: Tx, *, member_ids: Sequence[MemberId], now: datetime) -> None:
    """Let nothing come into these members' pockets any more, nor be given back to them.

    Whoever calls holds their locks. What was done is still answered when it is sent again. The
    table refuses it (`closed_is_empty`) while something is left.
    """
    await tx.execute(_CLOSE, {"member_ids": list(member_ids), "now": now})
