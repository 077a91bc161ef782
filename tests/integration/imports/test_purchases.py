"""Bills from a file: whole or not at all, of known members, told twice and kept once."""

from typing import Any

import pytest
from sqlalchemy import text

from o2o.crm.statuses import ImportKind, ImportStatus
from o2o.infra.database import SessionFactory, transaction
from tests.factories.imports import Office, cards, refusal_of
from tests.factories.members import count

HEAD = "单号,卡号,手机号,消费时间,品名,数量,金额,合计"
CARD = "A0001,,张三,13800000001,5,,,"
BILL = (
    "N1,A0001,,2026-11-01 12:30,小笼包,2,36.00,50.00",
    "N1,A0001,,2026-11-01 12:30,酸梅汤,1,18.00,50.00",
)
BY_PHONE = "N2,,13800000001,2026-11-02 18:00,盐水鸭,,58,"


@pytest.fixture
async def member(office: Office) -> None:
    one = await office.checked(cards(CARD))
    await office.confirm(one)
    await office.runner().run_until_idle()


async def bills(office: Office, *rows: str) -> Any:
    return await office.checked(cards(*rows, head=HEAD), kind=ImportKind.PURCHASES)


async def test_bills_come_over_with_their_lines(
    office: Office, member: None, sessions: SessionFactory
) -> None:
    one = await bills(office, *BILL, BY_PHONE)
    assert (one.status, one.faulty_count, one.principal_fen) == (ImportStatus.CHECKED, 0, 11_200)
    # No money moves: whoever brought the bills may confirm them, and so may the terminal.
    await office.confirm(one, by=office.marketer)
    await office.runner().run_until_idle()
    async with transaction(sessions) as tx:
        found = await tx.execute(
            text(
                "SELECT p.external_id, p.total_fen, p.bought_at AT TIME ZONE 'Asia/Shanghai',"
                " l.position, l.item_code, l.quantity, l.amount_fen FROM purchases p"
                " JOIN purchase_lines l ON l.purchase_id = p.id"
                " JOIN offline_cards c ON c.member_id = p.member_id ORDER BY 1, 4"
            )
        )
        rows = [(row[0], row[1], f"{row[2]:%m-%d %H:%M}", *row[3:]) for row in found]
    assert rows == [
        ("N1", 5_000, "11-01 12:30", 1, "小笼包", 2, 3_600),
        ("N1", 5_000, "11-01 12:30", 2, "酸梅汤", 1, 1_800),
        ("N2", 5_800, "11-02 18:00", 1, "盐水鸭", 1, 5_800),
    ]
    assert await count(sessions, "ledger_transfers", "kind LIKE 'debit%'") == 0


async def test_a_bill_told_by_another_file_is_kept_once(
    office: Office, member: None, sessions: SessionFactory
) -> None:
    for rows in (BILL, (*BILL, BY_PHONE)):
        one = await bills(office, *rows)
        await office.confirm(one, by=None)
        await office.runner().run_until_idle()
    one = await office.see(one.id)
    assert (one.done_count, one.left_out_count) == (1, 2)
    assert await office.codes(one) == [(2, "bill_exists"), (3, "bill_exists")]
    assert await count(sessions, "purchases") == 2
    assert await count(sessions, "purchase_lines") == 3


async def test_bills_with_a_fault_are_left_out_whole(
    office: Office, member: None, sessions: SessionFactory
) -> None:
    one = await bills(
        office,
        BILL[0],
        "N1,A0001,,2026-11-01 12:31,酸梅汤,1,18,50",
        "N3,B9999,,2026-11-01,面,1,10,",
        "N4,A0001,,2026-11-01,面,1,10,",
        "N4,A0001,,2026-11-01,,1,10,",
        "N5,,,2026-11-01,面,1,10,",
        ",A0001,,2026-11-01,面,0,-1,",
        "N6,A0001,,,面,1,10,",
        "N7,A0001,,2027-11-01,面,99999,10,",
        BY_PHONE,
    )
    assert await office.codes(one) == [
        (2, "bill_differs"),
        (3, "bill_differs"),
        (4, "member_unknown"),
        (5, "bill_partly_faulty"),
        (6, "item_missing"),
        (7, "member_missing"),
        (8, "external_id_missing"),
        (8, "quantity_odd"),
        (8, "amount_negative"),
        (9, "time_missing"),
        (10, "date_future"),
        (10, "quantity_odd"),
    ]
    assert await refusal_of(office.confirm(one)) == "import.has_faults"
    await office.confirm(one, skips_faulty=True)
    await office.runner().run_until_idle()
    async with transaction(sessions) as tx:
        kept = (await tx.execute(text("SELECT external_id FROM purchases"))).scalars().all()
    assert kept == ["N2"]
