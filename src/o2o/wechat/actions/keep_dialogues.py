"""Keep where fans stand in their dialogues, and end dialogues."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.wechat.chat.asks import EndDialogue, KeepDialogue

Person = tuple[UUID, str]

_KEEP = text(
    "INSERT INTO dialogues (account_id, openid, name, step, state, expires_at)"
    " SELECT account_id, openid, name, step, state::jsonb, expires_at FROM unnest("
    " CAST(:account_ids AS uuid[]), CAST(:openids AS text[]), CAST(:names AS text[]),"
    " CAST(:steps AS text[]), CAST(:states AS text[]), CAST(:expires_ats AS timestamptz[]))"
    " AS d(account_id, openid, name, step, state, expires_at) ORDER BY account_id, openid"
    " ON CONFLICT (account_id, openid) DO UPDATE SET name = excluded.name,"
    " step = excluded.step, state = excluded.state, expires_at = excluded.expires_at"
)
_END = text(
    "DELETE FROM dialogues d USING unnest(CAST(:account_ids AS uuid[]), CAST(:openids AS text[]))"
    " AS e(account_id, openid) WHERE d.account_id = e.account_id AND d.openid = e.openid"
)
_EXPIRE = text("DELETE FROM dialogues WHERE expires_at < :now")


async def change_dialogues(
    tx: Tx, changes: Mapping[Person, KeepDialogue | EndDialogue], *, now: datetime
) -> None:
    """Begin, advance or end the dialogues of some people, in two statements at most."""
    kept = {p: change for p, change in changes.items() if isinstance(change, KeepDialogue)}
    if kept:
        await tx.execute(
            _KEEP,
            {
                "account_ids": [person[0] for person in kept],
                "openids": [person[1] for person in kept],
                "names": [change.name for change in kept.values()],
                "steps": [change.step for change in kept.values()],
                "states": [_state_json(change) for change in kept.values()],
                "expires_ats": [now + change.lasting for change in kept.values()],
            },
        )
    await end_dialogues(tx, [person for person in changes if person not in kept])


async def end_dialogues(tx: Tx, people: Sequence[Person]) -> None:
    """Forget where these people stood."""
    if people:
        await tx.execute(
            _END,
            {"account_ids": [p[0] for p in people], "openids": [p[1] for p in people]},
        )


async def expire_dialogues(tx: Tx, now: datetime) -> None:
    """Drop dialogues that nobody went on with."""
    await tx.execute(_EXPIRE, {"now": now})


def _state_json(change: KeepDialogue) -> str:
    state = change.state if change.state is not None else {}
    return msgspec.json.encode(state).decode()
