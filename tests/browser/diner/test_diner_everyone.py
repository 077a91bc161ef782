"""The diner's pages can be used by everyone: contrast, names, targets, widths, and their weight."""

import gzip
import json
from itertools import product
from pathlib import Path

import pytest
from playwright.async_api import Page, Response

from tests.browser.diner.conftest import OpenAs
from tests.factories.diners import DinerSession

AXE = Path(__file__).parents[3] / "webviews/node_modules/axe-core/axe.min.js"
PAGES = ("card", "code", "wallet", "points", "me", "privacy")
FIRST_VISIT_BYTES_MAX = 100_000
TARGET_PX = 44

_FINDINGS = """axe.run(document, {resultTypes: ["violations"]}).then((report) => report.violations
  .filter((each) => ["serious", "critical"].includes(each.impact))
  .map((each) => [each.id, each.nodes.map((node) => node.html.slice(0, 200))]))"""
# Links within a sentence are exempt (WCAG 2.2, 2.5.8); a box is touched with its label's line.
_SMALL = """[...document.querySelectorAll("a, button, summary")]
  .filter((each) => each.checkVisibility() && !each.closest("p, .skip-link"))
  .filter((each) => !each.matches(".skip-link"))
  .map((each) => [each.className, each.getBoundingClientRect().height])
  .filter(([, height]) => height < 44)"""


async def serious_findings(page: Page) -> list[str]:
    # Evaluated from outside, since the page's own policy lets no foreign script in.
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate(_FINDINGS)
    return [json.dumps(each, ensure_ascii=False) for each in found]


async def shown(page: Page, path: str) -> None:
    if path == "code":
        await page.wait_for_selector("[data-state=shown]")


async def test_no_serious_findings_on_any_page(
    open_as: OpenAs, member: DinerSession, newcomer: DinerSession
) -> None:
    assert AXE.is_file(), "fetch the front end's packages first: make setup"
    for scheme in ("light", "dark"):
        page = await open_as(member, "me", color_scheme=scheme)
        for path in PAGES:
            await page.goto(f"/h5/{member.slug}/{path}")
            await shown(page, path)
            assert await serious_findings(page) == [], (scheme, path)
        await page.goto(f"/h5/{member.slug}/wallet?before=none")
        assert await serious_findings(page) == [], (scheme, "error page")

        joining = await open_as(newcomer, "card", color_scheme=scheme)
        assert await serious_findings(joining) == [], scheme


@pytest.mark.parametrize("is_large", [False, True])
async def test_nothing_overflows_and_targets_are_large_enough(
    open_as: OpenAs,
    member: DinerSession,
    newcomer: DinerSession,
    site: str,
    *,
    is_large: bool,
) -> None:
    for diner, paths in ((member, PAGES), (newcomer, ("card", "me"))):
        page = await open_as(diner, "me")
        cookie = {"name": "o2o_large", "value": str(int(is_large)), "url": site}
        await page.context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie is a typed dict
        for width, path in product((320, 375, 390, 768), paths):
            await page.set_viewport_size({"width": width, "height": 812})
            await page.goto(f"/h5/{diner.slug}/{path}")
            await shown(page, path)
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (width, path)
            assert await page.evaluate(_SMALL) == [], (width, path)


async def first_visit_bytes(open_as: OpenAs, diner: DinerSession, path: str) -> int:
    """What a browser that has nothing yet loads for a page, gzipped; WeChat's own script apart."""
    page = await open_as(diner, "me")
    answers: list[Response] = []

    def heard(answer: Response) -> None:
        answers.append(answer)

    cold = await page.context.new_cdp_session(page)
    await cold.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.on("response", heard)
    await page.goto(f"/h5/{diner.slug}/{path}")
    await shown(page, path)
    bodies = [
        await answer.body()
        for answer in answers
        if answer.ok and "/live" not in answer.url.rpartition("/h5/")[2]
    ]
    return sum(len(gzip.compress(body, 6)) for body in bodies)


async def test_a_first_visit_stays_light(
    open_as: OpenAs, member: DinerSession, newcomer: DinerSession
) -> None:
    for diner, path in ((member, "card"), (member, "code"), (member, "wallet"), (newcomer, "card")):
        total = await first_visit_bytes(open_as, diner, path)
        assert 5_000 < total < FIRST_VISIT_BYTES_MAX, (path, total)
