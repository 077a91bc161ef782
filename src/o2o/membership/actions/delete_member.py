"""Delete a member: settle first, then erase every name, number and text the person is known by.

The books keep a number that belongs to nobody. Whoever follows again is a new person.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.locks import lock_names
from o2o.infra.outbox import publish
from o2o.kernel.ids import BrandId, MemberId
from o2o.ledger.actions.close_accounts import close_accounts
from o2o.membership.actions.give_up_holdings import give_up_holdings
from o2o.membership.actions.withdraw_pass_on import decline_pass_on
from o2o.membership.errors_privacy import BalanceLeft, NotSettled
from o2o.membership.events import MemberDeleted
from o2o.membership.queries.leaving import get_leaving
from o2o.membership.queries.pass_on import list_open_offers_to
from o2o.membership.queries.personal_data import KNOWLEDGE, Person, get_person, person_values

# Members first, then their money: nobody charges, scans or joins meanwhile.
_LOCK_MEMBERS = text(
    "SELECT id FROM members WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE"
)
_LOCK_ACCOUNTS = text(
    "SELECT id FROM ledger_accounts WHERE owner_id = ANY(CAST(:ids AS uuid[]))"
    " ORDER BY id FOR UPDATE"
)


class DeletedMember(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased."""

    member_id: MemberId
    rows_erased: int
    # Who the person was in each account, for what is kept outside of the database.
    openids: list[str]


async def delete_member(
    tx: Tx, *, member_id: UUID, gives_up_balance: bool, now: datetime
) -> DeletedMember:
    """Erase a member for good; points lapse, and money only when the member gives it up.

    Whoever calls has made sure that it is the member who asks. Raises MemberNotFound, NotSettled
    while something is under way, BalanceLeft. Publishes member.deleted.
    """
    person = await _lock(tx, member_id)
    leaving = await get_leaving(tx, person.member_ids, now=now)
    if leaving.under_way:
        raise NotSettled(what=leaving.under_way)
    if leaving.principal_fen > 0 and not gives_up_balance:
        raise BalanceLeft(principal_fen=leaving.principal_fen, bonus_fen=leaving.bonus_fen)
    for offer_id in await list_open_offers_to(tx, person.member_ids):
        await decline_pass_on(tx, offer_id=offer_id, member_id=member_id, by_link=False, now=now)
    await give_up_holdings(tx, member_ids=person.member_ids, now=now)
    members = [MemberId(one) for one in person.member_ids]
    await close_accounts(tx, member_ids=members, now=now)
    erased = await _erase(tx, person, now=now)
    await note(
        tx,
        actor=Actor("member", member_id),
        action="member.deleted",
        at=now,
        subject=("member", member_id),
        given_up_principal_fen=leaving.principal_fen,
        given_up_bonus_fen=leaving.bonus_fen,
        lapsed_points=leaving.points,
        fans=len(person.fan_ids),
    )
    await publish(
        tx,
        MemberDeleted(member_id=MemberId(member_id), brand_id=BrandId(person.brand_id), at=now),
        now=now,
    )
    return DeletedMember(member_id=MemberId(member_id), rows_erased=erased, openids=person.openids)


async def _lock(tx: Tx, member_id: UUID) -> Person:
    """Hold everything that could change meanwhile. Raises MemberNotFound."""
    seen = await get_person(tx, member_id)
    # As whoever joins does: nobody is recognised by these names before we are done.
    await lock_names(
        tx,
        *(f"member:{seen.brand_id}:openid:{openid}" for openid in seen.openids),
        *(f"member:{seen.brand_id}:unionid:{unionid}" for unionid in seen.unionids),
    )
    await tx.execute(_LOCK_MEMBERS, {"ids": seen.member_ids})
    # Only now: whoever held these rows before us has committed, and is seen from here on.
    person = await get_person(tx, member_id)
    await tx.execute(_LOCK_ACCOUNTS, {"ids": person.member_ids})
    return person


async def _erase(tx: Tx, person: Person, *, now: datetime) -> int:
    values = person_values(person) | {"now": now}
    erased = 0
    for knowledge in KNOWLEDGE:
        if knowledge.deletion_sql is not None:
            done = await tx.execute(text(knowledge.deletion_sql), values)
            erased += int(getattr(done, "rowcount", 0))
    return erased
