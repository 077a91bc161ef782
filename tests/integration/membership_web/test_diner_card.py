"""The card page and joining: what is shown to whom, and what a refused form leaves untouched."""

import shutil
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, Tx
from o2o.infra.direct import fetch_rows
from o2o.infra.seal import Seal
from o2o.web.copy import webviews_dir
from o2o.web.panels import Panel, Panels
from o2o.web.principals import Diner
from tests.factories.diners import DinerSession, client_of, diner_platform, given_diner
from tests.factories.members import Counter, count
from tests.fakes.clock import FakeClock

TERMS = "2026-01"


def form(diner: DinerSession, **fields: str) -> dict[str, str]:
    return {"csrf": diner.csrf, "terms_version": TERMS, "membership": "yes", **fields}


async def consents(sessions: SessionFactory) -> list[tuple[str, str, bool]]:
    async with sessions() as tx:
        rows = await tx.execute(
            text(
                "SELECT purpose, terms_version, withdrawn_at IS NULL FROM consents"
                " ORDER BY given_at, purpose"
            )
        )
        return [tuple(row) for row in rows]


async def test_a_browser_without_a_name_is_sent_to_wechat_and_back(
    nobody: httpx.AsyncClient, counter: Counter
) -> None:
    slug = counter.account.slug

    answer = await nobody.get(f"/h5/{slug}/card?from=menu")

    assert answer.status_code == 302
    assert answer.headers["location"] == f"/wechat/{slug}/oauth?next=/h5/{slug}/card%3Ffrom%3Dmenu"


async def test_the_start_of_an_account_is_its_card(
    phone: httpx.AsyncClient, member: DinerSession
) -> None:
    answer = await phone.get(f"/h5/{member.slug}/")

    assert (answer.status_code, answer.headers["location"]) == (303, f"/h5/{member.slug}/card")


async def test_a_member_sees_the_card_with_what_it_holds(
    phone: httpx.AsyncClient, member: DinerSession, sessions: SessionFactory
) -> None:
    async with sessions() as tx:
        card_no: str = await tx.scalar(text("SELECT card_no FROM cards")) or ""

    answer = await phone.get(f"/h5/{member.slug}/card")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    page = answer.text
    assert '<html lang="zh-CN"' in page
    assert '<span class="money-sign">¥</span>100.00' in page
    assert "普通会员" in page
    for start in range(0, 16, 4):
        assert f"<span>{card_no[start : start + 4]}</span>" in page
    assert "出示会员码" in page
    assert f'href="/brand/{(await brand_slug(sessions))}.css"' in page


async def brand_slug(sessions: SessionFactory) -> str:
    async with sessions() as tx:
        return str(await tx.scalar(text("SELECT slug FROM brands")))


async def test_the_card_reads_in_english_when_chosen(
    phone: httpx.AsyncClient, member: DinerSession
) -> None:
    phone.cookies.set("o2o_lang", "en")

    page = (await phone.get(f"/h5/{member.slug}/card")).text

    assert '<html lang="en"' in page
    assert "Show member code" in page
    assert "Jiangnan Kitchen" in page


async def test_the_page_holds_nothing_that_the_policy_forbids(
    phone: httpx.AsyncClient, member: DinerSession
) -> None:
    for path in ("card", "code", "wallet", "points", "me", "privacy"):
        page = (await phone.get(f"/h5/{member.slug}/{path}")).text
        assert " style=" not in page, path
        assert "<style" not in page, path
        assert " onclick" not in page, path
        assert page.count("<script") == page.count('src="', page.find("<script")), path


async def test_somebody_without_a_card_is_offered_one(
    new_phone: httpx.AsyncClient, newcomer: DinerSession
) -> None:
    page = (await new_phone.get(f"/h5/{newcomer.slug}/card")).text

    assert "领取会员卡" in page
    assert f'name="terms_version" value="{TERMS}"' in page
    assert "checked" not in page
    assert f'href="/h5/{newcomer.slug}/privacy"' in page


async def test_joining_makes_a_member_with_the_consents_that_were_ticked(
    new_phone: httpx.AsyncClient, newcomer: DinerSession, sessions: SessionFactory
) -> None:
    url = f"/h5/{newcomer.slug}/card"

    answer = await new_phone.post(url, data=form(newcomer, marketing="yes"))

    assert (answer.status_code, answer.headers["location"]) == (303, f"{url}?told=welcome")
    assert await consents(sessions) == [("marketing", TERMS, True), ("membership", TERMS, True)]
    assert await count(sessions, "members") == 2
    page = (await new_phone.get(answer.headers["location"])).text
    assert "领卡成功" in page
    assert '<span class="money-sign">¥</span>0.00' in page


async def test_without_the_second_tick_there_is_no_consent_to_offers(
    new_phone: httpx.AsyncClient, newcomer: DinerSession, sessions: SessionFactory
) -> None:
    await new_phone.post(f"/h5/{newcomer.slug}/card", data=form(newcomer))

    assert await consents(sessions) == [("membership", TERMS, True)]


