"""Bookings by page and by other systems: chosen, refused with others, called off, not others'."""

import re
from typing import Any

import httpx

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_request_id
from tests.factories.bookings import given_fans, given_hall, slots_booked
from tests.factories.members import count
from tests.factories.organisation import given_brand
from tests.factories.staff import given_key
from tests.fakes.clock import FakeClock
from tests.integration.bookings.pages import open_pages, open_phone, request_id_of

NINE = "2026-11-21T09:00:00+08:00"


async def test_a_full_time_leads_to_the_suggestion(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    hall = await given_hall(sessions, seal=seal)
    [other] = await given_fans(sessions, hall, 1)
    async with open_pages(sessions, seal=seal, clock=clock) as client:
        first, second = [
            await open_phone(sessions, client, hall, fan=fan, seal=seal, now=clock.now())
            for fan in (other, hall.fan)
        ]
        page = await second.see("?on=2026-11-21")
        assert page.status_code == 200
        assert page.text.count('class="booking-time') == 6
        taken = await first.send(
            request_id=request_id_of(page), store_id=hall.store.id, starts_at="202611210900"
        )
        assert taken.status_code == 303
        refused = await second.send(
            request_id=new_request_id(), store_id=hall.store.id, starts_at="202611210900"
        )
        assert refused.status_code == 409
        offered = re.findall(r'name="starts_at" value="(\d+)">([\d:]+)</button>', refused.text)
        assert offered == [
            ("202611210930", "09:30"),
            ("202611211000", "10:00"),
            ("202611211030", "10:30"),
        ]
        wish = {
            "request_id": request_id_of(refused),
            "store_id": hall.store.id,
            "starts_at": offered[0][0],
        }
        done = await second.send(**wish)
        twice = await second.send(**wish)
        assert done.status_code == 303
        assert twice.headers["location"] == done.headers["location"]
        mine = await second.see(done.headers["location"])
        assert "预约成功" in mine.text
        own = done.headers["location"].split("/")[-1].split("?")[0]
        assert (await first.see(f"/{own}")).status_code == 404
        assert (await first.send(f"/{own}/cancel")).status_code == 404
        assert (await second.send(f"/{own}/arrive", door="forged")).status_code == 403
        off = await second.send(f"/{own}/cancel")
        assert off.status_code == 303
    assert await slots_booked(sessions) == {"11-21 09:00": 1}


async def test_what_a_form_cannot_mean_is_said_in_the_page(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    hall = await given_hall(sessions, seal=seal)
    async with open_pages(sessions, seal=seal, clock=clock) as client:
        phone = await open_phone(sessions, client, hall, fan=hall.fan, seal=seal, now=clock.now())
        told = {}
        for starts_at, size in (
            ("", "1"),
            ("99", "1"),
            ("202611200900", "1"),
            ("202611260900", "1"),
            ("202611210910", "1"),
            ("202611210900", "0"),
            ("202611210900", "999"),
        ):
            page = await phone.send(
                request_id=new_request_id(),
                store_id=hall.store.id,
                starts_at=starts_at,
                party_size=size,
            )
            title = re.search(r'class="notice-title">([^<]*)<', page.text)
            told[starts_at, size] = (page.status_code, title and title.group(1))
        elsewhere = await phone.send(
            request_id=new_request_id(), store_id=new_request_id(), starts_at="202611210900"
        )
    assert told == {
        ("", "1"): (422, "还没有选择时间。"),
        ("99", "1"): (422, "还没有选择时间。"),
        ("202611200900", "1"): (422, "该时段已过。"),
        ("202611260900", "1"): (422, "只能预约 5 日内的时段。"),
        ("202611210910", "1"): (422, "这个时间没有可约时段。"),
        ("202611210900", "0"): (422, "可预约的人数为 1–4 人。"),
        ("202611210900", "999"): (422, "可预约的人数为 1–4 人。"),
    }
    assert elsewhere.status_code == 409
    assert await count(sessions, "bookings") == 0


async def test_other_systems_book_call_off_and_check_in(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    hall = await given_hall(sessions, seal=seal)
    async with transaction(sessions) as tx:
        stranger = await given_brand(tx)
        key = await given_key(tx, seal=seal, brand_id=hall.brand.id)
        other = await given_key(tx, seal=seal, brand_id=stranger.id)
    async with open_pages(sessions, seal=seal, clock=clock) as client:

        async def ask(
            method: str, path: str, token: str = key.token, **body: Any
        ) -> httpx.Response:
            return await client.request(
                method,
                f"/api/v1{path}",
                headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
                json=body or None,
            )

        here = f"/stores/{hall.store.id}/bookings"
        wish = {"request_id": str(new_request_id()), "starts_at": NINE}
        made, again = await ask("POST", here, **wish), await ask("POST", here, **wish)
        larger: dict[str, Any] = {**wish, "party_size": 3}
        differs = await ask("POST", here, **larger)
        full = await ask("POST", here, request_id=str(new_request_id()), starts_at=NINE)
        assert [one.status_code for one in (made, again, differs, full)] == [201, 200, 409, 409]
        assert again.json() == made.json()
        assert (differs.json()["code"], full.json()["code"]) == (
            "request.body_differs",
            "booking.slot_full",
        )
        assert full.json()["detail"]["nearest"][0] == "2026-11-21T09:30:00+08:00"
        for body in ({"starts_at": "2026-11-21T09:00:00"}, {"starts_at": NINE, "party_size": 0}):
            wrong = await ask("POST", here, request_id=str(new_request_id()), **body)
            assert wrong.status_code == 422
        foreign = await ask(
            "POST", here, other.token, **wish | {"request_id": str(new_request_id())}
        )
        assert foreign.json()["code"] == "booking.not_taken"
        assert (await ask("GET", here, other.token)).status_code == 404
        listed = await ask("GET", f"{here}?on=2026-11-21")
        assert [one["code"] for one in listed.json()["bookings"]] == [made.json()["code"]]
        slots = (await ask("GET", f"/stores/{hall.store.id}/slots")).json()["slots"]
        assert slots[0]["starts_at"] == "2026-11-21T09:30:00+08:00"
        one = f"/bookings/{made.json()['booking_id']}"
        early = await ask("POST", f"{one}/arrive", request_id=str(new_request_id()))
        assert (early.status_code, early.json()["code"]) == (409, "booking.too_early")
        not_theirs = await ask("POST", f"{one}/cancel", other.token, request_id=wish["request_id"])
        assert not_theirs.status_code == 404
        off = {"request_id": str(new_request_id()), "reason": "检修"}
        codes = [(await ask("POST", f"{one}/cancel", **off)).status_code for _ in range(2)]
        assert codes == [201, 200]
    assert await slots_booked(sessions) == {}
