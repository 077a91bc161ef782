"""The diner's statement: sums of a period, and files that open without a session for a while."""

import csv
import io
import re
from datetime import timedelta

import httpx
import pytest

from o2o.infra.database import SessionFactory, transaction
from o2o.kernel.ids import StoreId, new_request_id
from o2o.ledger.actions.debit_stored_value import DebitStoredValue, debit_stored_value
from o2o.membership.statements_export.period import DAYS_MAX, read_period
from o2o.web.platform import Platform
from tests.factories.diners import DinerSession, client_of
from tests.factories.members import Counter, count
from tests.fakes.clock import NOON, FakeClock


async def given_lunches(sessions: SessionFactory, counter: Counter) -> None:
    """Two in November, one with a reason that looks like a formula, and one in December."""
    async with transaction(sessions) as tx:
        for days, amount, reason in ((0, 2_050, "=1+1"), (0, 100, "面"), (30, 1_000, None)):
            [done] = await debit_stored_value(
                tx,
                [
                    DebitStoredValue(
                        request_id=new_request_id(),
                        member_id=counter.member_id,
                        store_id=StoreId(counter.store.id),
                        amount_fen=amount,
                        reason=reason,
                        now=NOON + timedelta(days=days),
                    )
                ],
            )
            assert not isinstance(done, Exception), done


def links(page: httpx.Response) -> list[str]:
    return re.findall(r'href="(/h5/[^"]+/statement/files/[^"]+)"', page.text)


def sums(page: httpx.Response) -> list[str]:
    assert page.status_code == 200
    return re.findall(r"</span>([0-9,.]+)</span></dd>", page.text)


async def test_a_period_is_summed_up_and_taken_away(
    sessions: SessionFactory,
    counter: Counter,
    phone: httpx.AsyncClient,
    member: DinerSession,
    platform: Platform,
    clock: FakeClock,
) -> None:
    await given_lunches(sessions, counter)

    asked = f"/h5/{member.slug}/statement"
    page = await phone.get(f"{asked}?from_day=2026-11-01&to_day=2026-11-30")
    later = await phone.get(f"{asked}?from_day=2026-12-01&to_day=2026-12-31")

    # The card was topped up with 100.00 at noon of 20 November too.
    assert sums(page) == ["0.00", "100.00", "21.50", "78.50"]
    assert sums(later) == ["78.50", "0.00", "10.00", "68.50"]
    pdf_link, csv_link = links(page)
    async with client_of(platform) as stranger:
        table = await stranger.get(csv_link)
        paper = await stranger.get(pdf_link)
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["cache-control"] == "no-store"
    assert "statement-20261101-20261130.csv" in table.headers["content-disposition"]
    assert table.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
    lines = rows[rows.index([]) + 2 :]
    assert [(row[4], row[7], row[8]) for row in lines] == [
        ("100.00", "100.00", ""),
        ("-20.50", "79.50", "'=1+1"),
        ("-1.00", "78.50", "面"),
    ]
    assert paper.content.startswith(b"%PDF-")
    assert b"STSong-Light" in paper.content
    assert await count(sessions, "audit_entries", "action = 'statement.downloaded'") == 2

    clock.advance(minutes=10)
    async with client_of(platform) as stranger:
        for link in (
            csv_link,
            csv_link[:-9] + "AAAAAAAAA",
            f"{csv_link[:-60]}%21",
            "/h5/x" + csv_link,
        ):
            answer = await stranger.get(link, headers={"accept": "application/json"})
            assert answer.status_code in {404, 410}, link


async def test_a_link_is_of_its_account(
    counter: Counter,
    phone: httpx.AsyncClient,
    member: DinerSession,
) -> None:
    [link, _] = links(await phone.get(f"/h5/{member.slug}/statement"))
    token = link.rpartition("/")[2]
    answer = await phone.get(
        f"/h5/another/statement/files/{token}", headers={"accept": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (410, "statement.link_over")


@pytest.mark.parametrize(
    "query",
    ["from_day=2026-13-01&to_day=2026-11-30", "from_day=2026-11-30&to_day=2026-11-01", "to_day=x"],
)
async def test_a_period_that_is_none_is_said_so(
    phone: httpx.AsyncClient, member: DinerSession, query: str
) -> None:
    page = await phone.get(f"/h5/{member.slug}/statement?{query}")
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert links(page) == []


async def test_somebody_without_a_card_is_sent_to_it(
    new_phone: httpx.AsyncClient, newcomer: DinerSession
) -> None:
    answer = await new_phone.get(f"/h5/{newcomer.slug}/statement")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/h5/{newcomer.slug}/card")


def test_a_period_is_whole_days_of_a_year_at_most() -> None:
    november = read_period("2026-11-01", "2026-11-30")
    assert not isinstance(november, str)
    assert november.begins_at.isoformat() == "2026-10-31T16:00:00+00:00"
    assert november.ends_at.isoformat() == "2026-11-30T16:00:00+00:00"
    assert DAYS_MAX == 366
    assert not isinstance(read_period("2024-01-01", "2024-12-31"), str)
    assert read_period("2024-01-01", "2025-01-01") == "too_long"
    assert read_period("2026-11-02", "2026-11-01") == "backwards"
    for wrong in ("", "x", "1999-01-01", "2026-02-30"):
        assert read_period(wrong, "2026-11-01") == "not_dates"
    assert read_period("9999-12-31", "9999-12-31") == "not_dates"
