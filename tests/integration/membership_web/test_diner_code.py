"""The member code on the phone: what is issued to whom, and what the counter accepts of it."""

import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.membership.actions.issue_member_code import code_hash
from o2o.membership.rules.member_code import classify_scan
from o2o.membership.till import Till
from tests.factories.diners import DinerSession, client_of, diner_platform, given_diner
from tests.factories.members import Counter, count
from tests.fakes.clock import FakeClock

JSON = {"accept": "application/json"}


def asked_by(diner: DinerSession) -> dict[str, str]:
    return {**JSON, "x-csrf-token": diner.csrf}


async def test_reading_the_page_issues_no_code(
    phone: httpx.AsyncClient, member: DinerSession, sessions: SessionFactory
) -> None:
    answer = await phone.get(f"/h5/{member.slug}/code")

    assert answer.status_code == 200
    assert 'data-state="loading"' in answer.text
    assert f'<meta name="csrf-token" content="{member.csrf}">' in answer.text
    assert await count(sessions, "member_codes") == 0


async def test_a_code_is_issued_with_its_picture_and_its_end(
    phone: httpx.AsyncClient,
    member: DinerSession,
    sessions: SessionFactory,
    *,
    seal: Seal,
    clock: FakeClock,
) -> None:
    answer = await phone.post(f"/h5/{member.slug}/code", headers=asked_by(member))

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    code = answer.json()
    assert set(code) == {"digits", "qr_svg", "expires_at", "seconds_left"}
    assert re.fullmatch(r"90[0-9]{18}", code["digits"])
    assert code["seconds_left"] == 60
    assert code["expires_at"] == (clock.now() + timedelta(seconds=60)).isoformat().replace(
        "+00:00", "Z"
    )
    assert code["qr_svg"].startswith('<svg class="qr" xmlns="http://www.w3.org/2000/svg"')
    # Version 1 with four modules of quiet zone on each side.
    assert 'viewBox="0 0 29 29"' in code["qr_svg"]
    async with sessions() as tx:
        kept = await tx.scalar(text("SELECT code_hash FROM member_codes"))
    assert kept == code_hash(seal, code["digits"])
    assert code["digits"] not in str(answer.headers)


async def test_without_scripts_the_form_is_answered_with_the_code_in_the_page(
    phone: httpx.AsyncClient, member: DinerSession, sessions: SessionFactory
) -> None:
    answer = await phone.post(f"/h5/{member.slug}/code", data={"csrf": member.csrf})

    assert answer.status_code == 200
    found = re.search(r'aria-label="会员码数字：([0-9 ]+)"', answer.text)
    assert found is not None
    digits = found[1].replace(" ", "")
    for start in range(0, 20, 4):
        assert f"<span>{digits[start : start + 4]}</span>" in answer.text
    assert '<svg class="qr"' in answer.text
    assert await count(sessions, "member_codes") == 1


async def test_the_counter_takes_the_code_once(
    phone: httpx.AsyncClient,
    member: DinerSession,
    counter: Counter,
    sessions: SessionFactory,
    *,
    seal: Seal,
    clock: FakeClock,
) -> None:
    code = (await phone.post(f"/h5/{member.slug}/code", headers=asked_by(member))).json()
    assert classify_scan(code["digits"]).digits == code["digits"]
    till = Till(sessions=sessions, seal=seal, clock=clock, public_url="http://127.0.0.1:8000")

    opened = await till.open_visit(code["digits"], by=counter.pad)

    assert opened.member_id == member.member_id
    assert await count(sessions, "counter_visits", f"member_id = '{member.member_id}'") == 1


@pytest.mark.parametrize("headers", [JSON, {**JSON, "x-csrf-token": "0" * 64}])
async def test_a_request_from_elsewhere_gets_no_code(
    phone: httpx.AsyncClient,
    member: DinerSession,
    sessions: SessionFactory,
    headers: dict[str, str],
) -> None:
    answer = await phone.post(f"/h5/{member.slug}/code", headers=headers)

    assert answer.status_code == 403
    assert answer.json()["code"] == "csrf.token_missing"
    assert await count(sessions, "member_codes") == 0


async def test_an_ended_session_gets_no_code(
    nobody: httpx.AsyncClient, member: DinerSession, sessions: SessionFactory
) -> None:
    answer = await nobody.post(f"/h5/{member.slug}/code", headers=asked_by(member))

    assert answer.status_code == 401
    assert answer.json()["code"] == "session.invalid"
    assert await count(sessions, "member_codes") == 0


async def test_without_a_card_there_is_no_code(
    new_phone: httpx.AsyncClient, newcomer: DinerSession, sessions: SessionFactory
) -> None:
    url = f"/h5/{newcomer.slug}/code"
    page = await new_phone.get(url)
    posted = await new_phone.post(url, data={"csrf": newcomer.csrf})
    asked = await new_phone.post(url, headers=asked_by(newcomer))

    for answer in (page, posted):
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/h5/{newcomer.slug}/card"
    assert (asked.status_code, asked.json()["code"]) == (403, "member.card_needed")
    assert await count(sessions, "member_codes") == 0


