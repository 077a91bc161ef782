"""What staff keep of a member: once per intention, by those who may, in the own brand only."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from o2o.crm.statuses import RelationKind, StaffRoleName, TasteKind
from o2o.infra.database import SessionFactory, Tx, transaction, violated_constraint
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import RequestId, StaffId, new_id
from o2o.membership.actions.declare_tastes import declare_taste, forget_taste
from o2o.membership.actions.open_dossier import look_into_dossier, show_phone
from o2o.membership.actions.relate_members import part_members, relate_members
from o2o.membership.actions.tag_members import add_tag, remove_tag
from o2o.membership.actions.write_note import pin_note, write_note
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_dossier import (
    AlreadyBrought,
    BroughtInCircle,
    NoteNotFound,
    NoteUnreadable,
    OtherMemberUnknown,
    ReasonMissing,
    RelationToSelf,
    TagsTooMany,
    TagUnreadable,
)
from o2o.membership.queries.dossier import get_dossier
from o2o.membership.rules.dossier import TAGS_MAX
from o2o.web.errors import RoleMissing
from tests.factories.members import Counter, count, given_counter
from tests.factories.staff import given_staff
from tests.fakes.clock import NOON
from tests.integration.dossier.conftest import given_known

KEPT = ("member_tags", "member_notes", "member_relations", "declared_tastes", "audit_entries")


async def rows_kept(sessions: SessionFactory) -> dict[str, int]:
    return {table: await count(sessions, table) for table in KEPT}


async def test_tags_notes_and_tastes_are_kept_once(
    sessions: SessionFactory, counter: Counter, service: StaffId
) -> None:
    who: dict[str, Any] = {"member_id": counter.member_id, "by": service, "now": NOON}
    request_id = RequestId(new_id())
    async with transaction(sessions) as tx:
        for _ in range(2):
            assert await add_tag(tx, tag=" 老  客 ", **who) == "老 客"
            await declare_taste(tx, word="花生", kind=TasteKind.ALLERGY, **who)
        notes = {
            await write_note(tx, request_id=request_id, body="靠窗", is_pinned=True, **who)
            for _ in range(2)
        }
        assert len(notes) == 1
        with pytest.raises(RequestBodyDiffers):
            await write_note(tx, request_id=request_id, body="靠门", is_pinned=True, **who)
        # Said again, the latest holds.
        await declare_taste(tx, word="花生", kind=TasteKind.DISLIKE, **who)
    async with transaction(sessions) as tx:
        dossier = await get_dossier(tx, counter.member_id, brand_id=counter.brand.id)
    assert dossier.tags == ["老 客"]
    assert [(note.body, note.author, note.is_pinned) for note in dossier.notes] == [
        ("靠窗", "陈洁", True)
    ]
    assert [(said.word, said.kind) for said in dossier.declared] == [("花生", TasteKind.DISLIKE)]
    actions = "action IN ('tag.added', 'note.written', 'taste.declared')"
    assert await count(sessions, "audit_entries", actions) == 4


async def test_what_is_taken_back_is_gone_and_noted(
    sessions: SessionFactory, counter: Counter, service: StaffId
) -> None:
    who: dict[str, Any] = {"member_id": counter.member_id, "by": service, "now": NOON}
    async with transaction(sessions) as tx:
        await add_tag(tx, tag="老客", **who)
        await declare_taste(tx, word="花生", kind=TasteKind.LIKE, **who)
        note_id = await write_note(
            tx, request_id=RequestId(new_id()), body="x", is_pinned=True, **who
        )
        for _ in range(2):
            await remove_tag(tx, tag="老客", **who)
            await forget_taste(tx, word="花生", **who)
        await remove_tag(tx, tag="a\x00b", **who)
        await pin_note(tx, note_id=note_id, is_pinned=False, **who)
        with pytest.raises(NoteNotFound):
            await pin_note(tx, note_id=new_id(), is_pinned=True, **who)
        dossier = await get_dossier(tx, counter.member_id, brand_id=counter.brand.id)
    assert (dossier.tags, dossier.declared, dossier.notes[0].is_pinned) == ([], [], False)
    assert await count(sessions, "audit_entries", "action LIKE '%.removed'") == 1


async def test_a_note_is_never_edited(
    sessions: SessionFactory, counter: Counter, service: StaffId
) -> None:
    async with transaction(sessions) as tx:
        await write_note(
            tx,
            request_id=RequestId(new_id()),
            member_id=counter.member_id,
            body="x",
            is_pinned=False,
            by=service,
            now=NOON,
        )
    with pytest.raises(DBAPIError) as caught:
        async with transaction(sessions) as tx:
            await tx.execute(text("UPDATE member_notes SET body = 'y'"))
    assert violated_constraint(caught.value) == "note_never_edited"
    assert await count(sessions, "member_notes", "body = 'x'") == 1


async def test_unreadable_words_and_too_many_change_nothing(
    sessions: SessionFactory, counter: Counter, service: StaffId
) -> None:
    who: dict[str, Any] = {"member_id": counter.member_id, "by": service, "now": NOON}
    async with transaction(sessions) as tx:
        for number in range(TAGS_MAX):
            await add_tag(tx, tag=f"t{number}", **who)
    before = await rows_kept(sessions)
    refused: list[tuple[type[Fact], Callable[[Tx], Awaitable[object]]]] = [
        (TagsTooMany, lambda tx: add_tag(tx, tag="one more", **who)),
        (TagUnreadable, lambda tx: add_tag(tx, tag=" \u200b", **who)),
        (TagUnreadable, lambda tx: add_tag(tx, tag="长" * 21, **who)),
        (
            NoteUnreadable,
            lambda tx: write_note(
                tx, request_id=RequestId(new_id()), body=" ", is_pinned=False, **who
            ),
        ),
    ]
    for fact, refuse in refused:
        with pytest.raises(fact):
            async with transaction(sessions) as tx:
                await refuse(tx)
    assert await rows_kept(sessions) == before
    async with transaction(sessions) as tx:
        # One that is there already is no more than there was.
        assert await add_tag(tx, tag="t0", **who) == "t0"


async def test_roles_and_brands_are_checked_by_the_action(
    sessions: SessionFactory, counter: Counter, service: StaffId, seal: Seal
) -> None:
    other = await given_counter(sessions, seal=seal)
    async with transaction(sessions) as tx:
        by = {
            role: await given_staff(tx, counter.brand, role=role)
            for role in (StaffRoleName.MARKETER, StaffRoleName.FINANCE, StaffRoleName.MANAGER)
        }
    before = await rows_kept(sessions)
    cases: list[tuple[UUID, UUID, type[Fact]]] = [
        (counter.member_id, by[StaffRoleName.MARKETER], RoleMissing),
        (counter.member_id, by[StaffRoleName.FINANCE], RoleMissing),
        (counter.member_id, new_id(), RoleMissing),
        (other.member_id, service, MemberNotFound),
        (new_id(), service, MemberNotFound),
    ]
    for member_id, staff_id, fact in cases:
        with pytest.raises(fact):
            async with transaction(sessions) as tx:
                await add_tag(tx, member_id=member_id, tag="x", by=staff_id, now=NOON)
    for staff_id in by.values():
        with pytest.raises(RoleMissing):
            async with transaction(sessions) as tx:
                await show_phone(
                    tx, member_id=counter.member_id, by=staff_id, reason="核对订单", now=NOON
                )
    assert await rows_kept(sessions) == before
    async with transaction(sessions) as tx:
        await look_into_dossier(
            tx, member_id=counter.member_id, by=by[StaffRoleName.FINANCE], now=NOON
        )


async def test_a_phone_in_full_takes_a_reason_that_is_kept(
    sessions: SessionFactory, counter: Counter, service: StaffId
) -> None:
    async with transaction(sessions) as tx:
        known = await given_known(tx, counter.brand, "王小明", phone="13800138765")
    for reason in ("", "  好 ", "x" * 201):
        with pytest.raises(ReasonMissing):
            async with transaction(sessions) as tx:
                await show_phone(tx, member_id=known, by=service, reason=reason, now=NOON)
    assert await count(sessions, "audit_entries", "action = 'phone.shown'") == 0
    async with transaction(sessions) as tx:
        shown = await show_phone(tx, member_id=known, by=service, reason="回访投诉", now=NOON)
    assert shown == "13800138765"
    kept = (
        "action = 'phone.shown' AND detail->>'reason' = '回访投诉'"
        f" AND actor_id = '{service}' AND object_id = '{known}'"
    )
    assert await count(sessions, "audit_entries", kept) == 1


async def test_relations_run_both_ways(
    sessions: SessionFactory, counter: Counter, service: StaffId
) -> None:
    async with transaction(sessions) as tx:
        one = await given_known(tx, counter.brand, "甲甲", phone="13800000001")
        two = await given_known(tx, counter.brand, "乙乙", phone="13800000002")
        three = await given_known(tx, counter.brand, "丙丙", phone="13800000003")
        who: dict[str, Any] = {"by": service, "now": NOON}
        brought = {"kind": RelationKind.BROUGHT, "was_brought": False, **who}
        for _ in range(2):
            await relate_members(tx, member_id=one, other="13800000002", **brought)
        by_two = brought | {"was_brought": True}
        await relate_members(tx, member_id=three, other="13800000002", **by_two)
        family = {"kind": RelationKind.FAMILY, "was_brought": False, **who}
        await relate_members(tx, member_id=three, other="13800000001", **family)
        await relate_members(tx, member_id=one, other="13800000003", **family)
        refused: list[tuple[type[Fact], UUID, str, dict[str, Any]]] = [
            (RelationToSelf, one, "13800000001", brought),
            (OtherMemberUnknown, one, "0002", brought),
            (OtherMemberUnknown, one, "13899999999", brought),
            (AlreadyBrought, three, "13800000002", brought),
            (BroughtInCircle, three, "13800000001", brought),
        ]
        for fact, member_id, other, values in refused:
            with pytest.raises(fact):
                await relate_members(tx, member_id=member_id, other=other, **values)
        dossiers = {
            member_id: await get_dossier(tx, member_id, brand_id=counter.brand.id)
            for member_id in (one, two, three)
        }
        sorts = {
            member_id: {(relation.sort, relation.member_id) for relation in dossier.relations}
            for member_id, dossier in dossiers.items()
        }
        assert sorts == {
            one: {("brought", two), ("family", three)},
            two: {("brought_by", one), ("brought", three)},
            three: {("brought_by", two), ("family", one)},
        }
        spreading = dossiers[one].kol.spreading
        assert (spreading.brought, spreading.second_hand, dossiers[one].kol.score) == (1, 1, 13)
        for kind, other_id in ((RelationKind.FAMILY, three), (RelationKind.BROUGHT, two)):
            await part_members(tx, member_id=one, other_id=other_id, kind=kind, **who)
        assert (await get_dossier(tx, one, brand_id=counter.brand.id)).relations == []


async def test_two_halves_of_a_circle_at_once_make_no_circle(
    sessions: SessionFactory, counter: Counter, service: StaffId
) -> None:
    async with transaction(sessions) as tx:
        one = await given_known(tx, counter.brand, "甲甲", phone="13800000001")
        two = await given_known(tx, counter.brand, "乙乙", phone="13800000002")

    async def bring(member_id: UUID, other: str) -> object:
        try:
            async with transaction(sessions) as tx:
                return await relate_members(
                    tx,
                    member_id=member_id,
                    other=other,
                    kind=RelationKind.BROUGHT,
                    was_brought=False,
                    by=service,
                    now=NOON,
                )
        except Fact as fact:
            return type(fact)

    done = await asyncio.gather(bring(one, "13800000002"), bring(two, "13800000001"))
    assert BroughtInCircle in done
    assert await count(sessions, "member_relations") == 1
