"""Balance and points as the member reads them: parts, signs, places, and page by page."""

import re
from datetime import timedelta

import httpx
import pytest

from o2o.crm.statuses import Tender
from o2o.infra.database import SessionFactory, transaction
from o2o.kernel.ids import BrandId, StoreId
from o2o.ledger.actions.debit_stored_value import debit_stored_value
from o2o.ledger.actions.grant_points import grant_points
from o2o.ledger.actions.spend_points import spend_points
from o2o.ledger.actions.top_up_stored_value import top_up_stored_value
from tests.factories.diners import DinerSession
from tests.factories.ledger import Books, debit, grant, spend, top_up
from tests.factories.members import Counter
from tests.fakes.clock import NOON

HTMX = {"hx-request": "true", "hx-request-type": "partial"}


def plain(page: str) -> str:
    """The page's words without its tags, white space folded."""
    words = re.sub(r"<[^>]+>", " ", re.sub(r"</?span[^>]*>", "", page))
    return re.sub(r"\s+", " ", words)


def books_of(counter: Counter) -> Books:
    """The counter's member and stores as the ledger's factory knows them."""
    return Books(
        brand_id=BrandId(counter.brand.id),
        store_id=StoreId(counter.store.id),
        other_store_id=StoreId(counter.far_store.id),
        member_id=counter.member_id,
        other_member_id=counter.member_id,
    )


async def given_movements(sessions: SessionFactory, counter: Counter) -> None:
    books, yesterday = books_of(counter), NOON - timedelta(days=1)
    async with transaction(sessions) as tx:
        outcomes: list[object] = [
            *await top_up_stored_value(
                tx,
                [
                    top_up(
                        books,
                        principal_fen=20_000,
                        bonus_fen=2_000,
                        tender=Tender.BANK_CARD,
                        now=yesterday,
                    )
                ],
            ),
            *await debit_stored_value(tx, [debit(books, 3_200, now=NOON)]),
            *await grant_points(tx, [grant(books, 1_200, now=NOON)]),
            *await spend_points(tx, [spend(books, 200, now=NOON)]),
        ]
    assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes


async def test_the_wallet_tells_every_movement_with_its_parts(
    phone: httpx.AsyncClient, member: DinerSession, counter: Counter, sessions: SessionFactory
) -> None:
    await given_movements(sessions, counter)

    page = plain((await phone.get(f"/h5/{member.slug}/wallet")).text)

    # 100 + 200 principal and 20 bonus, less 32 taken in proportion: 30 and 2.
    assert "余额 ¥288.00" in page
    assert "本金 ¥270.00 赠送 ¥18.00" in page
    assert "消费 小灶静安寺店 今天 12:00 −¥32.00 本金 ¥30.00，赠送 ¥2.00 余额 ¥288.00" in page
    assert "充值赠送 小灶静安寺店 昨天 12:00 +¥20.00 余额 ¥320.00" in page
    assert "充值 银行卡 小灶静安寺店 昨天 12:00" in page
    assert "加载更多" not in page


async def test_the_points_page_tells_points(
    phone: httpx.AsyncClient, member: DinerSession, counter: Counter, sessions: SessionFactory
) -> None:
    await given_movements(sessions, counter)

    page = plain((await phone.get(f"/h5/{member.slug}/points")).text)

    assert "可用积分 1,000 分" in page
    assert "使用积分 小灶静安寺店 今天 12:00 −200 剩余 1,000 分" in page
    assert "获得积分 小灶静安寺店 今天 12:00 +1,200 剩余 1,200 分" in page


async def test_a_card_without_points_says_what_will_be_here(
    phone: httpx.AsyncClient, member: DinerSession
) -> None:
    page = plain((await phone.get(f"/h5/{member.slug}/points")).text)

    assert "还没有积分记录" in page
    assert "可用积分 0 分" in page


async def test_a_long_statement_is_turned_page_by_page_without_gap_or_repeat(
    phone: httpx.AsyncClient, member: DinerSession, counter: Counter, sessions: SessionFactory
) -> None:
    async with transaction(sessions) as tx:
        debits = [debit(books_of(counter), fen, now=NOON) for fen in range(1, 45)]
        outcomes = await debit_stored_value(tx, debits)
    assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
    url = f"/h5/{member.slug}/wallet"

    seen, pages, answer = [], 0, await phone.get(url)
    while True:
        pages += 1
        seen += re.findall(r"([−+])<span class=\"money-sign\">¥</span>([0-9.,]+)", answer.text)
        more = re.search(r'hx-get="\?before=([0-9]+)"', answer.text)
        if more is None:
            break
        answer = await phone.get(f"{url}?before={more[1]}", headers=HTMX)
        assert "<html" not in answer.text
    moved = [(sign, amount) for sign, amount in seen if sign in "−+"]

    assert pages == 3
    assert moved == [("−", f"0.{fen:02d}") for fen in range(44, 0, -1)] + [("+", "100.00")]
    assert "没有更早的记录了" in answer.text
    # Without scripts the same button opens a whole page of the earlier lines.
    first_more = re.search(r'href="\?before=([0-9]+)"', (await phone.get(url)).text)
    assert first_more is not None
    assert "<html" in (await phone.get(f"{url}?before={first_more[1]}")).text


@pytest.mark.parametrize("before", ["0", "-1", "abc", "1.5", "9223372036854775808", "９"])
@pytest.mark.parametrize("page", ["wallet", "points"])
async def test_a_page_mark_that_cannot_be_one_is_refused(
    phone: httpx.AsyncClient, member: DinerSession, page: str, before: str
) -> None:
    answer = await phone.get(f"/h5/{member.slug}/{page}", params={"before": before})

    assert answer.status_code == 422
    assert "填写的内容有误" in answer.text


async def test_somebody_without_a_card_is_sent_to_get_one(
    new_phone: httpx.AsyncClient, newcomer: DinerSession
) -> None:
    for page in ("wallet", "points"):
        answer = await new_phone.get(f"/h5/{newcomer.slug}/{page}")
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            f"/h5/{newcomer.slug}/card",
        )


async def test_more_lines_asked_for_after_the_session_ended_are_answered_in_place(
    nobody: httpx.AsyncClient, member: DinerSession
) -> None:
    answer = await nobody.get(f"/h5/{member.slug}/wallet?before=9", headers=HTMX)

    assert answer.status_code == 401
    assert answer.text.startswith('<div class="notice notice-danger" role="alert"')
    assert "登录已失效" in answer.text