@pytest.mark.parametrize("is_member", [True, False])
async def test_a_snapshot_gets_no_code_even_where_a_member_is_bound(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock, is_member: bool
) -> None:
    virtual = await given_diner(
        sessions, counter, seal=seal, clock=clock, is_member=is_member, is_snapshot=True
    )
    async with client_of(diner_platform(sessions, seal=seal, clock=clock)) as client:
        client.cookies.update(virtual.cookies)
        asked = await client.post(f"/h5/{virtual.slug}/code", headers=asked_by(virtual))
        posted = await client.post(f"/h5/{virtual.slug}/code", data={"csrf": virtual.csrf})
        answers = [
            await client.get(f"/h5/{virtual.slug}/code"),
            await client.get(f"/h5/{virtual.slug}/wallet"),
            await client.get(f"/h5/{virtual.slug}/points"),
        ]
        me = await client.get(f"/h5/{virtual.slug}/me")

    assert (asked.status_code, asked.json()["code"]) == (403, "member.snapshot_session")
    assert posted.status_code == 403
    assert 'data-code="member.snapshot_session"' in posted.text
    assert [answer.status_code for answer in answers] == [303, 303, 303]
    assert "还没有会员卡" in me.text
    assert await count(sessions, "member_codes") == 0


async def held_visit(sessions: SessionFactory, counter: Counter, clock: FakeClock) -> str:
    async with transaction(sessions) as tx:
        return str(
            await tx.scalar(
                text(
                    "INSERT INTO counter_visits (id, member_id, store_id, pad_id, opened_by,"
                    " opened_at, expires_at, held_at) VALUES (gen_random_uuid(), :member_id,"
                    " :store_id, :pad_id, :staff_id, :now, :until, :now) RETURNING id"
                ),
                {
                    "member_id": counter.member_id,
                    "store_id": counter.far_pad.store_id,
                    "pad_id": counter.far_pad.pad_id,
                    "staff_id": counter.far_pad.staff_id,
                    "now": clock.now(),
                    "until": clock.now() + timedelta(minutes=5),
                },
            )
        )


@pytest.mark.parametrize(
    "is_me, told, confirmed, closed",
    [("yes", "confirmed", True, False), ("no", "refused", False, True)],
)
async def test_a_doubted_scan_waits_for_the_members_answer(
    phone: httpx.AsyncClient,
    member: DinerSession,
    counter: Counter,
    sessions: SessionFactory,
    *,
    clock: FakeClock,
    is_me: str,
    told: str,
    confirmed: bool,
    closed: bool,
) -> None:
    visit_id = await held_visit(sessions, counter, clock)
    for page in ("card", "code"):
        shown = (await phone.get(f"/h5/{member.slug}/{page}")).text
        assert f'action="/h5/{member.slug}/visits/{visit_id}/answer"' in shown
        assert "小灶湖滨店正在扫您的会员码" in shown

    answer = await phone.post(
        f"/h5/{member.slug}/visits/{visit_id}/answer", data={"csrf": member.csrf, "is_me": is_me}
    )

    assert answer.headers["location"] == f"/h5/{member.slug}/card?told={told}"
    async with sessions() as tx:
        row = (
            await tx.execute(
                text("SELECT confirmed_at IS NOT NULL, closed_at IS NOT NULL FROM counter_visits")
            )
        ).one()
    assert tuple(row) == (confirmed, closed)
    assert visit_id not in (await phone.get(f"/h5/{member.slug}/card")).text


async def test_an_answer_that_is_neither_yes_nor_no_changes_nothing(
    phone: httpx.AsyncClient,
    member: DinerSession,
    counter: Counter,
    sessions: SessionFactory,
    clock: FakeClock,
) -> None:
    visit_id = await held_visit(sessions, counter, clock)

    answer = await phone.post(
        f"/h5/{member.slug}/visits/{visit_id}/answer", data={"csrf": member.csrf, "is_me": "maybe"}
    )

    assert answer.status_code == 422
    open_and_held = "closed_at IS NULL AND confirmed_at IS NULL AND held_at IS NOT NULL"
    assert await count(sessions, "counter_visits", open_and_held) == 1


async def test_nobody_answers_for_another_member(
    new_phone: httpx.AsyncClient,
    newcomer: DinerSession,
    counter: Counter,
    sessions: SessionFactory,
    clock: FakeClock,
) -> None:
    visit_id = await held_visit(sessions, counter, clock)
    terms = {"csrf": newcomer.csrf, "terms_version": "2026-01", "membership": "yes"}
    await new_phone.post(f"/h5/{newcomer.slug}/card", data=terms)

    answers = [
        await new_phone.post(
            f"/h5/{newcomer.slug}/visits/{visit_id}/answer",
            data={"csrf": newcomer.csrf, "is_me": is_me},
        )
        for is_me in ("yes", "no")
    ]

    assert answers[0].status_code == 410
    open_and_held = "closed_at IS NULL AND confirmed_at IS NULL AND held_at IS NOT NULL"
    assert await count(sessions, "counter_visits", open_and_held) == 1
