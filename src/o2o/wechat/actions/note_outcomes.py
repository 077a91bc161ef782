"""Note what became of callbacks that reached no inbox; forget it when an account is set anew."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, text

from o2o.crm.wechat import CallbackOutcome
from o2o.infra.database import Tx

_NOTE = text(
    "INSERT INTO callback_outcomes AS o (account, outcome, count, last_at)"
    " VALUES (:account, :outcome, :count, :at)"
    " ON CONFLICT (account, outcome) DO UPDATE"
    " SET count = o.count + excluded.count, last_at = greatest(o.last_at, excluded.last_at)"
)


async def note_outcomes(tx: Tx, counts: Mapping[tuple[str, str], tuple[int, datetime]]) -> None:
    """Add counts by account and outcome, in key order, so that two processes wait, not deadlock."""
    for (account, outcome), (count, at) in sorted(counts.items()):
        await tx.execute(_NOTE, {"account": account, "outcome": outcome, "count": count, "at": at})


async def forget_outcomes(tx: Tx, account: str) -> None:
    """Forget an account's outcomes: they tell of settings that are no longer."""
    await tx.execute(delete(CallbackOutcome).where(CallbackOutcome.account == account))
