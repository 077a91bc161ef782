"""One person about whom every table knows something, and a search of the whole database."""

from datetime import timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.members import Member
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.membership.actions.join_membership import join_membership
from o2o.membership.queries.personal_data import KNOWLEDGE, get_person, person_values
from tests.factories.members import Counter, given_fan
from tests.fakes.clock import FakeClock

NAME = "欧阳不二"
NICKNAME = "不二的猫"
AVATAR = "https://thirdwx.qlogo.cn/mmopen/bu-er-132"
PHONE = "19912345670"
UNIONID = "oUnionOfBuEr001"
NOTE = "不二先生对花生过敏"


class Marked(msgspec.Struct, frozen=True, kw_only=True):
    """A member, and every text by which the person would be found."""

    member_id: UUID
    fan_id: UUID
    openid: str
    marks: tuple[str, ...]


async def given_marked_member(
    sessions: SessionFactory, counter: Counter, *, clock: FakeClock
) -> Marked:
    """Somebody who joined by WeChat and has a name, a phone and a profile."""
    async with transaction(sessions) as tx:
        fan = await given_fan(tx, counter.account, unionid=UNIONID)
        fan.nickname, fan.avatar_url = NICKNAME, AVATAR
        await tx.flush()
        joined = await join_membership(
            tx,
            fan_id=fan.id,
            account_id=counter.account.id,
            terms_version=counter.brand.terms_version,
            is_snapshot=False,
            now=clock.now(),
        )
        member = await tx.get_one(Member, joined.member_id)
        member.name, member.phone, member.phone_verified_at = NAME, PHONE, clock.now()
    return Marked(
        member_id=joined.member_id,
        fan_id=fan.id,
        openid=fan.openid,
        marks=(fan.openid, UNIONID, PHONE, NAME, NICKNAME, AVATAR, NOTE),
    )


# A row of every table that such a member leaves behind, written as the product writes it.
_ROWS = {
    "member_identities": (
        "INSERT INTO member_identities (id, brand_id, member_id, kind, value, created_at)"
        " VALUES (:new1, :brand_id, :member_id, 'phone', :phone, :now)"
    ),
    "web_sessions": (
        "INSERT INTO web_sessions (token_hash, audience, fan_id, created_at, last_seen_at,"
        " expires_at) VALUES ('session', 'diner', :fan_id, :now, :now, :now)"
    ),
    "oauth_states": (
        "INSERT INTO oauth_states (state_hash, account_id, browser_hash, next_path, scope,"
        " created_at, expires_at, fan_id) VALUES ('state', :account_id, 'b', '/', 'base', :now,"
        " :now, :fan_id)"
    ),
    "phone_verifications": (
        "INSERT INTO phone_verifications (id, fan_id, purpose, phone, code_hash, address_hash,"
        " created_at, expires_at) VALUES (:new1, :fan_id, 'bind', :phone, 'c', 'a', :now, :now)"
    ),
    "dialogues": (
        "INSERT INTO dialogues (account_id, openid, name, step, state, expires_at)"
        " VALUES (:account_id, :openid, 'quiz', 'one', jsonb_build_object('name', :name ::text),"
        " :now)"
    ),
    "inbound_messages": (
        "INSERT INTO inbound_messages (account_id, message_key, signed_at, nonce,"
        " openid, kind, sent, received_at, answer) VALUES (:account_id, 'k', 1, 'n',"
        " :openid, 'text', jsonb_build_object('FromUserName', :openid ::text, 'Content',"
        " :name ::text), :now, jsonb_build_object('content', :name ::text))"
    ),
    "deliveries": (
        "INSERT INTO deliveries (id, account_id, openid, channel, client_msg_id, content,"
        " created_at) VALUES (:new1, :account_id, :openid, 'custom', 'm', jsonb_build_object("
        "'touser', :openid ::text, 'text', :name ::text), :now)"
    ),
    "outbox_messages": (
        "INSERT INTO outbox_messages (topic, payload, ordering_key, created_at, available_at)"
        " VALUES ('fan.followed', jsonb_build_object('openid', :openid ::text), :openid, :now,"
        " :now)"
    ),
    "outbox_names": (
        "INSERT INTO outbox_messages (topic, payload, created_at, available_at)"
        " VALUES ('live.push', jsonb_build_object('to', :member_text ::text, 'name',"
        " :name ::text), :now, :now)"
    ),
    "idempotent_requests": (
        "INSERT INTO idempotent_requests (request_id, operation, body_hash, answer, created_at)"
        " VALUES (:new1, 'x', 'h', jsonb_build_object('id', :member_text ::text, 'name',"
        " :name ::text), :now)"
    ),
    "member_notes": (
        "INSERT INTO member_notes (id, member_id, request_id, body, written_at)"
        " VALUES (:new1, :member_id, :new2, :note, :now)"
    ),
    "member_tags": (
        "INSERT INTO member_tags (member_id, tag, brand_id, added_at)"
        " VALUES (:member_id, :name, :brand_id, :now)"
    ),
    "declared_tastes": (
        "INSERT INTO declared_tastes (member_id, word, kind, declared_at)"
        " VALUES (:member_id, :note, 'allergy', :now)"
    ),
    "member_relations": (
        "INSERT INTO member_relations (member_id, other_id, kind, brand_id, added_at)"
        " VALUES (:member_id, :other_id, 'brought', :brand_id, :now)"
    ),
    "member_codes": (
        "INSERT INTO member_codes (code_hash, member_id, brand_id, issued_at, expires_at)"
        " VALUES ('code', :member_id, :brand_id, :now, :now)"
    ),
    "purchases": (
        "INSERT INTO purchases (id, brand_id, member_id, store_id, source, external_id, total_fen,"
        " bought_at) VALUES (:new1, :brand_id, :member_id, :store_id, 'pos', 'B1', 3800, :now)"
    ),
    "purchase_lines": (
        "INSERT INTO purchase_lines (purchase_id, position, item_code, item_name, quantity,"
        " amount_fen) VALUES (:new1, 1, 'D1', '鱼香肉丝', 1, 3800)"
    ),
    "data_exports": (
        "INSERT INTO data_exports (id, member_id, account_id, language, status, content_sealed,"
        " token_hash, requested_at, expires_at) VALUES (:new1, :member_id, :account_id, 'zh_CN',"
        " 'ready', convert_to(:name, 'UTF8'), 't', :now, :later)"
    ),
    "refund_requests": (
        "INSERT INTO refund_requests (id, brand_id, member_id, store_id, payout, is_by_right,"
        " quoted_fen, status, asked_at, ended_at, refusal) VALUES (:new1, :brand_id, :member_id,"
        " :store_id, 'bank', false, 100, 'refused', :now, :now, :note)"
    ),
    "import_card_rows": (
        "INSERT INTO import_card_rows (import_id, line, card_no, name, phone, principal_fen,"
        " bonus_fen, points, tier_id, store_id) SELECT :new1, 1, 'A0001', :name, :phone, 0, 0, 0,"
        " tier_id, :store_id FROM members WHERE id = :member_id"
    ),
    "import_purchase_rows": (
        "INSERT INTO import_purchase_rows (import_id, line, external_id, phone, store_id,"
        " bought_at, item_code, item_name, quantity, amount_fen) VALUES (:new1, 1, 'B1', :phone,"
        " :store_id, :now, 'D1', 'x', 1, 1)"
    ),
    "member_merges": (
        "INSERT INTO member_merges (id, request_id, brand_id, from_member_id, into_member_id,"
        " merged_at, merged_by_kind, snapshot) VALUES (:new1, :new2, :brand_id, :other_id,"
        " :member_id, :now, 'member', jsonb_build_object('phone', :phone ::text))"
    ),
    "offline_cards": (
        "INSERT INTO offline_cards (id, brand_id, member_id, card_no, code_hash, status,"
        " created_at) VALUES (:new1, :brand_id, :member_id, 'OLD123', 'c', 'bound', :now)"
    ),
}