async def test_joining_twice_makes_one_member(
    new_phone: httpx.AsyncClient, newcomer: DinerSession, sessions: SessionFactory
) -> None:
    url = f"/h5/{newcomer.slug}/card"

    first = await new_phone.post(url, data=form(newcomer, marketing="yes"))
    second = await new_phone.post(url, data=form(newcomer))

    assert (first.status_code, second.status_code) == (303, 303)
    assert second.headers["location"] == url
    assert await count(sessions, "members") == 2
    # The second form lacks the tick; that withdraws nothing.
    assert await consents(sessions) == [("marketing", TERMS, True), ("membership", TERMS, True)]


@pytest.mark.parametrize(
    "fields, status, words",
    [
        ({"membership": ""}, 422, "请先勾选同意"),
        ({"membership": "on"}, 422, "请先勾选同意"),
        ({"terms_version": "2019-01"}, 409, "会员章程刚刚更新了"),
        ({"terms_version": ""}, 409, "会员章程刚刚更新了"),
    ],
)
async def test_a_form_without_agreement_or_with_old_terms_is_shown_again(
    new_phone: httpx.AsyncClient,
    newcomer: DinerSession,
    sessions: SessionFactory,
    *,
    fields: dict[str, str],
    status: int,
    words: str,
) -> None:
    url = f"/h5/{newcomer.slug}/card"

    answer = await new_phone.post(url, data=form(newcomer, marketing="yes", **fields))

    assert answer.status_code == status
    assert words in answer.text
    assert (
        'id="marketing" name="marketing" value="yes" aria-describedby="marketing-hint" checked'
        in (answer.text)
    )
    assert await count(sessions, "members") == 1
    assert await consents(sessions) == []


@pytest.mark.parametrize("csrf", ["", "0" * 64, "页面"])
async def test_a_form_from_elsewhere_is_refused(
    new_phone: httpx.AsyncClient, newcomer: DinerSession, sessions: SessionFactory, csrf: str
) -> None:
    answer = await new_phone.post(
        f"/h5/{newcomer.slug}/card", data={**form(newcomer), "csrf": csrf}
    )

    assert answer.status_code == 403
    assert "页面已过期" in answer.text
    assert await count(sessions, "members") == 1


async def test_the_snapshot_page_explains_and_makes_no_member(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    virtual = await given_diner(
        sessions, counter, seal=seal, clock=clock, is_member=False, is_snapshot=True
    )
    async with client_of(diner_platform(sessions, seal=seal, clock=clock)) as client:
        client.cookies.update(virtual.cookies)
        page = await client.get(f"/h5/{virtual.slug}/card")
        forms = (form(virtual), form(virtual, membership="", terms_version="of another time"))
        joined = [await client.post(f"/h5/{virtual.slug}/card", data=data) for data in forms]
        asked = await client.post(
            f"/h5/{virtual.slug}/card", data=forms[1], headers={"accept": "application/json"}
        )

    assert page.status_code == 200
    assert "使用完整服务" in page.text
    assert "<form" not in page.text
    for answer in joined:
        assert answer.status_code == 403
        assert 'data-code="member.snapshot_session"' in answer.text
    assert (asked.status_code, asked.json()["code"]) == (403, "member.snapshot_session")
    assert await count(sessions, "members") == 1
    assert await consents(sessions) == []


async def test_another_accounts_session_opens_nothing_here(
    phone: httpx.AsyncClient, member: DinerSession, sessions: SessionFactory
) -> None:
    page = await phone.get("/h5/another/card")
    posted = await phone.post("/h5/another/card", data=form(member))

    assert page.status_code == 302
    assert page.headers["location"] == "/wechat/another/oauth?next=/h5/another/card"
    assert posted.status_code == 403
    assert await consents(sessions) == []


async def test_panels_of_other_domains_stand_on_the_card(
    sessions: SessionFactory,
    counter: Counter,
    member: DinerSession,
    seal: Seal,
    clock: FakeClock,
    tmp_path: Path,
) -> None:
    async def load(tx: Tx, diner: Diner) -> dict[str, object]:
        [row] = await fetch_rows(tx, text("SELECT 7 AS seven"), {})
        return {"openid": diner.openid, "seven": row.seven}

    async def load_nothing(tx: Tx, diner: Diner) -> None:
        return None

    shutil.copytree(webviews_dir() / "templates", tmp_path / "templates")
    (tmp_path / "templates" / "panel.html").write_text(
        "<p>{{ panel_view.openid }} has {{ panel_view.seven }}</p>"
    )
    panels = Panels()
    panels.add("diner.card", Panel(name="there", template="panel.html", load=load))
    panels.add("diner.card", Panel(name="absent", template="missing.html", load=load_nothing))
    platform = diner_platform(sessions, seal=seal, clock=clock, panels=panels, folder=tmp_path)
    async with client_of(platform) as client:
        client.cookies.update(member.cookies)
        answer = await client.get(f"/h5/{member.slug}/card")

    assert answer.status_code == 200
    assert answer.text.count(f"<p>{member.openid} has 7</p>") == 1
