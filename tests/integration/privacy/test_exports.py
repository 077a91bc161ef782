"""A copy of one's data: complete, harmless to spreadsheets, fetched once within a day."""

import asyncio
import io
import json
import zipfile
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId
from o2o.membership.actions.keep_export import expire_exports, fetch_export, make_link
from o2o.membership.actions.request_export import request_export
from o2o.membership.copies import CopyMaker
from o2o.membership.errors_privacy import ExportGone, ExportNotFound
from o2o.membership.queries.exports import read_tables
from o2o.membership.queries.personal_data import get_person
from o2o.membership.rules.export_files import csv_cell
from o2o.web.copy import LANGUAGES, Words
from tests.factories.members import Counter, count, given_balance
from tests.fakes.clock import FakeClock
from tests.integration.privacy.everything import (
    NAME,
    NOTE,
    PHONE,
    Marked,
    fill_tables,
    given_marked_member,
)


@pytest.fixture
async def marked(sessions: SessionFactory, counter: Counter, clock: FakeClock) -> Marked:
    marked = await given_marked_member(sessions, counter, clock=clock)
    async with transaction(sessions) as tx:
        await given_balance(
            tx, MemberId(marked.member_id), counter.store.id, principal_fen=700, bonus_fen=70
        )
    return marked


async def ask_and_build(
    sessions: SessionFactory, counter: Counter, marked: Marked, *, seal: Seal, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        asked = {"member_id": marked.member_id, "account_id": counter.account.id}
        assert await request_export(tx, language="zh_CN", now=clock.now(), **asked)
        assert not await request_export(tx, language="zh_CN", now=clock.now(), **asked)
    async with sessions() as tx:
        payload = await tx.scalar(
            text("SELECT payload FROM outbox_messages WHERE topic = 'membership.build_export'")
        )
    maker = CopyMaker(sessions=sessions, seal=seal, clock=clock, words=Words())
    await maker.build_export(payload)
    await maker.build_export(payload)


async def link(sessions: SessionFactory, marked: Marked, seal: Seal, clock: FakeClock) -> str:
    async with transaction(sessions) as tx:
        return await make_link(tx, member_id=marked.member_id, seal=seal, now=clock.now())


async def fetch(sessions: SessionFactory, token: str, seal: Seal, clock: FakeClock) -> bytes | Fact:
    try:
        async with transaction(sessions) as tx:
            return await fetch_export(tx, token=token, seal=seal, now=clock.now())
    except Fact as fact:
        return fact


async def test_everything_known_is_in_it_three_times(
    sessions: SessionFactory, counter: Counter, marked: Marked, seal: Seal, clock: FakeClock
) -> None:
    await ask_and_build(sessions, counter, marked, seal=seal, clock=clock)
    async with sessions() as tx:
        sealed = await tx.scalar(text("SELECT content_sealed FROM data_exports"))
    assert NAME.encode() not in bytes(sealed)

    content = await fetch(sessions, await link(sessions, marked, seal, clock), seal, clock)

    assert isinstance(content, bytes)
    archive = zipfile.ZipFile(io.BytesIO(content))
    tables = json.loads(archive.read("data.json"))["tables"]
    assert tables["members"][0]["name"] == NAME
    assert tables["members"][0]["phone"] == PHONE
    assert [row["amount"] for row in tables["ledger_entries"]] == [700, 70]
    assert tables["fans"][0]["openid"] == marked.openid
    page = archive.read("index.html").decode()
    assert NAME in page
    assert "余额与积分流水" in page
    statement = archive.read("tables/ledger_entries.csv").decode("utf-8-sig").splitlines()
    assert statement[0].startswith("时间,类型,资产")
    assert len(statement) == 3
    assert await count(sessions, "deliveries", "purpose = 'service_done'") == 1


async def test_a_link_is_used_once_and_a_newer_one_kills_it(
    sessions: SessionFactory, counter: Counter, marked: Marked, seal: Seal, clock: FakeClock
) -> None:
    await ask_and_build(sessions, counter, marked, seal=seal, clock=clock)
    old = await link(sessions, marked, seal, clock)
    new = await link(sessions, marked, seal, clock)
    assert isinstance(await fetch(sessions, old, seal, clock), ExportGone)

    told = await asyncio.gather(*(fetch(sessions, new, seal, clock) for _ in range(4)))

    assert sum(isinstance(one, bytes) for one in told) == 1
    assert sum(isinstance(one, ExportGone) for one in told) == 3
    assert await count(sessions, "data_exports", "content_sealed IS NOT NULL") == 0
    with pytest.raises(ExportNotFound):
        await link(sessions, marked, seal, clock)


async def test_after_a_day_it_is_gone(
    sessions: SessionFactory, counter: Counter, marked: Marked, seal: Seal, clock: FakeClock
) -> None:
    await ask_and_build(sessions, counter, marked, seal=seal, clock=clock)
    token = await link(sessions, marked, seal, clock)
    clock.advance(hours=24)

    assert isinstance(await fetch(sessions, token, seal, clock), ExportGone)
    async with transaction(sessions) as tx:
        await expire_exports(tx, clock.now())

    assert await count(sessions, "data_exports", "status = 'expired'") == 1
    assert await count(sessions, "data_exports", "content_sealed IS NOT NULL") == 0


async def test_every_table_and_column_that_is_told_has_words(
    sessions: SessionFactory, counter: Counter, marked: Marked, clock: FakeClock
) -> None:
    await fill_tables(sessions, counter, marked, clock=clock)
    words = Words()
    async with sessions() as tx:
        told = await read_tables(tx, await get_person(tx, marked.member_id))

    assert any(NOTE in str(row) for table in told for row in table.rows)
    for language in LANGUAGES:
        for table in told:
            assert words.find(f"data_export.tables.{table.name}", language), table.name
            for column in table.columns:
                assert words.find(f"data_export.columns.{column}", language), column


@pytest.mark.parametrize(
    "value,cell",
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+86", "'+86"),
        ("-cmd", "'-cmd"),
        ("@x", "'@x"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),
        (-1200, "-1200"),
        (None, ""),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        ({"a": "=1"}, '{"a":"=1"}'),
        ("平常", "平常"),
    ],
)
def test_no_cell_is_a_formula(value: object, cell: str) -> None:
    assert csv_cell(value) == cell
