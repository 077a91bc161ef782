"""Joining: one member per person, whatever is repeated; refusals leave nothing behind."""

from uuid import UUID

import pytest
from sqlalchemy import text

from o2o.crm.members import Fan
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.membership.actions.join_membership import JoinedMember, join_membership
from o2o.membership.errors import ConsentMissing, MemberNotFound, SnapshotSession, TermsChanged
from o2o.membership.queries import find_member_by_card, find_member_by_fan, get_member_view
from o2o.membership.rules.member_code import is_card_no
from o2o.web.errors import AccountMismatch
from tests.factories.members import given_fan, given_member
from tests.factories.organisation import given_account, given_brand
from tests.fakes.clock import NOON

TERMS = "2026-01"
TABLES = ("members", "cards", "consents", "member_identities", "ledger_accounts", "outbox_messages")


async def join(tx: Tx, fan: Fan, *, account_id: UUID | None = None) -> JoinedMember:
    return await join_membership(
        tx,
        fan_id=fan.id,
        account_id=account_id or fan.account_id,
        terms_version=TERMS,
        is_snapshot=False,
        now=NOON,
    )


async def counts(tx: Tx) -> dict[str, int]:
    return {
        table: int(await tx.scalar(text(f"SELECT count(*) FROM {table}")) or 0) for table in TABLES
    }


async def test_a_fan_who_consents_has_a_card_at_once(tx: Tx, seal: Seal) -> None:
    brand = await given_brand(tx)
    account = await given_account(tx, brand, seal=seal)
    fan = await given_fan(tx, account, unionid="u1")

    joined = await join(tx, fan)

    assert joined.is_new
    view = await get_member_view(tx, joined.member_id, brand_id=brand.id)
    assert is_card_no(view.card_no)
    assert view.card_no.startswith("6660")
    assert (view.tier.code, view.tier.name) == ("basic", "普通会员")
    assert (view.balance_fen, view.principal_fen, view.bonus_fen, view.points) == (0, 0, 0, 0)
    assert view.bound
    assert not view.is_named
    assert view.phone_masked is None
    assert await find_member_by_fan(tx, fan.id) == joined.member_id
    assert (
        await find_member_by_card(tx, brand_id=brand.id, card_no=view.card_no) == joined.member_id
    )
    assert await counts(tx) == {
        "members": 1,
        "cards": 1,
        "consents": 1,
        "member_identities": 2,
        "ledger_accounts": 2,
        "outbox_messages": 1,
    }
    event = (await tx.execute(text("SELECT topic, payload FROM outbox_messages"))).one()
    assert event.topic == "member.joined"
    assert event.payload["member_id"] == str(joined.member_id)
    assert event.payload["fan_id"] == str(fan.id)


async def test_joining_again_changes_nothing(tx: Tx, seal: Seal) -> None:
    account = await given_account(tx, await given_brand(tx), seal=seal)
    fan = await given_fan(tx, account)
    first = await join(tx, fan)
    before = await counts(tx)

    second = await join(tx, fan)

    assert second == JoinedMember(member_id=first.member_id, is_new=False)
    assert await counts(tx) == before


async def test_the_same_person_in_another_account_of_the_brand_is_the_same_member(
    tx: Tx, seal: Seal
) -> None:
    brand = await given_brand(tx)
    here = await given_account(tx, brand, seal=seal)
    there = await given_account(tx, brand, seal=seal)
    first = await join(tx, await given_fan(tx, here, unionid="u1"))
    later = await given_fan(tx, there, unionid="u1")

    second = await join(tx, later)

    assert second == JoinedMember(member_id=first.member_id, is_new=False)
    assert (await counts(tx))["members"] == 1
    assert (await counts(tx))["member_identities"] == 3


async def test_joining_binds_the_other_fans_of_the_person_in_the_brand_only(
    tx: Tx, seal: Seal
) -> None:
    brand, other_brand = await given_brand(tx), await given_brand(tx)
    fan = await given_fan(tx, await given_account(tx, brand, seal=seal), unionid="u1")
    sibling = await given_fan(tx, await given_account(tx, brand, seal=seal), unionid="u1")
    stranger = await given_fan(tx, await given_account(tx, other_brand, seal=seal), unionid="u1")
    nobody = await given_fan(tx, await given_account(tx, brand, seal=seal))

    joined = await join(tx, fan)

    assert await find_member_by_fan(tx, sibling.id) == joined.member_id
    assert await find_member_by_fan(tx, stranger.id) is None
    assert await find_member_by_fan(tx, nobody.id) is None
    other = await join(tx, stranger)
    assert other.is_new
    assert other.member_id != joined.member_id


@pytest.mark.parametrize(
    "asked, refusal",
    [
        ({"is_snapshot": True}, SnapshotSession),
        ({"terms_version": None}, ConsentMissing),
        ({"terms_version": ""}, ConsentMissing),
        ({"terms_version": "2020-01"}, TermsChanged),
        ({"account_id": UUID(int=1)}, AccountMismatch),
        ({"fan_id": UUID(int=1)}, AccountMismatch),
    ],
)
async def test_refusals_leave_nothing_behind(
    tx: Tx, seal: Seal, asked: dict[str, object], refusal: type[Fact]
) -> None:
    fan = await given_fan(tx, await given_account(tx, await given_brand(tx), seal=seal))
    with pytest.raises(refusal):
        await join_membership(
            tx,
            **{
                "fan_id": fan.id,
                "account_id": fan.account_id,
                "terms_version": TERMS,
                "is_snapshot": False,
                "now": NOON,
            }
            | asked,  # type: ignore[arg-type]  # one argument of the wrong value is the case
        )
    assert set((await counts(tx)).values()) == {0}
    assert await find_member_by_fan(tx, fan.id) is None


async def test_a_member_of_another_brand_is_not_found(tx: Tx) -> None:
    brand, other = await given_brand(tx), await given_brand(tx)
    member_id = await given_member(tx, brand)
    assert (await get_member_view(tx, member_id, brand_id=None)).id == member_id
    with pytest.raises(MemberNotFound):
        await get_member_view(tx, member_id, brand_id=other.id)
    card_no = (await get_member_view(tx, member_id, brand_id=brand.id)).card_no
    assert await find_member_by_card(tx, brand_id=other.id, card_no=card_no) is None
