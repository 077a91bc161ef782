"""The page about oneself, its choices, the terms, and who may watch the live stream."""

import tomllib

import httpx
import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.membership.web.live import diner_topic
from o2o.web.copy import webviews_dir
from o2o.web.platform import Platform
from tests.factories.diners import DinerSession, given_diner
from tests.factories.members import Counter, count
from tests.fakes.clock import FakeClock


async def marketing(sessions: SessionFactory) -> list[tuple[str, bool]]:
    async with sessions() as tx:
        rows = await tx.execute(
            text(
                "SELECT terms_version, withdrawn_at IS NULL FROM consents"
                " WHERE purpose = 'marketing' ORDER BY given_at, withdrawn_at NULLS LAST"
            )
        )
        return [tuple(row) for row in rows]


async def choose(phone: httpx.AsyncClient, diner: DinerSession, **choices: str) -> httpx.Response:
    return await phone.post(f"/h5/{diner.slug}/preferences", data={"csrf": diner.csrf, **choices})


async def test_a_member_sees_what_we_know_and_no_more(
    phone: httpx.AsyncClient, member: DinerSession, counter: Counter, sessions: SessionFactory
) -> None:
    async with transaction(sessions) as tx:
        await tx.execute(
            text(
                "UPDATE members SET name = '欧阳<b>长名</b>', phone = '19900001234',"
                " phone_verified_at = joined_at WHERE id = :id"
            ),
            {"id": counter.member_id},
        )

    page = (await phone.get(f"/h5/{member.slug}/me")).text

    assert "欧阳&lt;b&gt;长名&lt;/b&gt;" in page
    assert "199****1234" in page
    assert "19900001234" not in page
    assert '<span class="money-sign">¥</span>5,000.00' in page


async def test_an_unnamed_member_sees_the_lower_limit(
    phone: httpx.AsyncClient, member: DinerSession
) -> None:
    page = (await phone.get(f"/h5/{member.slug}/me")).text

    assert '<span class="money-sign">¥</span>1,000.00' in page
    assert "未实名" in page
    assert "未登记" in page


@pytest.mark.parametrize(
    "choices, cookie",
    [
        ({"language": "en"}, "o2o_lang=en"),
        ({"language": "zh_CN"}, "o2o_lang=zh_CN"),
        ({"large_type": "on"}, "o2o_large=1"),
        ({"large_type": "off"}, "o2o_large=0"),
    ],
)
async def test_a_choice_is_kept_in_the_browser(
    phone: httpx.AsyncClient, member: DinerSession, choices: dict[str, str], cookie: str
) -> None:
    answer = await choose(phone, member, **choices)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/h5/{member.slug}/me?told=saved"
    [kept] = answer.headers.get_list("set-cookie")
    assert kept.startswith(f"{cookie};")
    assert "SameSite=lax" in kept
    assert "HttpOnly" in kept


async def test_large_type_is_on_every_page_once_chosen(
    phone: httpx.AsyncClient, member: DinerSession
) -> None:
    await choose(phone, member, large_type="on")

    for page in ("card", "code", "wallet", "points", "me", "privacy"):
        shown = (await phone.get(f"/h5/{member.slug}/{page}")).text
        assert 'class="wx-root large-type"' in shown, page


@pytest.mark.parametrize(
    "choices", [{"language": "fr"}, {"large_type": "huge"}, {"marketing": "yes"}]
)
async def test_a_choice_that_there_is_not_is_refused(
    phone: httpx.AsyncClient,
    member: DinerSession,
    sessions: SessionFactory,
    choices: dict[str, str],
) -> None:
    answer = await choose(phone, member, **choices)

    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers
    assert await marketing(sessions) == []


async def test_a_field_that_the_page_does_not_have_is_refused(
    phone: httpx.AsyncClient, member: DinerSession, sessions: SessionFactory
) -> None:
    answer = await phone.post(
        f"/h5/{member.slug}/preferences",
        data={"csrf": member.csrf, "marketing": "on", "balance": "1"},
        headers={"Accept": "application/json"},
    )
    told = answer.json()
    assert (answer.status_code, told["code"], told["field"]) == (
        422,
        "field.not_allowed",
        "balance",
    )
    assert await marketing(sessions) == []


