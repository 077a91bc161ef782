"""What members hold: stored value, told apart by principal and bonus, and points."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.kernel.ids import MemberId
from o2o.ledger.errors import AccountNotFound


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    """A member's holdings; `balance_fen` = `principal_fen` + `bonus_fen`."""

    balance_fen: int
    principal_fen: int
    bonus_fen: int
    points: int
    # Set aside for holds; not part of the balance.
    held_fen: int = 0


# One statement, so one snapshot: the balance and its lots never disagree.
_WALLETS = text(
    "SELECT a.owner_id, a.kind, a.balance,"
    " (SELECT coalesce(sum(l.remaining), 0) FROM ledger_lots l WHERE l.account_id = a.id"
    " AND l.remaining > 0 AND l.kind = 'bonus')::bigint AS bonus"
    " FROM ledger_accounts a"
    " WHERE a.owner_id = ANY(CAST(:member_ids AS uuid[]))"
    " AND a.kind IN ('member_stored_value', 'member_points', 'member_held')"
)


async def get_wallet(tx: Tx, member_id: MemberId) -> Wallet:
    """Return what a member holds. Raises AccountNotFound."""
    wallets = await list_wallets(tx, [member_id])
    if member_id not in wallets:
        raise AccountNotFound(owner="member", owner_id=member_id)
    return wallets[member_id]


async def list_wallets(tx: Tx, member_ids: Sequence[MemberId]) -> dict[MemberId, Wallet]:
    """Return what these members hold, in one statement; members without accounts are left out."""
    rows = await fetch_rows(tx, _WALLETS, {"member_ids": list(member_ids)})
    holdings: dict[MemberId, dict[str, int]] = {}
    for row in rows:
        of_member = holdings.setdefault(
            MemberId(row.owner_id),
            {"balance_fen": 0, "principal_fen": 0, "bonus_fen": 0, "points": 0, "held_fen": 0},
        )
        if row.kind == "member_points":
            of_member["points"] = row.balance
        elif row.kind == "member_held":
            of_member["held_fen"] = row.balance
        else:
            of_member["balance_fen"] = row.balance
            of_member["principal_fen"] = row.balance - row.bonus
            of_member["bonus_fen"] = row.bonus
    return {member_id: Wallet(**held) for member_id, held in holdings.items()}
