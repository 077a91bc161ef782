"""The console's pages of imports: who sees and may do what, uploads, totals, downloads."""

import re
from collections.abc import AsyncGenerator

import httpx
import msgspec
import pytest

from o2o.app.http import create_http_app
from o2o.crm.statuses import ImportStatus, StaffRoleName
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.membership.web.console_imports import route_handlers
from o2o.staff.web import route_handlers as staff_pages
from o2o.web.edge import Edge
from o2o.web.platform import Platform
from tests.factories.imports import Office, cards
from tests.factories.members import count
from tests.factories.organisation import given_account, given_brand, given_store
from tests.factories.pads import BASE_URL, Browser, counter_platform
from tests.factories.staff import PASSWORD, given_staff
from tests.fakes.clock import FakeClock

PAGE = "/console/imports"
GOOD = "A0001,ab-1O,张三,13800000001,100.50,20,30,2023/1/5"
EVIL = "A0002,,=HYPERLINK(1),1380,10,,,"
TOTALS = {"row_count": "1", "principal_yuan": "100.50", "bonus_yuan": "20", "points": "30"}


@pytest.fixture
def platform(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> Platform:
    fresh = counter_platform(sessions, seal=seal, clock=clock)
    small = msgspec.structs.replace(fresh.settings, import_bytes_max=300_000)
    return msgspec.structs.replace(fresh, settings=small)


class Desk:
    """Browsers over one app, each signed in as somebody new."""

    def __init__(self, platform: Platform, office: Office) -> None:
        app = create_http_app(
            platform, pages=[*staff_pages, *route_handlers], api=[], state={}, dependencies={}
        )
        self.edge = Edge(app, settings=platform.settings)  # type: ignore[arg-type]  # Litestar types its own ASGI
        self.office = office
        self.clients: list[httpx.AsyncClient] = []

    async def sit_down(self, role: StaffRoleName, **where: object) -> Browser:
        login = f"staff{new_id().hex[-8:]}"
        brand = where.pop("brand", self.office.brand)
        async with transaction(self.office.sessions) as tx:
            await given_staff(tx, brand, role=role, login=login, **where)  # type: ignore[arg-type]  # passed on
        transport = httpx.ASGITransport(app=self.edge, raise_app_exceptions=False)
        self.clients.append(httpx.AsyncClient(transport=transport, base_url=BASE_URL))
        browser = Browser(self.clients[-1])
        await browser.see("/console/sign-in")
        await browser.send("/console/sign-in", login=login, password=PASSWORD)
        await browser.see(PAGE)
        return browser

    async def upload(
        self, browser: Browser, content: bytes, name: str = "旧卡.csv", **fields: str
    ) -> httpx.Response:
        form = {"csrf": browser.csrf, "kind": "cards", "store_id": str(self.office.store.id)}
        return await browser.client.post(
            PAGE,
            data=form | fields,
            files={"file": (name, content)},
            headers={"Accept": "application/json"},
        )


@pytest.fixture
async def desk(platform: Platform, office: Office) -> AsyncGenerator[Desk, None]:
    made = Desk(platform, office)
    yield made
    for client in made.clients:
        await client.aclose()


async def test_marketing_uploads_finance_confirms(desk: Desk, sessions: SessionFactory) -> None:
    marketer = await desk.sit_down(StaffRoleName.MARKETER)
    answer = await desk.upload(marketer, cards(GOOD, EVIL))
    assert answer.status_code == 200
    page = answer.json()["next"]
    assert re.fullmatch(rf"{PAGE}/[0-9a-f-]{{36}}\?done=received", page)
    page = page.partition("?")[0]
    waiting = (await marketer.see(page)).text
    assert ("正在检查" in waiting, 'http-equiv="refresh"' in waiting) == (True, True)
    await desk.office.runner().run_until_idle()

    seen = (await marketer.see(page)).text
    assert "第 3 行 手机号 &#34;1380&#34; 少 7 位" in seen
    assert ("100.50" in seen, "等待财务确认" in seen, "/confirmations" in seen) == (
        *(True, True, False),
    )
    refused = await marketer.post(f"{page}/confirmations", **TOTALS, skips_faulty="1")
    assert (refused.status_code, refused.json()["code"]) == (403, "staff.role_missing")

    finance = await desk.sit_down(StaffRoleName.FINANCE)
    seen = (await finance.see(page)).text
    # Whoever confirms brings the totals along.
    assert ("100.50" in seen, "/confirmations" in seen) == (False, True)
    wrong = await finance.send(f"{page}/confirmations", **TOTALS | {"points": "31"})
    assert (wrong.status_code, "还有 1 行有错" in wrong.text) == (409, True)
    wrong = await finance.send(
        f"{page}/confirmations", **TOTALS | {"points": "31"}, skips_faulty="1"
    )
    assert (wrong.status_code, "与文件不一致" in wrong.text) == (409, True)
    assert 'value="31" aria-invalid="true"' in wrong.text
    odd = await finance.send(f"{page}/confirmations", **TOTALS | {"points": "-1"})
    assert odd.status_code == 422
    assert await count(sessions, "members") == 0
    right = await finance.send(f"{page}/confirmations", **TOTALS, skips_faulty="1")
    assert right.headers["location"] == f"{page}?done=confirmed"
    await desk.office.runner().run_until_idle()
    assert "已写入 1 行" in (await finance.see(page)).text
    again = await desk.upload(marketer, cards(GOOD, EVIL))
    assert (again.status_code, again.json()["code"]) == (409, "import.already_done")


async def test_faults_come_as_a_table_that_no_program_computes(desk: Desk) -> None:
    marketer = await desk.sit_down(StaffRoleName.MARKETER)
    page = (await desk.upload(marketer, cards('A0001,,,"=cmd|1!A0",5,,,'))).json()["next"]
    page = page.partition("?")[0]
    await desk.office.runner().run_until_idle()
    answer = await marketer.see(f"{page}/faults.csv")
    assert answer.headers["content-disposition"].startswith('attachment; filename="faults-')
    head, row = answer.text.removeprefix("\ufeff").splitlines()
    assert head == "行,列,代码,内容,说明"
    assert row.startswith("2,手机号,phone_not_digits,'=cmd|1!A0,")
    template = await marketer.see(f"{PAGE}/template?kind=cards")
    assert template.text.splitlines()[0].startswith("\ufeff卡号,卡密,姓名,手机号")
    english = await marketer.see(f"{PAGE}/template?kind=purchases", **{"Accept-Language": "en"})
    assert english.text.startswith("\ufeffexternal_id,card_no,phone")


async def test_others_see_nothing(desk: Desk, sessions: SessionFactory, seal: Seal) -> None:
    marketer = await desk.sit_down(StaffRoleName.MARKETER)
    page = (await desk.upload(marketer, cards(GOOD))).json()["next"].partition("?")[0]
    await desk.office.runner().run_until_idle()
    async with transaction(sessions) as tx:
        brand = await given_brand(tx)
        store = await given_store(tx, brand, await given_account(tx, brand, seal=seal))
    for role, where, status in (
        (StaffRoleName.FINANCE, {"brand": brand}, 404),
        (StaffRoleName.MARKETER, {"brand": brand}, 404),
        # A manager of one store sees the own files only.
        (StaffRoleName.MANAGER, {"store_id": desk.office.store.id}, 404),
        (StaffRoleName.SERVICE, {}, 403),
        (StaffRoleName.SYSADMIN, {}, 403),
    ):
        other = await desk.sit_down(role, **where)
        assert (await other.see(page)).status_code == status
        assert page not in (await other.see(PAGE)).text
        assert (await other.post(f"{page}/withdrawals")).status_code in {403, 404}
        assert (await other.post(f"{page}/confirmations", **TOTALS)).status_code in {403, 404}
        if status == 404 and "brand" in where:
            assert (await other.see(f"{page}/faults.csv")).status_code == 404
    theirs = await desk.upload(marketer, cards(GOOD), store_id=str(store.id))
    assert theirs.status_code == 403
    auditor = await desk.sit_down(StaffRoleName.AUDITOR)
    assert (await auditor.see(page)).status_code == 200
    assert (await desk.upload(auditor, cards(GOOD, EVIL))).status_code == 403
    own = await marketer.send(f"{page}/withdrawals")
    assert own.headers["location"] == f"{page}?done=withdrawn"
    assert await count(sessions, "imports", f"status = '{ImportStatus.WITHDRAWN.value}'") == 1


async def test_uploads_that_are_refused_at_the_door(desk: Desk, sessions: SessionFactory) -> None:
    marketer = await desk.sit_down(StaffRoleName.MARKETER)
    large = await desk.upload(marketer, b"x" * 500_000)
    assert (large.status_code, large.json()["code"]) == (413, "import.file_too_large")
    # Less than a form may have around it, so that the file itself is measured as well.
    large = await desk.upload(marketer, b"x" * 310_000)
    assert (large.status_code, large.json()["code"]) == (413, "import.file_too_large")
    empty = await desk.upload(marketer, b"")
    assert (empty.status_code, empty.json()["code"]) == (422, "import.file_empty")
    odd = await desk.upload(marketer, cards(GOOD), kind="money")
    assert (odd.status_code, odd.json()["field"]) == (422, "kind")
    more = await desk.upload(marketer, cards(GOOD), confirmed_by=str(new_id()))
    assert (more.status_code, more.json()["code"]) == (422, "field.not_allowed")
    token, marketer.csrf = marketer.csrf, "0" * 64
    assert (await desk.upload(marketer, cards(GOOD))).status_code == 403
    marketer.csrf = token

    async def without_length() -> AsyncGenerator[bytes, None]:
        yield b"x"

    endless = await marketer.client.post(
        PAGE,
        content=without_length(),
        headers={"X-CSRF-Token": token, "Accept": "application/json"},
    )
    assert endless.status_code == 413
    assert await count(sessions, "imports") == 0
    assert await count(sessions, "import_chunks") == 0


async def test_names_of_files_are_only_names(desk: Desk) -> None:
    marketer = await desk.sit_down(StaffRoleName.MARKETER)
    await desk.upload(marketer, cards(GOOD), name="C:\\卡\\<script>alert(1).csv")
    page = (await marketer.see(PAGE)).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
