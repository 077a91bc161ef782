"""The SQL of fans: who wrote, whether they follow, where they stand in a dialogue."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, text

from o2o.crm.members import Fan
from o2o.infra.database import Tx
from o2o.infra.direct import fetch_direct
from o2o.kernel.ids import new_id

Person = tuple[UUID, str]

_CONTEXT = (
    "SELECT asked.place, f.id, f.member_id, f.is_following, f.unfollowed_at,"
    " d.name, d.step, d.state, d.expires_at"
    " FROM json_to_recordset(CAST(CAST($1 AS text) AS json))"
    " AS asked(place integer, account_id uuid, openid text)"
    " JOIN fans f USING (account_id, openid)"
    " LEFT JOIN dialogues d USING (account_id, openid)"
)
_ADD = text(
    "INSERT INTO fans (id, account_id, openid, is_following, created_at)"
    " SELECT id, account_id, openid, is_following, :now FROM unnest(CAST(:ids AS uuid[]),"
    " CAST(:account_ids AS uuid[]), CAST(:openids AS text[]), CAST(:are_following AS boolean[]))"
    " AS n(id, account_id, openid, is_following)"
    " ORDER BY account_id, openid ON CONFLICT (account_id, openid) DO NOTHING"
)


class FanContext(msgspec.Struct, frozen=True):
    """What the chat knows of a fan before it answers."""

    fan_id: UUID
    member_id: UUID | None
    is_following: bool
    unfollowed_at: datetime | None
    dialogue_name: str | None
    dialogue_step: str | None
    dialogue_state: dict[str, Any] | None
    dialogue_expires_at: datetime | None


class NewFan(msgspec.Struct, frozen=True):
    """A person whom an account sees for the first time."""

    person: Person
    is_following: bool


class _Asked(msgspec.Struct, frozen=True, gc=False):
    # In the answer it stands for the person, whose two names would take longer to read.
    place: int
    account_id: UUID
    openid: str


async def find_contexts(tx: Tx, people: Sequence[Person]) -> dict[Person, FanContext]:
    """Return what is known of these people, in one statement; unknown ones are left out."""
    # One JSON text instead of arrays, for the reason told in `queries.inbox`.
    asked = [_Asked(place, account_id, openid) for place, (account_id, openid) in enumerate(people)]
    rows = await fetch_direct(tx, _CONTEXT, msgspec.json.encode(asked).decode())
    return {people[row[0]]: FanContext(*row[1:]) for row in rows}


async def add_fans(tx: Tx, fans: Sequence[NewFan], *, now: datetime) -> None:
    """Write down people seen for the first time; one who is known already stays as is."""
    await tx.execute(
        _ADD,
        {
            "ids": [new_id() for _ in fans],
            "account_ids": [fan.person[0] for fan in fans],
            "openids": [fan.person[1] for fan in fans],
            "are_following": [fan.is_following for fan in fans],
            "now": now,
        },
    )


async def find_fan(tx: Tx, *, account_id: UUID, openid: str) -> Fan | None:
    """Return a fan by openid in one account."""
    found: Fan | None = await tx.scalar(
        select(Fan).where(Fan.account_id == account_id, Fan.openid == openid)
    )
    return found
