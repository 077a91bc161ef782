"""The pad for everybody: screen readers, a phone in one hand, dark rooms, English, the camera."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import qrcode
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.pad.conftest import OpenPad, enrol, scan, sign_in
from tests.browser.pad.site import MANAGER, Site
from tests.factories.staff import PASSWORD
from tests.fixtures.browser import chromium

AXE = Path(__file__).parents[3] / "webviews" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"width": 390, "height": 844}
PAD = {"width": 1024, "height": 768}
# axe itself is a script from outside our policy, so it is handed to the page by the debugger.
RUN_AXE = """() => axe.run(document, { resultTypes: ["violations"] }).then((found) =>
  found.violations
    .filter((fault) => ["serious", "critical"].includes(fault.impact))
    .map((fault) => `${fault.id}: ${fault.nodes.map((node) => node.html).join(" | ")}`))"""
TOO_SMALL = """() => [...document.querySelectorAll("button, a, summary, input:not([type=hidden])")]
  .filter((target) => target.offsetParent && !target.closest(".visually-hidden, .skip-link"))
  .filter((target) => !target.matches(".visually-hidden, .skip-link, [type=checkbox], p > a"))
  .filter((target) => target.getBoundingClientRect().height < 43.5)
  .map((target) => target.outerHTML.slice(0, 120))"""
TOO_WIDE = "() => document.documentElement.scrollWidth > innerWidth"


def look_at(page: Page) -> None:
    """Nothing serious by axe, nothing beyond the edge, nothing too small for a thumb."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(RUN_AXE) == [], page.url
    assert page.evaluate(TOO_WIDE) is False, page.url
    assert page.evaluate(TOO_SMALL) == [], page.url


@pytest.mark.parametrize("size", [PAD, PHONE], ids=["pad", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_pad(
    open_pad: OpenPad, site: Site, size: dict[str, int], scheme: str
) -> None:
    page = open_pad(viewport=size, color_scheme=scheme, has_touch=size is PHONE)
    look_at(page)
    enrol(page, site)
    look_at(page)
    page.locator("label.door-person").first.click()
    look_at(page)
    if size is PHONE:
        page.get_by_role("button", name="换一位").click()
    sign_in(page)
    look_at(page)
    scan(page, site.member_code())
    look_at(page)
    page.locator("#amount").fill("999")
    expect(page.locator("#charge-fault")).to_be_visible()
    look_at(page)
    page.get_by_role("tab", name="充值").click()
    look_at(page)
    page.get_by_role("tab", name="扣款").click()
    page.locator("#amount").fill("1")
    page.locator(".charge-submit").click()
    expect(page.get_by_role("heading", name="扣款成功")).to_be_visible()
    look_at(page)
    page.get_by_role("button", name="下一位").click()
    page.wait_for_url("**/pad/scan")
    look_at(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_console(open_pad: OpenPad, site: Site, scheme: str) -> None:
    page = open_pad("/console", color_scheme=scheme, viewport={"width": 1280, "height": 800})
    look_at(page)
    page.get_by_label("登录名").fill(MANAGER)
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/console/pads")
    look_at(page)
    page.get_by_role("button", name="生成登记码").first.click()
    code = page.locator("[data-enrolment-code]").inner_text().replace(" ", "")
    look_at(page)

    # The QR code, opened on the device, fills the code in and leaves it out of the address.
    device = open_pad(f"/pad#code={code}")
    expect(device.get_by_label("8 位登记码")).to_have_value(f"{code[:4]} {code[4:]}")
    assert device.url == f"{site.url}/pad"
    device.get_by_role("button", name="登记", exact=True).click()
    expect(device.locator("#sign-in-form")).to_be_visible()

    page.goto("/console/pads")
    page.locator(".revoke summary").first.click()
    look_at(page)
    page.get_by_role("button", name="确认停用").click()
    expect(page.get_by_role("status")).to_contain_text("平板已停用")


def test_english_says_everything(open_pad: OpenPad, site: Site) -> None:
    page = open_pad(locale="en-GB")
    page.get_by_label("8-digit enrolment code").fill(site.enrolment_code())
    page.get_by_role("button", name="Enrol", exact=True).click()
    sign_in_in_english(page)
    scan(page, site.member_code())
    page.locator("#amount").fill("500")
    expect(page.locator("#charge-fault")).to_contain_text("¥400.00 short")
    page.locator("#amount").fill("5")
    page.get_by_role("button", name="Charge").click()
    expect(page.get_by_role("heading", name="Charged")).to_be_visible()


def sign_in_in_english(page: Page) -> None:
    page.locator("label.door-person", has_text="Clerk").first.click()
    page.get_by_label("Enter your PIN").fill("602817")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/pad/scan")


def test_the_keys_work_without_a_keyboard(open_pad: OpenPad, site: Site) -> None:
    page = open_pad(viewport=PHONE, has_touch=True)
    enrol(page, site)
    # On a phone the names come first, then the keys.
    expect(page.locator("[data-keypad=pin]")).to_be_hidden()
    page.locator("label.door-person", has_text="店员").first.tap()
    for key in "602817":
        page.locator(f'[data-keypad=pin] [data-key="{key}"]').tap()
    page.get_by_role("button", name="登录").tap()
    page.wait_for_url("**/pad/scan")


def test_a_refused_camera_is_explained(pad: Page) -> None:
    pad.get_by_role("button", name="打开摄像头").click()
    expect(pad.locator("[data-camera-note]")).to_contain_text("没有得到摄像头的许可")


@pytest.fixture
def film(site: Site, tmp_path: Path) -> Path:
    """What a camera sees that is held over the member's phone."""
    code = qrcode.QRCode(box_size=12)
    code.add_data(site.member_code())
    picture = Image.new("RGB", (640, 480), "white")
    drawn = code.make_image().get_image().convert("RGB").resize((360, 360))
    picture.paste(drawn, (140, 60))
    frame = io.BytesIO()
    picture.save(frame, "JPEG", quality=90)
    film = tmp_path / "phone.mjpeg"
    film.write_bytes(frame.getvalue() * 3)
    return film


@pytest.fixture
def filming(browser: Browser, film: Path) -> Iterator[BrowserContext]:
    with chromium(
        browser.browser_type,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ) as running:
        yield running.new_context(locale="zh-CN", permissions=["camera"])


def test_the_camera_reads_the_code(filming: BrowserContext, site: Site) -> None:
    page = filming.new_page()
    page.goto(f"{site.url}/pad")
    enrol(page, site)
    sign_in(page)
    page.get_by_role("button", name="打开摄像头").click()
    page.wait_for_url("**/pad/visits/*", timeout=20_000)
    expect(page.locator(".member-balance")).to_contain_text("100.00")