async def test_the_yes_to_offers_is_given_and_taken_back(
    phone: httpx.AsyncClient, member: DinerSession, sessions: SessionFactory, clock: FakeClock
) -> None:
    for _ in range(2):
        await choose(phone, member, marketing="on")
    assert await marketing(sessions) == [("2026-01", True)]
    assert (
        'name="marketing" value="off" aria-checked="true"'
        in (await phone.get(f"/h5/{member.slug}/me")).text
    )

    clock.advance(minutes=1)
    for _ in range(2):
        await choose(phone, member, marketing="off")
    assert await marketing(sessions) == [("2026-01", False)]

    clock.advance(minutes=1)
    await choose(phone, member, marketing="on")
    assert await marketing(sessions) == [("2026-01", False), ("2026-01", True)]
    assert await count(sessions, "audit_entries", "action LIKE 'consent.%'") == 3


async def test_somebody_without_a_card_may_choose_but_consents_to_nothing(
    new_phone: httpx.AsyncClient, newcomer: DinerSession, sessions: SessionFactory
) -> None:
    answer = await choose(new_phone, newcomer, marketing="on", large_type="on")

    assert answer.status_code == 303
    assert await marketing(sessions) == []
    page = (await new_phone.get(f"/h5/{newcomer.slug}/me")).text
    assert "还没有会员卡" in page
    assert 'name="marketing"' not in page


@pytest.mark.parametrize("language, title", [("zh_CN", "会员章程"), ("en", "Membership terms")])
async def test_the_terms_stand_there_whole_with_names_and_version(
    new_phone: httpx.AsyncClient, newcomer: DinerSession, language: str, title: str
) -> None:
    new_phone.cookies.set("o2o_lang", language)

    page = (await new_phone.get(f"/h5/{newcomer.slug}/privacy")).text

    assert title in page
    assert "2026-01" in page
    copy = tomllib.loads((webviews_dir() / "copy" / language / "privacy.toml").read_text("utf-8"))
    brand = "江南小灶" if language == "zh_CN" else "Jiangnan Kitchen"
    for section in copy["sections"]:
        assert section["title"] in page
        for paragraph in section["paragraphs"]:
            assert paragraph.replace("{brand}", brand).replace("{account}", "江南小灶") in page
    assert "{brand}" not in page


async def scope_of(path: str, cookie: str, method: str = "GET") -> dict[str, object]:
    headers = [(b"cookie", cookie.encode())] if cookie else []
    return {"type": "http", "method": method, "path": path, "headers": headers}


async def test_a_member_watches_the_own_topic_only(
    platform: Platform, member: DinerSession, newcomer: DinerSession, clock: FakeClock
) -> None:
    topic_of = diner_topic(platform)
    live = f"/h5/{member.slug}/live"
    own = f"a=b; o2o_diner={member.token}; c=d"

    assert await topic_of(await scope_of(live, own)) == f"member:{member.member_id}"
    for path, cookie, method in (
        ("/h5/another/live", own, "GET"),
        (f"/h5/{member.slug}/x/live", own, "GET"),
        (live, own, "POST"),
        (live, "", "GET"),
        (live, "o2o_diner=", "GET"),
        (live, "o2o_diner=nonsense", "GET"),
        (live, "\u00ff;;=;o2o_diner", "GET"),
        (live, f"o2o_diner={newcomer.token}", "GET"),
        (live, f"o2o_pad={member.token}", "GET"),
    ):
        assert await topic_of(await scope_of(path, cookie, method)) is None, (path, cookie)
    clock.advance(days=8)
    assert await topic_of(await scope_of(live, own)) is None


async def test_a_snapshot_watches_nothing(
    platform: Platform,
    sessions: SessionFactory,
    counter: Counter,
    *,
    seal: Seal,
    clock: FakeClock,
) -> None:
    virtual = await given_diner(sessions, counter, seal=seal, clock=clock, is_snapshot=True)
    scope = await scope_of(f"/h5/{virtual.slug}/live", f"o2o_diner={virtual.token}")

    assert await diner_topic(platform)(scope) is None
