"""The console's report of unspent value: for whom it is, over which stores, and its file."""

import csv
import io
import re
from typing import Any
from uuid import UUID

import httpx
import pytest

from o2o.app.http import create_http_app
from o2o.crm.statuses import Audience, StaffRoleName
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import StoreId, new_request_id
from o2o.ledger.actions.debit_stored_value import DebitStoredValue, debit_stored_value
from o2o.membership.web import console_liability
from o2o.web.actions.keep_sessions import open_session
from tests.factories.members import Counter, count, given_balance
from tests.factories.pads import BASE_URL, counter_platform
from tests.factories.staff import given_staff
from tests.fakes.clock import NOON, FakeClock

PAGE = "/console/liability"
NOVEMBER: dict[str, Any] = {"from_day": "2026-11-19", "to_day": "2026-11-21"}


@pytest.fixture
def app(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> Any:
    platform = counter_platform(sessions, seal=seal, clock=clock)
    console_liability.add_to_menu(platform.console_menu)
    return create_http_app(
        platform,
        pages=console_liability.route_handlers,
        api=[],
        state={},
        dependencies={},
    )


async def ask(
    app: Any,
    sessions: SessionFactory,
    counter: Counter,
    seal: Seal,
    *,
    role: StaffRoleName,
    path: str = PAGE,
    at: UUID | None = None,
    **query: str,
) -> httpx.Response:
    """Ask for the report as somebody of a role, in one store or in all."""
    async with transaction(sessions) as tx:
        staff_id = await given_staff(tx, counter.brand, role=role, store_id=at)
        token = await open_session(
            tx, seal=seal, audience=Audience.CONSOLE, staff_id=staff_id, now=NOON
        )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        client.cookies.set("o2o_console", token)
        return await client.get(path, params=query, headers={"accept": "text/html"})


async def given_trade(sessions: SessionFactory, counter: Counter) -> None:
    """The first store sold 100.00 and 5.00 of bonus more; 21.00 were spent in the other."""
    async with transaction(sessions) as tx:
        await given_balance(
            tx, counter.member_id, counter.store.id, principal_fen=10_000, bonus_fen=1_000
        )
        [spent] = await debit_stored_value(
            tx,
            [
                DebitStoredValue(
                    request_id=new_request_id(),
                    member_id=counter.member_id,
                    store_id=StoreId(counter.far_store.id),
                    amount_fen=2_100,
                    now=NOON,
                )
            ],
        )
        assert not isinstance(spent, Exception), spent


def closings(page: httpx.Response) -> list[str]:
    """The last column of both tables, row by row."""
    assert page.status_code == 200
    return re.findall(
        r'figure-closing"><span class="owed[^"]*">.*?</span>([0-9,.]+)</span>', page.text
    )


async def test_finance_sees_all_stores_and_that_they_agree_with_the_books(
    app: Any, sessions: SessionFactory, counter: Counter, seal: Seal
) -> None:
    await given_trade(sessions, counter)

    page = await ask(app, sessions, counter, seal, role=StaffRoleName.FINANCE, **NOVEMBER)

    # By store: nothing of one, what the other sold, the total; then the days, newest first.
    found = closings(page)
    assert sorted(found[:2]) == ["0.00", "189.00"]
    assert found[2:] == ["189.00", "189.00", "189.00", "0.00"]
    assert "notice-success" in page.text
    assert 'aria-current="page"' in page.text


async def test_the_file_has_each_day_of_each_store(
    app: Any, sessions: SessionFactory, counter: Counter, seal: Seal
) -> None:
    await given_trade(sessions, counter)

    answer = await ask(
        app, sessions, counter, seal, role=StaffRoleName.FINANCE, path=f"{PAGE}/file", **NOVEMBER
    )

    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row[2] for row in rows[1:]] == ["2026-11-19", "2026-11-20", "2026-11-21"]
    assert len(rows[0]) == 3 + 12
    # Opening, topped up, spent, refunded, other, closing; principal and bonus each.
    assert rows[2][3:] == [
        *("0.00", "0.00", "200.00", "10.00", "-20.00", "-1.00"),
        *("0.00", "0.00", "0.00", "0.00", "180.00", "9.00"),
    ]
    assert await count(sessions, "audit_entries", "action = 'liability.downloaded'") == 1


async def test_a_manager_sees_the_own_store_alone(
    app: Any, sessions: SessionFactory, counter: Counter, seal: Seal
) -> None:
    await given_trade(sessions, counter)
    own, other = counter.far_store, counter.store
    manager: dict[str, Any] = {"role": StaffRoleName.MANAGER, "at": own.id}

    page = await ask(app, sessions, counter, seal, **manager, **NOVEMBER)
    assert closings(page) == ["0.00"] * 4
    assert other.name not in page.text
    for path in (PAGE, f"{PAGE}/file"):
        for store in (str(other.id), "x"):
            refused = await ask(
                app, sessions, counter, seal, **manager, path=path, store=store, **NOVEMBER
            )
            assert refused.status_code == 403


async def test_others_have_no_business_here(
    app: Any, sessions: SessionFactory, counter: Counter, seal: Seal
) -> None:
    for role in (StaffRoleName.CLERK, StaffRoleName.MARKETER, StaffRoleName.SYSADMIN):
        refused = await ask(app, sessions, counter, seal, role=role)
        assert refused.status_code == 403, role


async def test_days_that_are_none_are_said_so(
    app: Any, sessions: SessionFactory, counter: Counter, seal: Seal
) -> None:
    backwards: dict[str, Any] = {"from_day": "2026-11-21", "to_day": "2026-11-20"}
    page = await ask(app, sessions, counter, seal, role=StaffRoleName.FINANCE, **backwards)
    assert (page.status_code, 'role="alert"' in page.text) == (422, True)
    file = await ask(
        app, sessions, counter, seal, role=StaffRoleName.FINANCE, path=f"{PAGE}/file", **backwards
    )
    assert (file.status_code, file.headers["location"].startswith(PAGE)) == (303, True)
