"""The way in: pick a person, scan a code, talk to the account, open pages; it survives a reload."""

import httpx
from playwright.sync_api import Page, expect

from tests.browser.sandbox.account_owner import AccountOwner
from tests.browser.sandbox.conftest import OpenPhone
from tests.browser.sandbox.talk import access_token, follow, say, scan_text, web_view


def received(page: Page, kind: str = "text") -> list[str]:
    found = page.locator(f'[data-testid=msg][data-direction=in][data-kind="{kind}"] .bubble')
    return found.all_inner_texts()


def test_from_nothing_to_following_in_two_taps(
    open_phone: OpenPhone, sandbox: httpx.Client, owner: AccountOwner
) -> None:
    page = open_phone()

    page.get_by_test_id("person-lin").click()
    page.get_by_test_id("account-qr-chuxin").click()

    expect(page.get_by_text("您关注了「初心小馆」")).to_be_visible()
    expect(page.locator("[data-testid=msg][data-direction=in]")).to_have_count(1)
    assert received(page) == ["欢迎！点 会员卡 <b>不是标签</b>"]
    assert sandbox.get("/_sandbox/people/lin").json()["following"] == ["chuxin"]
    assert [message["Event"] for message in owner.pushed] == ["subscribe"]


def test_text_goes_out_once_and_the_reply_shows(open_phone: OpenPhone, owner: AccountOwner) -> None:
    page = open_phone()
    follow(page)

    say(page, "<img src=x onerror=alert(1)> 你好")

    expect(page.get_by_text("收到：<img src=x onerror=alert(1)> 你好")).to_be_visible()
    assert [m["Content"] for m in owner.pushed if m["MsgType"] == "text"] == [
        "<img src=x onerror=alert(1)> 你好"
    ]
    sent = page.locator("[data-testid=msg][data-direction=out][data-kind=text]")
    expect(sent).to_have_count(1)
    assert page.locator("#screen-place img[src=x]").count() == 0


def test_a_message_shows_before_the_account_has_answered(
    open_phone: OpenPhone, owner: AccountOwner
) -> None:
    page = open_phone()
    follow(page)
    owner.let_answer.clear()

    say(page, "在吗")

    expect(page.locator("[data-testid=msg][data-direction=out][data-kind=text]")).to_have_count(1)
    assert received(page) == ["欢迎！点 会员卡 <b>不是标签</b>"]
    owner.let_answer.set()
    expect(page.get_by_text("收到：在吗")).to_be_visible()
    expect(page.locator("[data-testid=msg][data-direction=out][data-kind=text]")).to_have_count(1)


def test_link_in_a_reply_opens_the_web_view_as_this_person(
    open_phone: OpenPhone, owner: AccountOwner
) -> None:
    page = open_phone()
    follow(page)

    page.get_by_role("link", name="会员卡").click()

    expect(web_view(page).locator("#path")).to_have_text("/card")
    assert owner.page_visits == ["lin /card"]
    page.get_by_test_id("webview-close").click()
    expect(page.get_by_test_id("webview")).to_have_count(0)
    expect(page.get_by_test_id("composer")).to_be_visible()


def test_scanner_opens_a_typed_address_and_shows_other_text(
    open_phone: OpenPhone, owner: AccountOwner
) -> None:
    page = open_phone()
    page.get_by_test_id("person-lin").click()

    scan_text(page, "就是一段字 <b>")
    expect(page.get_by_role("status").get_by_text("码里写着：就是一段字 <b>")).to_be_visible()
    scan_text(page, f"{owner.base}/menu?table=7")

    expect(web_view(page).locator("#path")).to_have_text("/menu?table=7")
    assert owner.page_visits == ["lin /menu?table=7"]


def test_script_address_is_never_opened(open_phone: OpenPhone) -> None:
    page = open_phone(path="/#person=lin&url=javascript%3Aalert(1)")

    expect(page.get_by_test_id("tab-chats")).to_be_visible()
    expect(page.get_by_test_id("webview")).to_have_count(0)
    page.get_by_test_id("person-chen").click()
    scan_text(page, "javascript:alert(1)")

    expect(page.get_by_text("码里写着：javascript:alert(1)")).to_be_visible()
    expect(page.get_by_test_id("webview")).to_have_count(0)


