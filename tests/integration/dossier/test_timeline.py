"""The line of time: every sort of contact, newest first, each shown once however small the page."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from o2o.crm.members import CounterVisit
from o2o.crm.statuses import DeliveryChannel, DeliveryStatus, TasteKind
from o2o.crm.wechat import Delivery, InboundMessage
from o2o.infra.audit import SYSTEM, note
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import RequestId, StaffId, new_id
from o2o.membership.actions.answer_marketing import answer_marketing
from o2o.membership.actions.declare_tastes import declare_taste
from o2o.membership.actions.open_dossier import look_into_dossier
from o2o.membership.actions.record_purchases import Bought, BoughtLine, record_purchases
from o2o.membership.actions.write_note import write_note
from o2o.membership.events import CardReportedLost
from o2o.membership.queries.timeline import Contact, list_contacts
from o2o.membership.web.console_member_page import contact_lines
from o2o.web.copy import Words
from tests.factories.members import Counter, given_balance, given_counter, given_fan
from tests.fakes.clock import NOON


async def given_messages(
    tx: Tx, counter: Counter, openid: str, *, sent_at: datetime, heard_at: datetime
) -> None:
    """A message to the fan, a text and two events from the fan."""
    tx.add(
        Delivery(
            id=new_id(),
            account_id=counter.account.id,
            openid=openid,
            channel=DeliveryChannel.TEMPLATE,
            client_msg_id="m",
            purpose="stored_value_debited",
            content={},
            status=DeliveryStatus.DELIVERED,
            created_at=sent_at,
        )
    )
    for number, (kind, event, at) in enumerate(
        [("text", None, heard_at), ("event", "CLICK", heard_at), ("event", "subscribe", NOON)]
    ):
        tx.add(
            InboundMessage(
                account_id=counter.account.id,
                message_key=bytes([number]),
                signed_at=number,
                nonce="n",
                openid=openid,
                kind=kind,
                event=event,
                sent={},
                received_at=at,
            )
        )
        await tx.flush()


async def given_contacts(tx: Tx, counter: Counter, service: StaffId) -> None:
    """One of every sort, an hour apart, after the top-up at noon that `counter` has."""
    hours = [NOON + timedelta(hours=hour) for hour in range(8)]
    member_id = counter.member_id
    fan = await given_fan(tx, counter.account, member_id=member_id)
    tx.add(
        CounterVisit(
            id=new_id(),
            member_id=member_id,
            store_id=counter.store.id,
            pad_id=counter.pad.pad_id,
            opened_by=counter.pad.staff_id,
            opened_at=hours[1],
            expires_at=hours[1] + timedelta(minutes=5),
            closed_at=hours[1],
        )
    )
    line = BoughtLine(item_code="W1", item_name="东坡肉", quantity=1, amount_fen=2800)
    rice = BoughtLine(item_code="W9", item_name="米饭", quantity=2, amount_fen=600)
    bought = Bought(
        member_id=member_id,
        store_id=counter.store.id,
        source="pos",
        external_id="1",
        total_fen=3400,
        bought_at=hours[2],
        lines=(line, rice),
    )
    await record_purchases(tx, [bought], brand_id=counter.brand.id, now=NOON)
    who: dict[str, Any] = {"member_id": member_id, "by": service}
    body = "靠窗"
    request_id = RequestId(new_id())
    await write_note(tx, request_id=request_id, body=body, is_pinned=False, now=hours[3], **who)
    await declare_taste(tx, word="花生", kind=TasteKind.ALLERGY, now=hours[4], **who)
    await answer_marketing(
        tx, member_id=member_id, is_wanted=True, terms_version="v1", now=hours[5]
    )
    await given_messages(tx, counter, fan.openid, sent_at=hours[6], heard_at=hours[7])
    # Who looked is no contact.
    await look_into_dossier(tx, member_id=member_id, by=service, now=hours[7])


async def walk(tx: Tx, member_id: UUID, *, limit: int) -> list[Contact]:
    shown: list[Contact] = []
    place: str | None = None
    for _ in range(100):
        page = await list_contacts(tx, member_id, place=place, limit=limit)
        assert len(page.contacts) <= limit
        shown += page.contacts
        place = page.next_place
        if place is None:
            return shown
    pytest.fail("the pages have no end")


async def test_every_sort_of_contact_is_there_newest_first(
    sessions: SessionFactory, counter: Counter, service: StaffId
) -> None:
    async with transaction(sessions) as tx:
        await given_contacts(tx, counter, service)
        shown = await walk(tx, counter.member_id, limit=50)
        marked = [(contact.stream, contact.kind) for contact in shown]
        later = [
            ("message", "delivered"),
            ("trail", "taste.declared"),
            ("consent", "marketing"),
            ("note", "written"),
            ("purchase", "bought"),
            ("visit", "opened"),
            ("money", "top_up"),
        ]
        assert set(later) <= set(marked)
        assert ("heard", "text") in marked
        assert ("trail", "dossier.viewed") not in marked
        assert ("heard", "CLICK") not in marked
        by_kind = {contact.stream: contact for contact in shown}
        assert by_kind["purchase"].items == ["东坡肉", "米饭"]
        assert by_kind["purchase"].amount == 3400
        assert by_kind["note"].words == "靠窗"
        assert by_kind["visit"].store_name == counter.store.name
        assert by_kind["money"].amount == 10_000
        # The stream of what was heard stands in the order of its arrival, a later text first.
        ordered = [contact.at for contact in shown if contact.stream != "heard"]
        assert ordered == sorted(ordered, reverse=True)


async def test_what_is_noted_of_a_member_has_words_of_its_own_or_stands_in_the_books(
    sessions: SessionFactory, counter: Counter
) -> None:
    """Every `action` that is noted with the member as its subject."""
    told = (
        *("member.joined", "member.name_entered", "member.corrected", "phone.verified"),
        *("member.merged", "member.unmerged", "card.bound", CardReportedLost.name, "tier.given"),
        *("consent.withdrawn", "profiling.allowed", "profiling.refused"),
        *("pay_pin.set", "pay_pin.changed", "pay_pin.last_try", "statement.downloaded"),
        *("export.requested", "export.fetched", "points.taken_back"),
        *("pass_on.offered", "pass_on.accepted", "pass_on.withdrawn", "pass_on.declined"),
        *("pass_on.returned", "refund.asked", "refund.withdrawn", "refund.refused"),
    )
    in_the_books = (
        *("points.granted", "points.spent", "debit.reversed", "top_up.reversed"),
        *("hold.posted", "hold.voided", "refund.paid"),
    )
    async with transaction(sessions) as tx:
        for action in (*told, *in_the_books):
            await note(
                tx, actor=SYSTEM, action=action, at=NOON, subject=("member", counter.member_id)
            )
        shown = [
            one for one in await walk(tx, counter.member_id, limit=50) if one.stream == "trail"
        ]
    assert sorted(contact.kind for contact in shown) == sorted(told)
    assert [
        line for line in contact_lines(shown, Words()) if line.words_key.endswith("other")
    ] == []


@pytest.mark.parametrize("limit", [1, 3])
async def test_small_pages_show_the_same_once(
    sessions: SessionFactory, counter: Counter, service: StaffId, limit: int
) -> None:
    async with transaction(sessions) as tx:
        await given_contacts(tx, counter, service)
        # Written with an earlier date than what stands before it in the books.
        early = NOON - timedelta(days=30)
        for _ in range(3):
            await given_balance(tx, counter.member_id, counter.store.id, principal_fen=100)
        await tx.execute(text("UPDATE purchases SET bought_at = :early"), {"early": early})
        whole = await walk(tx, counter.member_id, limit=50)
        assert await walk(tx, counter.member_id, limit=limit) == whole


async def test_what_is_written_meanwhile_shifts_nothing(
    sessions: SessionFactory, counter: Counter, service: StaffId
) -> None:
    async with transaction(sessions) as tx:
        await given_contacts(tx, counter, service)
        whole = await walk(tx, counter.member_id, limit=50)
        first = await list_contacts(tx, counter.member_id, limit=4)
        bought = Bought(
            member_id=counter.member_id,
            store_id=counter.store.id,
            source="pos",
            external_id="2",
            total_fen=100,
            bought_at=NOON + timedelta(hours=9),
            lines=(),
        )
        await record_purchases(tx, [bought], brand_id=counter.brand.id, now=NOON)
        rest = await list_contacts(tx, counter.member_id, place=first.next_place, limit=50)
        assert first.contacts + rest.contacts == whole


async def test_whoever_became_part_of_the_member_is_told_of_and_nobody_else(
    sessions: SessionFactory, counter: Counter, service: StaffId, seal: Seal
) -> None:
    other = await given_counter(sessions, seal=seal)
    async with transaction(sessions) as tx:
        await given_contacts(tx, counter, service)
        assert {c.stream for c in await walk(tx, other.member_id, limit=50)} == {"money"}
        await tx.execute(
            text("UPDATE members SET status = 'merged', merged_into_id = :into WHERE id = :id"),
            {"into": other.member_id, "id": counter.member_id},
        )
        assert "note" in {c.stream for c in await walk(tx, other.member_id, limit=50)}
