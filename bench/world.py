"""The smallest world that can be measured: a brand, its account, a store, a key, members.

Members' ids and those of their accounts are computed from a number, because pgbench can compute
them too; so their rows are written directly, as the product's actions would leave them.
"""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from bench.messages import ChatAccount, new_account
from o2o.crm.statuses import Audience, BrandKind, CallbackMode
from o2o.infra.audit import SYSTEM
from o2o.infra.database import Tx, create_engine, create_sessions, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import BrandId, StoreId
from o2o.ledger.actions.open_accounts import open_store_accounts
from o2o.ledger.verify import Verdict, verify_ledger
from o2o.staff.actions.issue_api_key import issue_api_key
from o2o.staff.rules import SCOPES
from o2o.stores.actions.create_brand import NewTier, create_brand
from o2o.stores.actions.create_store import create_store
from o2o.web.sessions import open_session
from o2o.wechat.actions.register_account import AccountDetails, register_account

MEMBERS = 4000
# Twelve decimal digits, which are hexadecimal digits too: the last group of a UUID.
FIRST_MEMBER = 100_000_000_000
MEMBER_PREFIX = "0b000000-0000-7000-8000-"
ACCOUNT_PREFIX = "0c000000-0000-7000-8000-"
CARD_PREFIX = "6660"
# Different on every card, so that a recorded figure tells which it is; far from running out.
BALANCE_FEN = 300_000_000
UNATTENDED_FEN_MAX = 100_000

_BORN = {
    "members": (
        "INSERT INTO members (id, brand_id, tier_id, status, joined_at)"
        " SELECT CAST(:member_prefix || n AS uuid), :brand_id, t.id, 'active', :now"
        " FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n, tiers t"
        " WHERE t.brand_id = :brand_id"
    ),
    "cards": (
        "INSERT INTO cards (id, brand_id, member_id, card_no, status, issued_at)"
        " SELECT gen_random_uuid(), :brand_id, CAST(:member_prefix || n AS uuid),"
        " :card_prefix || n, 'active', :now"
        " FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n"
    ),
    "pockets": (
        "INSERT INTO ledger_accounts (id, brand_id, kind, asset, owner_id, balance, created_at)"
        " SELECT CAST(:account_prefix || n AS uuid), :brand_id, 'member_stored_value', 'cny_fen',"
        " CAST(:member_prefix || n AS uuid), :balance + n - CAST(:first AS bigint), :now"
        " FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n"
    ),
    "points": (
        "INSERT INTO ledger_accounts (id, brand_id, kind, asset, owner_id, balance, created_at)"
        " SELECT gen_random_uuid(), :brand_id, 'member_points', 'points', m.id, 0, :now"
        " FROM members m"
    ),
    "transfers": (
        "INSERT INTO ledger_transfers (id, request_id, part, body_hash, kind, asset,"
        " from_account_id, to_account_id, amount, store_id, tender, created_at)"
        " SELECT gen_random_uuid(), gen_random_uuid(), 0, CAST('\\x00' AS bytea), 'top_up',"
        " 'cny_fen', t.id, a.id, a.balance, :store_id, 'cash', :now"
        " FROM ledger_accounts a, ledger_accounts t"
        " WHERE a.kind = 'member_stored_value'"
        " AND t.kind = 'store_takings' AND t.owner_id = :store_id"
    ),
    "entries": (
        "INSERT INTO ledger_entries (transfer_id, account_id, amount, balance_after)"
        " SELECT id, to_account_id, amount, amount FROM ledger_transfers"
        " UNION ALL SELECT id, from_account_id, -amount, NULL FROM ledger_transfers"
    ),
    "lots": (
        "INSERT INTO ledger_lots (id, account_id, kind, origin_transfer_id, granted, remaining,"
        " granted_at)"
        " SELECT gen_random_uuid(), to_account_id, 'principal', id, amount, amount, :now"
        " FROM ledger_transfers"
    ),
    "fans": (
        "INSERT INTO fans (id, account_id, openid, member_id, is_following, followed_at,"
        " created_at)"
        " SELECT gen_random_uuid(), :account_id, 'm' || m.id, m.id, true, :now, :now FROM members m"
    ),
}


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What was made, with the secrets that open it."""

    secret_key: str
    account: ChatAccount
    account_id: UUID
    store_id: UUID
    api_key: str


_FOLLOW = text(
    "INSERT INTO fans (id, account_id, openid, member_id, is_following, followed_at, created_at)"
    " SELECT gen_random_uuid(), :account_id, 'm' || m, m, true, :now, :now"
    " FROM unnest(CAST(:member_ids AS uuid[])) m"
    " WHERE NOT EXISTS (SELECT 1 FROM fans f WHERE f.member_id = m)"
)
_FANS_OF = text(
    "SELECT f.id FROM unnest(CAST(:member_ids AS uuid[])) WITH ORDINALITY AS m(id, number)"
    " JOIN fans f ON f.member_id = m.id ORDER BY m.number"
)


def member_id(number: int) -> UUID:
    """Return the id of one of the members, who are numbered from 0."""
    return UUID(f"{MEMBER_PREFIX}{FIRST_MEMBER + number}")


def account_id(number: int) -> UUID:
    """Return the id of that member's stored-value account."""
    return UUID(f"{ACCOUNT_PREFIX}{FIRST_MEMBER + number}")


