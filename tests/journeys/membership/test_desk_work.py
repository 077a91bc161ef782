"""At the desk: old cards imported by two people, and two members who are one person."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.journeys.membership.conftest import Desk

HEAD = "卡号,卡密,姓名,手机号,本金余额,赠送余额,积分,等级,开卡日期,门店\n"
GOOD = "IM2025000{n},Q4W8R2T{n},沈小{name},1771000100{n},100.00,10.00,5,,2024-05-01,{store}\n"
# A number twice, and an amount that is none.
BAD = "IM20250001,Q4W8R2T9,顾小满,17710001009,50,0,0,,2024-05-01,{store}\n"
WORSE = "IM20250008,Q4W8R2T8,顾小满,17710001008,五十,0,0,,2024-05-01,{store}\n"
WHY = "本人到店，出示两张卡"


def old_cards(store: str) -> bytes:
    """Three good rows and two that are not, as a spreadsheet in China saves them."""
    rows = [
        GOOD.format(n=n, name=name, store=store) for n, name in ((1, "春"), (2, "夏"), (3, "秋"))
    ]
    return (HEAD + "".join(rows) + BAD.format(store=store) + WORSE.format(store=store)).encode(
        "gbk"
    )


def until_checked(page: Page) -> None:
    """The page tells how far it is and goes on by itself."""
    expect(page.get_by_role("heading", name="试算结果")).to_be_visible()


def test_old_cards_are_tried_read_and_confirmed_by_a_second_person(
    desk: Desk, tmp_path: Path
) -> None:
    [store] = [s["name"] for s in desk.product.demo["stores"] if "愚园路" in s["name"]]
    file = tmp_path / "old-cards.csv"
    file.write_bytes(old_cards(store))
    manager = desk.console("linfan")
    manager.get_by_role("link", name="导入").click()
    manager.locator("#import-file").set_input_files(file)
    manager.get_by_role("button", name="上传并试算").click()
    manager.wait_for_url("**/console/imports/*")
    until_checked(manager)
    expect(manager.locator(".import-faults li")).to_have_count(2)
    with manager.expect_download() as download:
        manager.get_by_role("link", name="下载").click()
    faults = Path(download.value.path()).read_text("utf-8-sig")
    assert len(faults.strip().splitlines()) == 3, faults
    # Who brought it in confirms nothing.
    expect(manager.get_by_role("button", name="确认导入")).to_have_count(0)

    finance = desk.console("heqing")
    finance.goto(manager.url)
    totals = {"row_count": "3", "principal_yuan": "300.00", "bonus_yuan": "30", "points": "16"}
    for name, typed in totals.items():
        finance.locator(f"input[name={name}]").fill(typed)
    finance.locator("#skips-faulty").check()
    finance.locator(".import-send button").click()
    expect(finance.get_by_role("alert")).to_be_visible()
    finance.locator("input[name=points]").fill("15")
    finance.locator(".import-send button").click()
    done = finance.get_by_role("status").filter(has_text="3")
    expect(done.first).to_be_visible()
    expect(finance.locator(".import-done")).to_be_visible()
    finance.goto("/console/members?q=IM20250002")
    expect(finance.locator(".member-row")).to_contain_text("沈小夏")


def test_a_manager_merges_two_cards_of_one_person_and_takes_it_back(desk: Desk) -> None:
    twice = [desk.newcomer(name) for name in ("邹静", "邹静二号")]
    assert len(twice) == 2
    manager = desk.console("linfan")
    rows = manager.locator(".member-row")
    cards = [rows.nth(at).locator(".digits").last.inner_text() for at in (0, 1)]
    rows.first.click()
    manager.wait_for_url("**/console/members/*-*")
    manager.locator("#merge-other").fill(cards[1])
    manager.get_by_role("button", name="核对").click()
    expect(manager.locator(".merge-pair section")).to_have_count(2)
    expect(manager.locator(".merge-pair")).to_contain_text(f"卡尾号 {cards[0][-4:]}")

    manager.locator("#merge-reason").fill(WHY)
    manager.get_by_role("button", name="确认合并").click()
    expect(manager.get_by_role("status")).to_contain_text("已合并成一位会员")
    manager.get_by_text("撤销合并…").click()
    manager.get_by_label("撤销原因").fill("认错了人，不是同一位")
    manager.get_by_role("button", name="确认撤销").click()
    expect(manager.get_by_role("status")).to_contain_text("合并已撤销")
    manager.goto("/console/members")
    assert {rows.nth(at).locator(".digits").last.inner_text() for at in (0, 1)} == set(cards)
