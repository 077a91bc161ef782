"""A brand whose programme is set: charges, reversals, tiers and people who may decide."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.organisation import Tier
from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import SessionFactory, transaction
from o2o.kernel.ids import BrandId, MemberId, StoreId, TransferId, new_id, new_request_id
from o2o.ledger.actions.debit_stored_value import DebitStoredValue, debit_stored_value
from o2o.ledger.actions.reverse_transfers import ReverseTransfer, reverse_debits
from tests.factories.members import Counter
from tests.factories.staff import given_staff


class People(msgspec.Struct, frozen=True, kw_only=True):
    """Who may do what for the brand; the second of a kind decides where the first proposed."""

    marketer: UUID
    manager: UUID
    store_manager: UUID
    agent: UUID
    finance: UUID
    other_finance: UUID
    clerk: UUID


async def given_people(sessions: SessionFactory, at: Counter) -> People:
    """One person for each role of the programme, logins named like the fields."""
    roles = {
        "marketer": (StaffRoleName.MARKETER, None),
        "manager": (StaffRoleName.MANAGER, None),
        "store_manager": (StaffRoleName.MANAGER, at.store.id),
        "agent": (StaffRoleName.SERVICE, None),
        "finance": (StaffRoleName.FINANCE, None),
        "other_finance": (StaffRoleName.FINANCE, None),
        "clerk": (StaffRoleName.CLERK, at.store.id),
    }
    async with transaction(sessions) as tx:
        return People(
            **{
                name: await given_staff(tx, at.brand, role=role, store_id=store, login=name)
                for name, (role, store) in roles.items()
            }
        )


async def given_rules(sessions: SessionFactory, at: Counter, **values: Any) -> None:
    """Set columns of the brand's programme."""
    sets = ", ".join(f"{name} = :{name}" for name in values)
    async with transaction(sessions) as tx:
        await tx.execute(
            text(f"UPDATE programmes SET {sets} WHERE brand_id = :brand_id"),
            {**values, "brand_id": at.brand.id},
        )


async def given_tiers(sessions: SessionFactory, at: Counter, **tiers: dict[str, Any]) -> None:
    """Put tiers above the lowest, in order; each code with the columns it has."""
    async with transaction(sessions) as tx:
        for rank, (code, columns) in enumerate(tiers.items(), start=1):
            fields = {"name": code, "spend_from_fen": None, **columns}
            tx.add(Tier(id=new_id(), brand_id=at.brand.id, code=code, rank=rank, **fields))


async def charge(
    sessions: SessionFactory,
    at: Counter,
    amount_fen: int,
    *,
    now: datetime,
    member_id: MemberId | None = None,
) -> TransferId:
    """A debit in the books."""
    command = DebitStoredValue(
        request_id=new_request_id(),
        member_id=member_id or at.member_id,
        store_id=StoreId(at.store.id),
        amount_fen=amount_fen,
        now=now,
    )
    async with transaction(sessions) as tx:
        [done] = await debit_stored_value(tx, [command], is_announced=False)
    assert not isinstance(done, Exception), done
    return done.transfer_id


async def reverse(
    sessions: SessionFactory,
    at: Counter,
    transfer_id: TransferId,
    *,
    now: datetime,
    amount: int | None = None,
) -> None:
    """Some of a debit, or all that is left of it, back in the books."""
    command = ReverseTransfer(
        request_id=new_request_id(),
        member_id=at.member_id,
        store_id=StoreId(at.store.id),
        transfer_id=transfer_id,
        amount=amount,
        now=now,
    )
    async with transaction(sessions) as tx:
        [done] = await reverse_debits(tx, [command])
    assert not isinstance(done, Exception), done


async def points_of(sessions: SessionFactory, member_id: UUID) -> int:
    """What points a member has, as committed."""
    async with sessions() as tx:
        return int(
            await tx.scalar(
                text(
                    "SELECT balance FROM ledger_accounts"
                    " WHERE owner_id = :id AND kind = 'member_points'"
                ),
                {"id": member_id},
            )
            or 0
        )


async def tier_of(sessions: SessionFactory, member_id: UUID) -> tuple[str, datetime | None]:
    """At which tier a member is, and until when."""
    async with sessions() as tx:
        row = (
            await tx.execute(
                text(
                    "SELECT t.code, m.tier_valid_until FROM members m"
                    " JOIN tiers t ON t.id = m.tier_id WHERE m.id = :id"
                ),
                {"id": member_id},
            )
        ).one()
    return row.code, row.tier_valid_until


def brand_of(at: Counter) -> BrandId:
    """The counter's brand."""
    return BrandId(at.brand.id)
