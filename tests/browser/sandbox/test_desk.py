"""The desk around the phone: what WeChat saw, trouble on command, codes in pictures, sheets."""

import io
import re

import httpx
import qrcode
from playwright.sync_api import Page, expect

from tests.browser.sandbox.account_owner import AccountOwner
from tests.browser.sandbox.conftest import SOURCE, OpenPhone, Program, Size
from tests.browser.sandbox.talk import access_token, follow, say, web_view

UNAVAILABLE = "该公众号暂时无法提供服务，请稍后再试"
NARROW = Size(390, 844)


def picture_of(text: str) -> bytes:
    drawn = io.BytesIO()
    qrcode.make(text).save(drawn)
    return drawn.getvalue()


def scan_picture(page: Page, content: bytes, *, kind: str = "image/png") -> None:
    page.get_by_test_id("open-scanner").click()
    page.get_by_test_id("scan-file").set_input_files(
        {"name": "picture", "mimeType": kind, "buffer": content}
    )


def test_callbacks_appear_live_with_what_was_said(open_phone: OpenPhone) -> None:
    page = open_phone()
    follow(page)

    say(page, "看得到吗")

    newest = page.get_by_test_id("call").first
    expect(newest).to_contain_text("text")
    newest.locator("summary").click()
    expect(newest).to_contain_text("看得到吗")
    expect(newest).to_contain_text("收到：看得到吗")


def test_switched_on_trouble_is_a_rule_and_can_be_cleared(
    open_phone: OpenPhone, sandbox: httpx.Client
) -> None:
    page = open_phone()
    page.get_by_test_id("watch-faults").click()

    page.get_by_test_id("fault-template-5xx").click()
    page.get_by_test_id("fault-callback-duplicate").click()

    expect(page.get_by_test_id("fault-callback-duplicate")).to_have_attribute(
        "aria-checked", "true"
    )
    assert sandbox.get("/_sandbox/faults").json()["rules"] == [
        {"match": "/cgi-bin/message/template/send", "status": 503},
        {"match": "callback", "duplicate": 2},
    ]
    page.get_by_test_id("faults-clear").click()
    expect(page.get_by_test_id("fault-template-5xx")).to_have_attribute("aria-checked", "false")
    assert sandbox.get("/_sandbox/faults").json()["rules"] == []


def test_rules_set_elsewhere_are_shown_and_kept_beside_switches(
    open_phone: OpenPhone, sandbox: httpx.Client
) -> None:
    page = open_phone()
    page.get_by_test_id("watch-faults").click()
    foreign = {"match": "/sns/*", "errcode": 40029, "times": 2}

    sandbox.put("/_sandbox/faults", json={"rules": [foreign]})
    expect(page.get_by_text("/sns/*")).to_be_visible()
    page.get_by_test_id("fault-slow").click()
    expect(page.get_by_test_id("fault-slow")).to_have_attribute("aria-checked", "true")

    rules = sandbox.get("/_sandbox/faults").json()["rules"]
    assert [rule["match"] for rule in rules] == ["/sns/*", "/cgi-bin/*"]
    assert rules[0]["times"] == 2


def test_expired_tokens_are_refused(open_phone: OpenPhone, sandbox: httpx.Client) -> None:
    page = open_phone()
    token = access_token(sandbox)
    page.get_by_test_id("watch-faults").click()

    page.get_by_test_id("fault-expire-tokens").click()

    expect(page.get_by_text("1 个令牌已作废")).to_be_visible()
    answer = sandbox.get("/cgi-bin/get_api_domain_ip", params={"access_token": token}).json()
    assert answer["errcode"] == 42001


def test_silent_account_is_said_to_be_out_of_service(
    open_phone: OpenPhone, sandbox: httpx.Client
) -> None:
    page = open_phone()
    follow(page)
    rule = {"match": "callback", "status": 500}
    sandbox.put("/_sandbox/faults", json={"rules": [rule]})

    say(page, "还在吗")

    expect(page.locator("[data-kind=system]")).to_have_text(UNAVAILABLE)


