"""Old cards from the file to the books: tried first, confirmed by another, written once."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from o2o.crm.statuses import ImportStatus, StaffRoleName
from o2o.infra.database import SessionFactory, transaction, violated_constraint
from o2o.ledger.verify import verify_ledger
from o2o.membership.actions import import_carry
from o2o.membership.actions.import_carry import carry_batch
from tests.factories.imports import HEAD, Office, cards, many_cards, refusal_of
from tests.factories.members import count
from tests.factories.staff import given_staff

GOOD = "A0001,ab-1O,张三,13800000001,100.50,20,30,2023/1/5"
BARE = "A0002,,,,1000,,,"


async def rows(sessions: SessionFactory, statement: str) -> list[Any]:
    async with transaction(sessions) as tx:
        return list((await tx.execute(text(statement))).all())


async def nothing_moved(sessions: SessionFactory) -> bool:
    tables = ("members", "cards", "offline_cards", "ledger_transfers", "ledger_lots")
    return sum([await count(sessions, table) for table in tables]) == 0


async def test_a_card_comes_over_with_everything_the_file_says(
    office: Office, sessions: SessionFactory
) -> None:
    one = await office.checked(cards(GOOD, BARE, encoding="gbk"))
    assert (one.status, one.row_count, one.faulty_count) == (ImportStatus.CHECKED, 2, 0)
    assert (one.principal_fen, one.bonus_fen, one.points) == (110_050, 2_000, 30)
    assert one.form == {"encoding": "GB18030", "separator": ",", "ignored": []}
    assert await nothing_moved(sessions)
    assert await count(sessions, "import_chunks") == 0

    await office.confirm(one)
    await office.runner().run_until_idle()

    one = await office.see(one.id)
    assert (one.status, one.done_count, one.left_out_count) == (ImportStatus.DONE, 2, 0)
    [card, bare] = await rows(
        sessions,
        "SELECT m.name, m.phone, m.phone_verified_at, m.status, m.joined_at, o.card_no, o.status,"
        " o.code_hash, length(c.card_no) FROM members m"
        " JOIN offline_cards o ON o.member_id = m.id"
        " JOIN cards c ON c.member_id = m.id AND c.status = 'active' ORDER BY o.card_no",
    )
    assert tuple(card[:5]) == (
        *("张三", "13800000001", None, "active"),
        datetime(2023, 1, 5, 4, tzinfo=UTC),
    )
    assert (card[5], card[6], len(card[7]), card[8]) == ("A0001", "unbound", 32, 16)
    assert tuple(bare[5:8]) == ("A0002", "unbound", None)
    assert await count(sessions, "member_identities") == 0
    lots = await rows(
        sessions, "SELECT kind, granted, granted_at::date FROM ledger_lots ORDER BY granted"
    )
    assert [tuple(lot) for lot in lots] == [
        ("points", 30, date(2023, 1, 5)),
        ("bonus", 2_000, date(2023, 1, 5)),
        ("principal", 10_050, date(2023, 1, 5)),
        ("principal", 100_000, office.clock.now().date()),
    ]
    assert (await verify_ledger(sessions)).is_sound
    noted = await rows(
        sessions,
        "SELECT action, actor_kind FROM audit_entries WHERE action LIKE 'import.%' ORDER BY seq",
    )
    assert [tuple(row) for row in noted] == [
        ("import.uploaded", "staff"),
        ("import.confirmed", "staff"),
        ("import.done", "system"),
    ]


async def test_faults_are_told_with_their_lines_in_both_languages(office: Office) -> None:
    one = await office.checked(
        cards(
            GOOD,
            "A0002,,李四,1380,10,0,0,",
            "A0003,,,,1000.01,,,",
            "A0004,,王五,13800000004,5000.01,,,",
            "A0005,,王六,13800000005,4000,1000,,",
            "A0001,,,,5,,,",
            "A0007,,,13800000001,5,,,",
            "A0008,,,1.38E+10,-5,38.005,1.5,2024-13-01",
            "A0009,,,,5,,,,extra",
            "A0010,,钱\x01七,,5,,,",
        )
    )
    assert await office.faults(one) == [
        '第 3 行 手机号 "1380" 少 7 位',
        (
            "第 4 行 余额 ¥1,000.01 超过单张卡限额 ¥1,000.00"
            "（有姓名和手机号的记名卡 5,000 元，不记名卡 1,000 元）"
        ),
        (
            "第 5 行 余额 ¥5,000.01 超过单张卡限额 ¥5,000.00"
            "（有姓名和手机号的记名卡 5,000 元，不记名卡 1,000 元）"
        ),
        '第 7 行 卡号 "A0001" 与第 2 行相同',
        '第 8 行 手机号 "13800000001" 与第 2 行相同',
        '第 9 行 手机号 "1.38E+10" 被表格写成了科学计数，请把这一列设为文本后重新导出',
        '第 9 行 本金余额 "-5" 是负数',
        '第 9 行 赠送余额 "38.005" 超过两位小数',
        '第 9 行 积分 "1.5" 不是整数',
        '第 9 行 开卡日期 "2024-13-01" 不是有效日期，请写成 2024-05-01',
        "第 10 行的列比表头多",
        '第 11 行 姓名 "钱\x01七" 含有不可见的控制字符',
    ]
    assert (await office.faults(one, "en"))[0] == 'Line 3, phone: "1380" lacks 7 digits'
    assert (one.row_count, one.faulty_count, one.principal_fen) == (10, 8, 410_050)


async def test_what_the_database_has_already_is_a_fault(office: Office) -> None:
    first = await office.checked(cards(GOOD))
    await office.confirm(first)
    await office.runner().run_until_idle()
    again = await office.checked(
        cards("A0001,,,,5,,,", "A0002,,,13800000001,5,,,", BARE.replace("2", "3"))
    )
    assert await office.codes(again) == [
        (2, "card_no_exists"),
        (3, "phone_exists"),
    ]


async def test_lost_zeros_are_noticed_among_numbers_that_have_them(office: Office) -> None:
    numbers = ["00012345", "00012346", "00012347", "12348", "10012349"]
    one = await office.checked(cards(*(f"{number},,,,5,,," for number in numbers)))
    assert await office.codes(one) == [(5, "card_no_short")]
    mixed = await office.checked(cards(*(f"{n},,,,5,,," for n in ("20001", "200002", "2000003"))))
    assert mixed.faulty_count == 0


@pytest.mark.parametrize(
    "content, problem",
    [
        (b"\x81\x00\xff\xfe\xff", "import.encoding_unknown"),
        ("姓名,手机号\n张三,13800000001\n".encode(), "import.column_missing"),
        ("卡号,card_no\nA0001,A0001\n".encode(), "import.column_twice"),
        (HEAD.encode(), "import.file_empty"),
        ('卡号,姓名\nA0001,"张三\n'.encode(), "import.file_broken"),
        (b"\xd0\xcf\x11\xe0 an old workbook", "import.file_broken"),
    ],
)
async def test_files_that_cannot_be_read_say_why(
    office: Office, sessions: SessionFactory, content: bytes, problem: str
) -> None:
    one = await office.checked(content)
    assert (one.status, one.problem) == (ImportStatus.UNREADABLE, problem)
    assert await count(sessions, "import_chunks") == 0
    # Mended or not, it may be tried again.
    assert (await office.bring(content)).is_replay is False


async def test_the_uploader_never_confirms_whatever_roles_they_have(
    office: Office, sessions: SessionFactory
) -> None:
    async with transaction(sessions) as tx:
        await tx.execute(
            text(
                "INSERT INTO staff_roles (id, staff_id, role)"
                " VALUES (gen_random_uuid(), :id, 'finance')"
            ),
            {"id": office.marketer},
        )
    one = await office.checked(cards(GOOD))
    assert await refusal_of(office.confirm(one, by=office.marketer)) == "import.same_person"
    assert await refusal_of(office.confirm(one, by=None)) == "staff.role_missing"
    for by, constraint in (
        (office.marketer, "ck_imports_confirmed_by_another"),
        (None, "ck_imports_confirmed_by_another"),
    ):
        with pytest.raises(IntegrityError) as caught:
            async with transaction(sessions) as tx:
                await tx.execute(
                    text(
                        "UPDATE imports SET status = 'confirmed', confirmed_at = now(),"
                        " confirmed_by = :by WHERE id = :id"
                    ),
                    {"by": by, "id": one.id},
                )
        assert violated_constraint(caught.value) == constraint
    assert await nothing_moved(sessions)


async def test_only_the_right_totals_of_the_right_people_let_it_pass(
    office: Office, sessions: SessionFactory
) -> None:
    one = await office.checked(cards(GOOD, "A0002,,,1380,5,,,"))
    async with transaction(sessions) as tx:
        clerk = await given_staff(tx, office.brand, role=StaffRoleName.MANAGER)
        far = await given_staff(tx, office.brand, role=StaffRoleName.FINANCE)
        # Finance of another store only.
        await tx.execute(
            text(
                "UPDATE staff_roles SET store_id = (SELECT id FROM stores WHERE id <> :store"
                " LIMIT 1) WHERE staff_id = :id"
            ),
            {"store": office.store.id, "id": clerk},
        )
    for changed, code in (
        ({"by": clerk, "skips_faulty": True}, "staff.role_missing"),
        ({}, "import.has_faults"),
        ({"skips_faulty": True, "row_count": 2}, "import.totals_differ"),
        ({"skips_faulty": True, "principal_fen": 10_051}, "import.totals_differ"),
        ({"skips_faulty": True, "bonus_fen": 0}, "import.totals_differ"),
        ({"skips_faulty": True, "points": 31}, "import.totals_differ"),
    ):
        assert await refusal_of(office.confirm(one, **changed)) == code
    assert await office.runner().run_until_idle() == 0
    assert await nothing_moved(sessions)
    await office.confirm(one, skips_faulty=True, by=far)
    assert await refusal_of(office.confirm(one, skips_faulty=True)) == "import.already_done"


async def test_the_same_file_is_never_written_twice(
    office: Office, sessions: SessionFactory
) -> None:
    content = cards(GOOD)
    one = await office.checked(content)
    again = await office.bring(content)
    assert (again.import_id, again.is_replay) == (one.id, True)
    await office.confirm(one)
    assert await refusal_of(office.bring(content)) == "import.already_done"
    await office.runner().run_until_idle()
    assert await refusal_of(office.bring(content)) == "import.already_done"
    assert await count(sessions, "members") == 1


async def test_two_uploads_at_once_are_one_import(office: Office, sessions: SessionFactory) -> None:
    brought = await asyncio.gather(*(office.bring(cards(GOOD)) for _ in range(4)))
    assert len({one.import_id for one in brought}) == 1
    assert sorted(one.is_replay for one in brought) == [False, True, True, True]
    assert await count(sessions, "imports") == 1


async def test_parallel_workers_carry_each_row_once(
    office: Office, sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_carry, "CARDS_AT_ONCE", 7)
    one = await office.checked(cards(*many_cards(60)))
    await asyncio.gather(*(office.confirm(one) for _ in range(3)), return_exceptions=True)
    await asyncio.gather(*(office.runner().run_until_idle() for _ in range(4)))
    while (await office.see(one.id)).status is not ImportStatus.DONE:
        await office.runner().run_until_idle()
    assert (await office.see(one.id)).done_count == 60
    assert await count(sessions, "members") == 60
    assert await count(sessions, "ledger_transfers") == 180
    assert (await verify_ledger(sessions)).is_sound


async def test_a_batch_that_fails_moves_neither_rows_nor_cursor(
    office: Office, sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_carry, "CARDS_AT_ONCE", 10)
    one = await office.checked(cards(*many_cards(25)))
    await office.confirm(one)
    async with transaction(sessions) as tx:
        await carry_batch(tx, one.id, now=office.clock.now())

    async def fail() -> None:
        async with transaction(sessions) as tx:
            await carry_batch(tx, one.id, now=office.clock.now())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert (await office.see(one.id)).done_count == 10
    assert await count(sessions, "members") == 10
    await office.runner().run_until_idle()
    assert await count(sessions, "offline_cards") == 25
    assert (await verify_ledger(sessions)).is_sound


async def test_what_was_taken_since_the_check_is_left_out_and_told(
    office: Office, sessions: SessionFactory
) -> None:
    slow = await office.checked(cards(GOOD, BARE))
    quick = await office.checked(cards("A0002,,,,7,,,"))
    await office.confirm(quick)
    await office.confirm(slow)
    await office.runner().carry(quick.id)
    await office.runner().run_until_idle()
    slow = await office.see(slow.id)
    assert (slow.done_count, slow.left_out_count) == (1, 1)
    assert await office.codes(slow) == [(3, "card_no_exists")]
    assert (await verify_ledger(sessions)).is_sound
