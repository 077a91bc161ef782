"""Finding members: by name, phone, card and tag, page by page, in the own brand only."""

from uuid import UUID

import pytest
from sqlalchemy import text

from o2o.crm.members import OfflineCard
from o2o.crm.statuses import OfflineCardStatus
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import StaffId, new_id
from o2o.membership.actions.tag_members import add_tag
from o2o.membership.errors_dossier import PlaceUnknown
from o2o.membership.queries.places import write_place
from o2o.membership.queries.search import list_tags, search_members
from o2o.membership.rules.search import read_search
from tests.factories.members import Counter, given_counter
from tests.fakes.clock import NOON
from tests.integration.dossier.conftest import given_known


async def found(tx: Tx, counter: Counter, typed: str, *, tag: str | None = None) -> set[UUID]:
    page = await search_members(tx, read_search(typed), brand_id=counter.brand.id, tag=tag)
    assert page.next_place is None
    return {member.member_id for member in page.members}


async def test_names_are_found_by_any_part(sessions: SessionFactory, counter: Counter) -> None:
    async with transaction(sessions) as tx:
        ming = await given_known(tx, counter.brand, "欧阳小明")
        ayi = await given_known(tx, counter.brand, "阿依努尔·吐尔逊江")
        anna = await given_known(tx, counter.brand, "Anna Schmidt")
        await given_known(tx, counter.brand, None)
        assert await found(tx, counter, "小明") == {ming}
        assert await found(tx, counter, "欧阳") == {ming}
        assert await found(tx, counter, "  吐尔逊 ") == {ayi}
        assert await found(tx, counter, "schm") == {anna}
        assert await found(tx, counter, "ANNA") == {anna}
        assert await found(tx, counter, "nna") == {anna}
        assert await found(tx, counter, "ann_") == set()
        assert await found(tx, counter, "阳小明") == {ming}
        # Its pairs are there, the word is not.
        assert await found(tx, counter, "阳小阳") == set()
        assert await found(tx, counter, "%_") == set()


async def test_beginnings_come_before_given_names_and_those_before_the_rest(
    sessions: SessionFactory, counter: Counter
) -> None:
    names = ["林林", "李林子", "林子安", "欧阳林子", "王林子", "林子", "林子林子", "阿林子林"]
    async with transaction(sessions) as tx:
        ids = {await given_known(tx, counter.brand, name): name for name in names}
        shown: list[str] = []
        place: str | None = None
        for _ in names:
            page = await search_members(
                tx, read_search("林子"), brand_id=counter.brand.id, place=place, limit=2
            )
            shown += [ids[member.member_id] for member in page.members]
            place = page.next_place
            if place is None:
                break
    # Each group in the order of what was found; of two alike, the older card.
    assert shown == ["林子", "林子安", "林子林子", "李林子", "王林子", "阿林子林", "欧阳林子"]


async def test_one_letter_is_the_start_of_a_name(
    sessions: SessionFactory, counter: Counter
) -> None:
    async with transaction(sessions) as tx:
        wang = await given_known(tx, counter.brand, "王一")
        await given_known(tx, counter.brand, "李王")
        assert await found(tx, counter, "王") == {wang}


async def test_phones_and_cards_are_found_by_tail_and_whole(
    sessions: SessionFactory, counter: Counter
) -> None:
    async with transaction(sessions) as tx:
        one = await given_known(tx, counter.brand, "甲甲", phone="13800138765")
        two = await given_known(tx, counter.brand, "乙乙", phone="13900008765")
        card_no = await tx.scalar(
            text("SELECT card_no FROM cards WHERE member_id = :id"), {"id": two}
        )
        tx.add(
            OfflineCard(
                id=new_id(),
                brand_id=counter.brand.id,
                member_id=one,
                card_no="VIP00123",
                status=OfflineCardStatus.UNBOUND,
                created_at=NOON,
            )
        )
        await tx.flush()
        assert await found(tx, counter, "8765") == {one, two}
        assert await found(tx, counter, "138 0013 8765") == {one}
        assert await found(tx, counter, "+86-138-0013-8765") == {one}
        assert await found(tx, counter, "１３８００１３８７６５") == {one}
        assert await found(tx, counter, str(card_no)) == {two}
        assert await found(tx, counter, "vip00123") == {one}
        assert await found(tx, counter, "VIP0012") == set()


async def test_tags_are_found_alone_and_with_a_name(
    sessions: SessionFactory, counter: Counter, service: StaffId
) -> None:
    async with transaction(sessions) as tx:
        one = await given_known(tx, counter.brand, "周一一")
        two = await given_known(tx, counter.brand, "周一二")
        for member_id in (one, two):
            await add_tag(tx, member_id=member_id, tag="老客", by=service, now=NOON)
        await add_tag(tx, member_id=two, tag="爱吃鱼", by=service, now=NOON)
        assert await found(tx, counter, "", tag="老客") == {one, two}
        assert await found(tx, counter, "一二", tag="老客") == {two}
        assert await found(tx, counter, "周", tag="爱吃鱼") == {two}
        assert await found(tx, counter, "", tag="没有") == set()
        assert await list_tags(tx, counter.brand.id) == ["爱吃鱼", "老客"]


@pytest.mark.parametrize(
    "typed, tag",
    [("", None), ("王", None), ("王小", None), ("8765", None), ("", "老客")],
)
async def test_pages_show_everybody_once(
    sessions: SessionFactory, counter: Counter, service: StaffId, typed: str, tag: str | None
) -> None:
    async with transaction(sessions) as tx:
        expected = {
            # Some share a name, which orders nobody.
            await given_known(tx, counter.brand, f"王小{n % 3}", phone=f"1380{n:03d}8765")
            for n in range(7)
        }
        for member_id in expected:
            await add_tag(tx, member_id=member_id, tag="老客", by=service, now=NOON)
        if not typed and tag is None:
            expected.add(counter.member_id)
        shown: list[UUID] = []
        place: str | None = None
        for _ in range(10):
            page = await search_members(
                tx, read_search(typed), brand_id=counter.brand.id, tag=tag, place=place, limit=3
            )
            shown += [member.member_id for member in page.members]
            place = page.next_place
            if place is None:
                break
        assert len(shown) == len(expected)
        assert set(shown) == expected


async def test_another_brand_and_who_is_gone_are_not_found(
    sessions: SessionFactory, counter: Counter, seal: Seal
) -> None:
    other = await given_counter(sessions, seal=seal)
    async with transaction(sessions) as tx:
        foreign = await given_known(tx, other.brand, "钱多多", phone="13800001111")
        gone = await given_known(tx, counter.brand, "钱多多", phone="13800001111")
        await tx.execute(
            text("UPDATE members SET status = 'deleted', deleted_at = :now WHERE id = :id"),
            {"now": NOON, "id": gone},
        )
        for typed in ("钱多", "钱", "1111", "13800001111"):
            assert await found(tx, counter, typed) == set()
            assert await found(tx, other, typed) == {foreign}


# A place as ours would be, but for a NUL among its words, which the database takes nowhere.
NUL = write_place({"member_id": UUID(int=1), "words": "\0"})


@pytest.mark.parametrize("place", [NUL, "%", "x" * 3_000, "e30", "W10", "bnVsbA", "\u4e2d"])
async def test_a_place_of_somebody_elses_making_is_refused(
    sessions: SessionFactory, counter: Counter, place: str
) -> None:
    async with transaction(sessions) as tx:
        with pytest.raises(PlaceUnknown):
            await search_members(tx, read_search("王"), brand_id=counter.brand.id, place=place)