def test_template_message_is_a_card_that_opens_its_page(
    open_phone: OpenPhone, sandbox: httpx.Client, owner: AccountOwner
) -> None:
    page = open_phone()
    follow(page)
    token = {"access_token": access_token(sandbox)}
    wanted = {"template_id_short": "43216", "keyword_name_list": ["门店", "消费金额"]}
    made = sandbox.post("/cgi-bin/template/api_add_template", params=token, json=wanted).json()
    openid = sandbox.get("/_sandbox/people/lin").json()["openids"]["chuxin"]
    message = {
        "touser": openid,
        "template_id": made["template_id"],
        "url": f"{owner.base}/bill",
        "data": {"thing1": {"value": "徐汇店 <b>"}, "amount2": {"value": "58.00元"}},
    }

    sent = sandbox.post("/cgi-bin/message/template/send", params=token, json=message)

    assert sent.json()["errcode"] == 0
    card = page.locator("[data-testid=msg][data-kind=template]")
    expect(card).to_contain_text("门店消费即时通知")
    expect(card).to_contain_text("徐汇店 <b>")
    card.get_by_text("详情").click()
    expect(web_view(page).locator("#path")).to_have_text("/bill")


def test_code_in_a_picture_is_read(open_phone: OpenPhone, owner: AccountOwner) -> None:
    reader = SOURCE / "wechat_sandbox/static/dist/zxing/zxing_reader.js"
    assert reader.is_file(), "build the front end first: make setup"
    page = open_phone()
    page.get_by_test_id("person-lin").click()

    scan_picture(page, picture_of(f"{owner.base}/t/12"))

    expect(web_view(page).locator("#path")).to_have_text("/t/12")


def test_file_that_is_no_picture_is_said_to_be_none(open_phone: OpenPhone) -> None:
    page = open_phone()
    page.get_by_test_id("person-lin").click()

    scan_picture(page, b"this is no picture")

    expect(page.get_by_text("这不是能打开的图片")).to_be_visible()
    expect(page.get_by_test_id("scan-text")).to_be_visible()


def test_without_the_decoder_typing_still_works(open_phone: OpenPhone) -> None:
    page = open_phone()
    page.context.route("**/dist/zxing/**", lambda route: route.fulfill(status=404))
    page.get_by_test_id("person-lin").click()

    page.get_by_test_id("open-scanner").click()

    expect(page.get_by_text(re.compile("不能识图"))).to_be_visible()
    expect(page.get_by_test_id("scan-camera")).to_have_count(0)
    page.get_by_test_id("scan-code-chuxin").click()
    expect(page.locator("[data-testid=msg][data-direction=in]")).to_have_count(1)


def test_unfollowing_leaves_the_list_and_tells_the_account(
    open_phone: OpenPhone, sandbox: httpx.Client, owner: AccountOwner
) -> None:
    page = open_phone()
    follow(page)

    page.get_by_test_id("account-about").click()
    page.get_by_test_id("account-unfollow").click()
    page.get_by_test_id("choose-unfollow").click()

    expect(page.get_by_test_id("nearby-qr-chuxin")).to_be_visible()
    expect(page.get_by_test_id("chat-chuxin")).to_have_count(0)
    assert sandbox.get("/_sandbox/people/lin").json()["following"] == []
    assert [message["Event"] for message in owner.pushed] == ["subscribe", "unsubscribe"]


def test_on_a_real_phone_the_panes_are_sheets(open_phone: OpenPhone) -> None:
    page = open_phone(size=NARROW)
    page.get_by_test_id("welcome-lin").click()

    page.get_by_test_id("open-around").click()
    page.get_by_test_id("account-qr-chuxin").click()

    expect(page.locator("[data-testid=msg][data-direction=in]")).to_have_count(1)
    expect(page.get_by_test_id("account-qr-chuxin")).to_be_hidden()
    page.get_by_test_id("open-watch").click()
    expect(page.get_by_test_id("call").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("call").first).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW.width


def test_language_can_be_switched_and_is_kept(open_phone: OpenPhone) -> None:
    page = open_phone()

    page.get_by_test_id("language").click()

    expect(page.get_by_role("heading", name="What WeChat saw")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Pick a person")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "en"


def test_after_the_sandbox_was_killed_the_phone_catches_up(
    open_phone: OpenPhone, sandbox: httpx.Client, program: Program
) -> None:
    page = open_phone()
    follow(page)

    program.restart()
    with httpx.Client(base_url=program.url, trust_env=False) as client:
        client.post(
            "/_sandbox/people/lin/messages",
            json={"account": "chuxin", "type": "text", "content": "还记得我吗"},
        )

    expect(page.get_by_text("收到：还记得我吗")).to_be_visible()
    expect(page.get_by_test_id("live")).to_have_text("实时")
    say(page, "又见面了")
    expect(page.get_by_text("收到：又见面了")).to_be_visible()