async def fill_tables(
    sessions: SessionFactory, counter: Counter, marked: Marked, *, clock: FakeClock
) -> None:
    """Let every table that may know the person know it."""
    async with transaction(sessions) as tx:
        values = {
            "new1": new_id(),
            "new2": new_id(),
            "brand_id": counter.brand.id,
            "account_id": counter.account.id,
            "store_id": counter.store.id,
            "other_id": counter.member_id,
            "member_id": marked.member_id,
            "member_text": str(marked.member_id),
            "fan_id": marked.fan_id,
            "openid": marked.openid,
            "phone": PHONE,
            "name": NAME,
            "note": NOTE,
            "now": clock.now(),
            "later": clock.now() + timedelta(hours=1),
        }
        for statement in _ROWS.values():
            await tx.execute(text(statement), values)


async def tables_that_know(tx: Tx, marked: Marked) -> set[str]:
    """Which of the listed tables hold rows about the person, by their own conditions."""
    values = person_values(await get_person(tx, marked.member_id))
    return {
        one.table
        for one in KNOWLEDGE
        if await tx.scalar(
            text(f"SELECT EXISTS (SELECT 1 FROM {one.table} t WHERE {one.whose})"), values
        )
    }


async def places_of(sessions: SessionFactory, marks: tuple[str, ...]) -> list[str]:
    """Search every column of every table, whatever its type, for any of the marks."""
    found = []
    async with sessions() as tx:
        columns = await tx.execute(
            text(
                "SELECT table_name, column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = 'public' ORDER BY table_name, column_name"
            )
        )
        for table, column, kind in columns.all():
            if kind == "bytea":
                holds = f"position(convert_to(m, 'UTF8') in t.\"{column}\") > 0"
            else:
                holds = f'strpos(t."{column}"::text, m) > 0'
            hits = await tx.scalars(
                text(
                    f'SELECT DISTINCT m FROM "{table}" t,'
                    f" unnest(CAST(:marks AS text[])) AS m WHERE {holds}"
                ),
                {"marks": list(marks)},
            )
            found += [f"{table}.{column}: {mark}" for mark in hits]
    return found


def seal_of_tests() -> Seal:
    """The seal that the fixtures use."""
    return Seal("a key for tests that is long enough")