async def make_world(database_url: str) -> World:
    """Fill an empty, migrated database."""
    engine = create_engine(database_url, pool_size=1)
    seal_key = secrets.token_urlsafe(48)
    now = datetime.now(UTC)
    try:
        async with transaction(create_sessions(engine)) as tx:
            world = await _place(tx, seal_key, now=now)
            await _people(tx, world, now=now)
        async with engine.begin() as connection:
            await connection.execute(text("ANALYZE"))
    finally:
        await engine.dispose()
    return world


async def _place(tx: Tx, secret_key: str, *, now: datetime) -> World:
    seal = Seal(secret_key)
    chat = new_account()
    brand_id = await create_brand(
        tx,
        slug="bench",
        name="Bench",
        name_en="Bench",
        kind=BrandKind.RESTAURANT,
        hue="#0a7d4f",
        terms_version="1",
        card_prefix=CARD_PREFIX,
        tiers=[NewTier(code="basic", name="Basic", spend_from_fen=0)],
        now=now,
    )
    chat_id = await register_account(
        tx, brand_id=brand_id, details=_details(chat), seal=seal, now=now
    )
    store_id = await _store(tx, brand_id, chat_id, now=now)
    key = await issue_api_key(
        tx,
        seal=seal,
        brand_id=brand_id,
        name="bench till",
        scopes=SCOPES,
        unattended_debit_fen_max=UNATTENDED_FEN_MAX,
        actor=SYSTEM,
        now=now,
    )
    return World(
        secret_key=secret_key,
        account=chat,
        account_id=chat_id,
        store_id=store_id,
        api_key=key.token,
    )


def _details(chat: ChatAccount) -> AccountDetails:
    return AccountDetails(
        slug=chat.slug,
        appid=chat.appid,
        original_id=chat.original_id,
        name="Bench",
        place_word="Store",
        mode=CallbackMode.SAFE,
        secret=secrets.token_hex(16),
        token=chat.token,
        encoding_aes_key=chat.aes_key,
    )


async def _store(tx: Tx, brand_id: BrandId, chat_id: UUID, *, now: datetime) -> StoreId:
    store_id = await create_store(
        tx,
        brand_id=brand_id,
        account_id=chat_id,
        code="bench",
        name="Bench",
        city="Bench",
        district="Bench",
        address="Bench",
        latitude=31.2,
        longitude=121.4,
        phone="02160000000",
        hours={},
        timezone="Asia/Shanghai",
        now=now,
    )
    await open_store_accounts(tx, brand_id=brand_id, store_ids=[store_id], now=now)
    return store_id


async def _people(tx: Tx, world: World, *, now: datetime) -> None:
    brand_id = await tx.scalar(
        text("SELECT brand_id FROM stores WHERE id = :id"), {"id": world.store_id}
    )
    values = {
        "member_prefix": MEMBER_PREFIX,
        "account_prefix": ACCOUNT_PREFIX,
        "card_prefix": CARD_PREFIX,
        "first": FIRST_MEMBER,
        "last": FIRST_MEMBER + MEMBERS - 1,
        "balance": BALANCE_FEN,
        "brand_id": brand_id,
        "store_id": world.store_id,
        "account_id": world.account_id,
        "now": now,
    }
    for statement in _BORN.values():
        asked = text(statement)
        await tx.execute(asked, {name: values[name] for name in asked._bindparams})  # noqa: SLF001


async def open_diner_sessions(
    database_url: str, world: World, *, member_ids: Sequence[UUID]
) -> list[str]:
    """Return cookies of these members, who are looking at their card in WeChat."""
    engine = create_engine(database_url, pool_size=1)
    seal = Seal(world.secret_key)
    now = datetime.now(UTC)
    try:
        async with transaction(create_sessions(engine)) as tx:
            values = {"account_id": world.account_id, "member_ids": list(member_ids), "now": now}
            await tx.execute(_FOLLOW, values)
            fans = await tx.scalars(_FANS_OF, values)
            return [
                await open_session(tx, seal=seal, audience=Audience.DINER, fan_id=fan, now=now)
                for fan in fans.all()
            ]
    finally:
        await engine.dispose()


async def verify_books(database_url: str) -> Verdict:
    """Check every invariant of the books, from their rows alone."""
    engine = create_engine(database_url, pool_size=1)
    try:
        return await verify_ledger(create_sessions(engine))
    finally:
        await engine.dispose()