def test_person_and_chat_survive_a_reload(open_phone: OpenPhone) -> None:
    page = open_phone()
    follow(page, "wang")
    say(page, "记得我吗")
    expect(page.get_by_text("收到：记得我吗")).to_be_visible()

    page.reload()

    expect(page.get_by_text("收到：记得我吗")).to_be_visible()
    expect(page.get_by_test_id("person-wang")).to_have_attribute("aria-pressed", "true")


def test_menu_made_by_the_account_sends_a_click_and_opens_a_page(
    open_phone: OpenPhone, sandbox: httpx.Client, owner: AccountOwner
) -> None:
    page = open_phone()
    follow(page)
    menu = {
        "button": [
            {"type": "click", "name": "排队", "key": "queue"},
            {
                "name": "会员",
                "sub_button": [{"type": "view", "name": "会员卡", "url": f"{owner.base}/card"}],
            },
        ]
    }

    made = sandbox.post(
        "/cgi-bin/menu/create", params={"access_token": access_token(sandbox)}, json=menu
    )

    assert made.json()["errcode"] == 0
    page.get_by_test_id("menu-0").click()
    expect(page.get_by_text("点了 queue")).to_be_visible()
    page.get_by_test_id("menu-1").click()
    page.get_by_test_id("menu-1-0").click()
    expect(web_view(page).locator("#path")).to_have_text("/card")
    events = [(m.get("Event"), m.get("EventKey")) for m in owner.pushed[1:]]
    assert events == [("CLICK", "queue"), ("VIEW", f"{owner.base}/card")]


def test_messages_that_arrive_elsewhere_are_counted_until_read(
    open_phone: OpenPhone, sandbox: httpx.Client
) -> None:
    page = open_phone()
    follow(page)
    page.get_by_test_id("back").click()

    sandbox.post(
        "/_sandbox/people/lin/messages",
        json={"account": "chuxin", "type": "text", "content": "来自别处"},
    )

    row = page.get_by_test_id("chat-chuxin")
    expect(row.get_by_text("收到：来自别处")).to_be_visible()
    expect(row.get_by_label("1 条未读")).to_be_visible()
    row.click()
    page.get_by_test_id("back").click()
    expect(row).to_be_visible()
    expect(row.get_by_label("1 条未读")).to_have_count(0)


def test_picture_and_place_are_sent_from_the_panel(
    open_phone: OpenPhone, sandbox: httpx.Client, owner: AccountOwner
) -> None:
    page = open_phone()
    follow(page)

    page.get_by_test_id("more").click()
    page.get_by_test_id("extra-picture").click()
    page.get_by_test_id("album-dish").click()
    expect(page.get_by_text("收到图片")).to_be_visible()
    page.get_by_test_id("more").click()
    page.get_by_test_id("extra-location").click()
    page.locator(".place-row").first.click()
    page.get_by_test_id("map-done").click()

    place = sandbox.get("/_sandbox/map").json()["places"][0]
    expect(
        page.get_by_text(f"收到位置 {place['name']} {place['lat']},{place['lng']}")
    ).to_be_visible()
    image = next(message for message in owner.pushed if message["MsgType"] == "image")
    picture = httpx.get(image["PicUrl"], trust_env=False)
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content[:2] == b"\xff\xd8"


def test_add_a_person_by_keyboard_and_hold_their_phone(
    open_phone: OpenPhone, sandbox: httpx.Client
) -> None:
    page = open_phone()

    page.get_by_test_id("add-person").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("小满")
    page.keyboard.press("Enter")

    added = page.locator("#people").get_by_role("button", name="小满")
    expect(added).to_have_attribute("aria-pressed", "true")
    assert sandbox.get("/_sandbox/people").json()[-1]["name"] == "小满"
