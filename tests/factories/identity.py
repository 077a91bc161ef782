"""People who prove phones and hold bought cards, for tests."""

from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.members import Member, MemberIdentity, OfflineCard
from o2o.crm.organisation import Brand, OfficialAccount
from o2o.crm.statuses import IdentityKind, OfflineCardStatus
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import MemberId, new_id
from o2o.membership.actions.import_code import code_hash
from o2o.notifications.actions.queue_code import QueuedCode, open_code
from tests.factories.members import Counter, given_balance, given_fan, given_member
from tests.fakes.clock import NOON

PHONE = "13800010001"


class Someone(msgspec.Struct, frozen=True, kw_only=True):
    """A fan, and the member they are."""

    fan_id: UUID
    account_id: UUID
    member_id: MemberId | None


async def given_someone(
    tx: Tx,
    counter: Counter,
    *,
    account: OfficialAccount | None = None,
    member_id: MemberId | None = None,
    is_member: bool = True,
    balance_fen: int = 0,
    unionid: str | None = None,
) -> Someone:
    """A fan with a member of their own, unless told otherwise."""
    account = account or counter.account
    if is_member and member_id is None:
        member_id = await given_member(tx, counter.brand)
        if balance_fen:
            await given_balance(tx, member_id, counter.store.id, principal_fen=balance_fen)
    fan = await given_fan(tx, account, member_id=member_id, unionid=unionid)
    return Someone(fan_id=fan.id, account_id=account.id, member_id=member_id)


async def given_phone(
    tx: Tx, brand: Brand, member_id: MemberId, phone: str, *, is_verified: bool = True
) -> None:
    """Let a member have a phone."""
    member = await tx.get_one(Member, member_id)
    member.phone, member.phone_verified_at = phone, NOON if is_verified else None
    tx.add(
        MemberIdentity(
            id=new_id(),
            brand_id=brand.id,
            member_id=member_id,
            kind=IdentityKind.PHONE,
            value=phone,
            created_at=NOON,
        )
    )
    await tx.flush()


async def given_bought_card(
    tx: Tx,
    counter: Counter,
    *,
    seal: Seal,
    card_no: str = "SV00012345",
    code: str = "AB01CD23",
    balance_fen: int = 20_000,
    phone: str | None = None,
    status: OfflineCardStatus = OfflineCardStatus.UNBOUND,
) -> MemberId:
    """A card bought over the counter, with the member that nobody has claimed."""
    member_id = await given_member(tx, counter.brand)
    if balance_fen:
        await given_balance(tx, member_id, counter.store.id, principal_fen=balance_fen)
    if phone:
        member = await tx.get_one(Member, member_id)
        member.phone = phone
    tx.add(
        OfflineCard(
            id=new_id(),
            brand_id=counter.brand.id,
            member_id=member_id,
            card_no=card_no,
            code_hash=code_hash(seal, card_no=card_no, code=code),
            status=status,
            store_id=counter.store.id,
            created_at=NOON,
        )
    )
    await tx.flush()
    return member_id


async def last_code(sessions: SessionFactory, seal: Seal) -> QueuedCode:
    """The message that would leave next."""
    async with transaction(sessions) as tx:
        payload = await tx.scalar(
            text(
                "SELECT payload FROM outbox_messages WHERE topic = 'sms.send'"
                " ORDER BY id DESC LIMIT 1"
            )
        )
    return open_code(payload, seal=seal)


async def status_of(sessions: SessionFactory, member_id: UUID) -> tuple[str, UUID | None]:
    """How a member stands, and whom it became one with."""
    async with sessions() as tx:
        row = (
            await tx.execute(
                text("SELECT status, merged_into_id FROM members WHERE id = :id"),
                {"id": member_id},
            )
        ).one()
    return row.status, row.merged_into_id


async def member_of(sessions: SessionFactory, fan_id: UUID) -> UUID | None:
    """Whose member a fan is."""
    async with sessions() as tx:
        found: UUID | None = await tx.scalar(
            text("SELECT member_id FROM fans WHERE id = :id"), {"id": fan_id}
        )
    return found
