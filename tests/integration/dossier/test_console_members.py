"""The console's members as browsers see them: who may, what is masked, what is escaped."""

import re
from uuid import UUID

import pytest
from sqlalchemy import text

from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from tests.factories.members import Counter, count, given_counter
from tests.integration.dossier.conftest import Console, given_known

PHONE = "13800138765"
_REQUEST_ID = re.compile(r'name="request_id" value="([0-9a-f-]{36})"')


@pytest.fixture
async def known(sessions: SessionFactory, counter: Counter) -> UUID:
    async with transaction(sessions) as tx:
        return await given_known(tx, counter.brand, "<b>王小明</b>", phone=PHONE)


async def test_roles_see_what_is_theirs(
    console: Console, known: UUID, sessions: SessionFactory
) -> None:
    for role in (StaffRoleName.MARKETER, StaffRoleName.CLERK, StaffRoleName.SYSADMIN):
        browser = await console(role)
        for path in ("/console/members", f"/console/members/{known}"):
            assert (await browser.see(path)).status_code == 403
        assert "/console/members" not in (await browser.see("/console")).text
    assert await count(sessions, "audit_entries", "action = 'dossier.viewed'") == 0
    for role in (StaffRoleName.FINANCE, StaffRoleName.MANAGER):
        browser = await console(role)
        listed = await browser.see("/console/members?q=8765")
        assert (listed.status_code, "138****8765" in listed.text) == (200, True)
        page = await browser.see(f"/console/members/{known}")
        assert (page.status_code, "138****8765" in page.text) == (200, True)
        # The name is text; the number in full is nowhere, nor a way to it.
        assert "&lt;b&gt;王小明&lt;/b&gt;" in page.text
        for answer in (listed, page):
            assert PHONE not in answer.text
            assert "<b>王小明" not in answer.text
        assert f"/console/members/{known}/phone" not in page.text
        shown = await browser.post(f"/console/members/{known}/phone", reason="核对订单")
        assert (shown.status_code, shown.json()["code"]) == (403, "staff.role_missing")
    assert await count(sessions, "audit_entries", "action = 'dossier.viewed'") == 2
    assert await count(sessions, "audit_entries", "action = 'phone.shown'") == 0


async def test_the_service_agent_sees_one_number_with_a_reason(
    console: Console, known: UUID, sessions: SessionFactory
) -> None:
    browser = await console(StaffRoleName.SERVICE)
    page = await browser.see(f"/console/members/{known}")
    assert PHONE not in page.text
    refused = await browser.send(f"/console/members/{known}/phone", reason=" ")
    assert (refused.status_code, PHONE in refused.text) == (422, False)
    assert "查看完整手机号要写明原因" in refused.text
    shown = await browser.send(f"/console/members/{known}/phone", reason="回访投诉")
    assert (shown.status_code, PHONE in shown.text) == (200, True)
    assert shown.headers["cache-control"] == "no-store"
    # Once: the page itself shows it masked again.
    assert PHONE not in (await browser.see(f"/console/members/{known}")).text
    assert await count(sessions, "audit_entries", "action = 'phone.shown'") == 1


async def test_the_dossier_is_kept_by_forms(
    console: Console, known: UUID, sessions: SessionFactory
) -> None:
    browser = await console(StaffRoleName.MANAGER)
    base = f"/console/members/{known}"
    page = await browser.see(base)
    found = _REQUEST_ID.search(page.text)
    assert found
    for path, fields in (
        ("tags", {"tag": "老客"}),
        ("tastes", {"word": "花生", "kind": "allergy"}),
        # Pressed twice, written once.
        ("notes", {"body": "{{ 7*7 }}", "request_id": found[1], "is_pinned": "1"}),
        ("notes", {"body": "{{ 7*7 }}", "request_id": found[1], "is_pinned": "1"}),
    ):
        answer = await browser.send(f"{base}/{path}", **fields)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{base}?done=saved")
    page = await browser.see(f"{base}?done=saved")
    for words in ("已保存", "老客", "花生", "{{ 7*7 }}", "登记口味"):
        assert words in page.text
    assert await count(sessions, "member_notes") == 1
    refused = await browser.send(f"{base}/tags", tag="长" * 21)
    assert (refused.status_code, "标签要 1 到 20 个字" in refused.text) == (422, True)
    assert "长" * 21 in refused.text
    unknown = await browser.send(f"{base}/relations", other="8765", sort="family")
    assert (unknown.status_code, "没有找到这位会员" in unknown.text) == (404, True)
    browser.csrf = "0" * 64
    assert (await browser.send(f"{base}/tags", tag="x")).status_code == 403
    assert await count(sessions, "member_tags") == 1


async def test_finance_and_other_brands_change_nothing(
    console: Console, known: UUID, sessions: SessionFactory, seal: Seal
) -> None:
    other = await given_counter(sessions, seal=seal)
    browser = await console(StaffRoleName.FINANCE)
    page = await browser.see(f"/console/members/{known}")
    assert '<form method="post" action="/console/members' not in page.text
    denied = await browser.post(f"/console/members/{known}/tags", tag="x")
    assert (denied.status_code, denied.json()["code"]) == (403, "staff.role_missing")
    manager = await console(StaffRoleName.MANAGER)
    await manager.see("/console/members")
    for member_id in (other.member_id, new_id()):
        assert (await manager.see(f"/console/members/{member_id}")).status_code == 404
        answer = await manager.post(f"/console/members/{member_id}/tags", tag="x")
        assert (answer.status_code, answer.json()["code"]) == (404, "member.not_found")
    assert await count(sessions, "member_tags") == 0


async def test_places_of_somebody_elses_making_and_odd_words_are_answered(
    console: Console, known: UUID
) -> None:
    browser = await console(StaffRoleName.SERVICE)
    for path in ("/console/members?q=x", f"/console/members/{known}?x=1"):
        assert (await browser.see(f"{path}&after=zzz")).status_code == 400
    for query in ("q=%00", "q=%25_%27%22", "q=" + "9" * 500, "tag=%00&q=", "q=%F0%9F%90%9F"):
        page = await browser.see(f"/console/members?{query}")
        assert page.status_code == 200
    empty = await browser.see("/console/members?q=nobodyofthatname")
    assert "没有找到会员" in empty.text


async def test_a_member_who_became_another_is_shown_there(
    console: Console, known: UUID, counter: Counter, sessions: SessionFactory
) -> None:
    async with transaction(sessions) as tx:
        await tx.execute(
            text("UPDATE members SET status = 'merged', merged_into_id = :into WHERE id = :id"),
            {"into": counter.member_id, "id": known},
        )
    browser = await console(StaffRoleName.SERVICE)
    page = await browser.see(f"/console/members/{known}")
    assert page.status_code == 302
    assert page.headers["location"] == f"/console/members/{counter.member_id}"
