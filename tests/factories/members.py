"""Fans, members and a counter at which they are served, for tests."""

from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.members import Fan, Member
from o2o.crm.organisation import Brand, OfficialAccount, Store
from o2o.crm.statuses import Tender
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import BrandId, MemberId, StoreId, new_id, new_request_id
from o2o.ledger.actions.open_accounts import open_store_accounts
from o2o.ledger.actions.top_up_stored_value import TopUpStoredValue, top_up_stored_value
from o2o.membership.actions.issue_card import create_member_with_card
from o2o.membership.scanners import AtPad, ByKey
from tests.factories.organisation import given_account, given_brand, given_store
from tests.factories.staff import given_key, given_pad, given_staff
from tests.fakes.clock import NOON

# Hangzhou, 165 km from the Shanghai of `given_store`.
HANGZHOU = (30.2465, 120.1685)


class Counter(msgspec.Struct, frozen=True, kw_only=True):
    """Two stores of one brand, a pad and a clerk in each, a key, and a member with money."""

    brand: Brand
    account: OfficialAccount
    store: Store
    far_store: Store
    pad: AtPad
    near_pad: AtPad
    far_pad: AtPad
    key: ByKey
    key_token: str
    member_id: MemberId


async def given_fan(
    tx: Tx,
    account: OfficialAccount,
    *,
    unionid: str | None = None,
    is_following: bool = True,
    member_id: UUID | None = None,
) -> Fan:
    """Somebody who follows the account."""
    fan = Fan(
        id=new_id(),
        account_id=account.id,
        openid=f"o{new_id().hex}",
        unionid=unionid,
        member_id=member_id,
        is_following=is_following,
        followed_at=NOON if is_following else None,
        created_at=NOON,
    )
    tx.add(fan)
    await tx.flush()
    return fan


async def given_member(tx: Tx, brand: Brand, *, is_named: bool = False) -> MemberId:
    """A member with a card and empty accounts."""
    member_id = await create_member_with_card(
        tx, brand_id=BrandId(brand.id), card_prefix=brand.card_prefix, now=NOON
    )
    if is_named:
        member = await tx.get_one(Member, member_id)
        member.name, member.phone, member.phone_verified_at = "王小明", "19900001234", NOON
        await tx.flush()
    return member_id


async def given_balance(
    tx: Tx, member_id: MemberId, store_id: UUID, *, principal_fen: int, bonus_fen: int = 0
) -> None:
    """Money on a card."""
    [done] = await top_up_stored_value(
        tx,
        [
            TopUpStoredValue(
                request_id=new_request_id(),
                member_id=member_id,
                store_id=StoreId(store_id),
                principal_fen=principal_fen,
                bonus_fen=bonus_fen,
                tender=Tender.CASH,
                balance_fen_max=500_000,
                now=NOON,
            )
        ],
    )
    assert not isinstance(done, Exception), done


async def given_counter(
    sessions: SessionFactory,
    *,
    seal: Seal,
    balance_fen: int = 10_000,
    unattended_debit_fen_max: int = 0,
) -> Counter:
    """A committed counter; the key may debit unattended when it has a limit."""
    async with transaction(sessions) as tx:
        brand = await given_brand(tx)
        account = await given_account(tx, brand, seal=seal)
        store = await given_store(tx, brand, account)
        far_store = await given_store(tx, brand, account, name="小灶湖滨店")
        far_store.latitude, far_store.longitude = HANGZHOU
        stores = [StoreId(store.id), StoreId(far_store.id)]
        await open_store_accounts(tx, brand_id=BrandId(brand.id), store_ids=stores, now=NOON)
        clerk_id = await given_staff(tx, brand, store_id=store.id)
        far_clerk_id = await given_staff(tx, brand, store_id=far_store.id)
        pads = [
            AtPad(
                pad_id=(await given_pad(tx, seal=seal, store_id=place.id)).pad_id,
                store_id=place.id,
                staff_id=staff_id,
                brand_id=brand.id,
            )
            for place, staff_id in (
                (store, clerk_id),
                (store, clerk_id),
                (far_store, far_clerk_id),
            )
        ]
        key = await given_key(
            tx, seal=seal, brand_id=brand.id, unattended_debit_fen_max=unattended_debit_fen_max
        )
        member_id = await given_member(tx, brand)
        if balance_fen:
            await given_balance(tx, member_id, store.id, principal_fen=balance_fen)
    return Counter(
        brand=brand,
        account=account,
        store=store,
        far_store=far_store,
        pad=pads[0],
        near_pad=pads[1],
        far_pad=pads[2],
        key=ByKey(
            key_id=key.key_id,
            brand_id=brand.id,
            store_id=store.id,
            can_debit_unattended=unattended_debit_fen_max > 0,
            unattended_debit_fen_max=unattended_debit_fen_max,
        ),
        key_token=key.token,
        member_id=member_id,
    )


async def count(sessions: SessionFactory, table: str, where: str = "true") -> int:
    """How many committed rows of a table there are."""
    async with sessions() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}")) or 0)


async def balance_of(sessions: SessionFactory, member_id: UUID) -> int:
    """What a card holds, as committed."""
    async with sessions() as session:
        return int(
            await session.scalar(
                text(
                    "SELECT balance FROM ledger_accounts"
                    " WHERE owner_id = :id AND kind = 'member_stored_value'"
                ),
                {"id": member_id},
            )
            or 0
        )
