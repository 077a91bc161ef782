"""One member everywhere: an old card bound by number and code, a phone by text message."""

from playwright.sync_api import expect

from tests.journeys.membership.conftest import Desk
from tests.journeys.membership.steps import code_by_text

# In the demo's own words: src/o2o/app/demo/keeping/keeping.toml.
CARD_NO, CODE, BALANCE = "WT20240618", "K7M4Q2XD", "220.00"


def test_an_old_card_comes_in_by_number_and_code_and_the_phone_by_a_text(desk: Desk) -> None:
    person = desk.newcomer("顾小荷")
    phone = desk.phone(person, "bind")

    phone.locator("#card-no").fill(CARD_NO)
    phone.locator("#card-code").fill("K7M4Q2XX")
    phone.get_by_role("button", name="绑定这张卡").click()
    expect(phone.locator("#card-fault")).to_be_visible()
    # Read off the card as people do: lower case and blanks are no matter.
    phone.locator("#card-no").fill("wt2024 0618")
    phone.locator("#card-code").fill(CODE.lower())
    phone.get_by_role("button", name="绑定这张卡").click()
    expect(phone.get_by_role("status")).to_contain_text("余额和积分都在您的会员卡上了")
    expect(phone.locator(".own-cards")).to_contain_text("WT20")
    phone.goto(f"/h5/{person.account}/card")
    expect(phone.locator(".face-balance")).to_contain_text(BALANCE)

    people = desk.phones.http.get("/_sandbox/people").json()
    [own] = [one["phone"] for one in people if one["id"] == person.id]
    phone.goto(f"/h5/{person.account}/bind")
    phone.locator("#phone-input").fill(own)
    phone.get_by_role("button", name="获取验证码").click()
    phone.wait_for_url("**/bind/code")
    phone.locator(".code-input").fill(code_by_text(desk, person))
    phone.get_by_role("button", name="确认").click()
    phone.wait_for_url("**/bind?told=phone")
    expect(phone.locator("#phone")).to_contain_text(f"{own[:3]}****{own[-4:]}")
    expect(phone.locator("#phone")).to_contain_text("已验证")
