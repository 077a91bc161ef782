"""What people do on several pages: read a text message, show a code, be scanned, choose a PIN."""

import re
import time

import httpx
from playwright.sync_api import Page, expect

from chaos.people import Person
from tests.journeys.membership.conftest import Desk

PIN = "730914"
SMS_SECONDS = 20.0


def text_messages(desk: Desk, person: Person) -> list[str]:
    """The texts in the inbox of a phone."""
    answer = desk.phones.http.get(f"/_sandbox/people/{person.id}/sms")
    assert answer.status_code == httpx.codes.OK
    return [message["text"] for message in answer.json()["messages"]]


def code_by_text(desk: Desk, person: Person) -> str:
    """Wait for the six digits that were sent."""
    give_up_at = time.monotonic() + SMS_SECONDS
    while not (sent := text_messages(desk, person)):
        assert time.monotonic() < give_up_at, "no text message came"
        time.sleep(0.1)
    found = re.search(r"\d{6}", sent[-1])
    assert found is not None
    return found.group()


def shown_code(desk: Desk, person: Person) -> str:
    """Open the member code on the phone; return its digits."""
    page = desk.phone(person, "code")
    expect(page.locator("#code")).to_have_attribute("data-state", "shown")
    return re.sub(r"\s", "", page.locator(".code-digits").inner_text())


def scan(pad: Page, code: str) -> None:
    """Do as a hardware scanner: type wherever the focus is, then Enter."""
    pad.keyboard.type(code)
    pad.keyboard.press("Enter")
    pad.wait_for_url("**/pad/visits/*")


def top_up(pad: Page, package: str) -> None:
    """Take a package of the programme, paid in cash."""
    pad.get_by_role("tab", name="充值").click()
    pad.locator("label.offer", has_text=package).click()
    pad.get_by_role("button", name="确认充值").click()
    expect(pad.get_by_role("heading", name="充值成功")).to_be_visible()


def choose_pin(phone: Page) -> None:
    """Choose a pay PIN on the diner's page."""
    phone.goto(f"/h5/{phone.url.split('/h5/')[1].split('/')[0]}/pin")
    phone.fill("#set-new", PIN)
    phone.fill("#set-again", PIN)
    phone.click("main form button[type=submit]")
    phone.wait_for_url("**/pin?told=set")
