"""Scanning member codes: once, within a minute, in the right brand; guessing locks the scanner."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.membership.actions.answer_held_visit import confirm_travel, refuse_travel
from o2o.membership.actions.issue_member_code import IssuedCode, issue_member_code
from o2o.membership.actions.sweep_codes import delete_old_codes, kill_expired_codes
from o2o.membership.errors import (
    CodeChecksumWrong,
    CodeExpired,
    CodeIsAlipay,
    CodeIsWeChatPay,
    CodeUnknown,
    CodeUsed,
    QRUnreadable,
    QRWrongKind,
    ScanLocked,
    UnlikelyTravel,
    VisitExpired,
)
from o2o.membership.queries import find_live_visit_of_pad, list_held_visits
from o2o.membership.rules.member_code import new_member_code
from o2o.membership.till import Till
from tests.factories.members import Counter, count, given_counter
from tests.fakes.clock import FakeClock


async def code(sessions: SessionFactory, seal: Seal, at: Counter, clock: FakeClock) -> IssuedCode:
    async with transaction(sessions) as tx:
        return await issue_member_code(tx, seal=seal, member_id=at.member_id, now=clock.now())


async def test_a_scan_opens_five_minutes_at_this_pad(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    shown = await code(sessions, seal, counter, clock)
    assert shown.expires_at - clock.now() == timedelta(seconds=60)
    clock.advance(seconds=59)

    visit = await till.open_visit(f"{shown.code}\r\n", by=counter.pad)

    assert (visit.member_id, visit.store_id) == (counter.member_id, counter.store.id)
    assert visit.expires_at - visit.opened_at == timedelta(minutes=5)
    async with sessions() as tx:
        live = await find_live_visit_of_pad(tx, pad_id=counter.pad.pad_id, now=clock.now())
        assert live is not None
        assert live.visit_id == visit.visit_id
        assert not await find_live_visit_of_pad(tx, pad_id=counter.near_pad.pad_id, now=clock.now())
        after = clock.now() + timedelta(minutes=5)
        assert not await find_live_visit_of_pad(tx, pad_id=counter.pad.pad_id, now=after)
    assert await count(sessions, "outbox_messages", "topic = 'visit.opened'") == 1
    async with sessions() as tx:
        push = await tx.scalar(text("SELECT payload FROM outbox_messages WHERE topic='live.push'"))
    assert push == {
        "topic": f"member:{counter.member_id}",
        "event": "scanned",
        "data": {"visit_id": str(visit.visit_id), "store_name": "小灶静安寺店"},
    }


async def test_only_the_hash_of_a_code_is_kept(
    sessions: SessionFactory, seal: Seal, counter: Counter, clock: FakeClock
) -> None:
    shown = await code(sessions, seal, counter, clock)
    async with sessions() as tx:
        row = (await tx.execute(text("SELECT to_jsonb(c)::text FROM member_codes c"))).scalar_one()
    assert shown.code not in row
    assert len(shown.code) == 20


async def test_a_second_scan_names_time_and_store(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    shown = await code(sessions, seal, counter, clock)
    await till.open_visit(shown.code, by=counter.pad)
    for pad in (counter.pad, counter.near_pad):
        clock.advance(seconds=1)
        with pytest.raises(CodeUsed) as refused:
            await till.open_visit(shown.code, by=pad)
        assert refused.value.status == 409
        assert refused.value.detail == {
            "used_at": "2026-11-20T04:00:00+00:00",
            "used_clock": "12:00:00",
            "store_name": "小灶静安寺店",
        }
    assert await count(sessions, "counter_visits") == 1
    assert await count(sessions, "guess_counts") == 0


async def test_after_a_minute_a_code_is_expired(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    shown = await code(sessions, seal, counter, clock)
    clock.advance(seconds=60)
    with pytest.raises(CodeExpired) as refused:
        await till.open_visit(shown.code, by=counter.pad)
    assert refused.value.status == 410
    assert await count(sessions, "counter_visits") == 0
    assert await count(sessions, "guess_counts") == 0


async def test_a_newer_code_kills_the_older_after_five_seconds(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    first = await code(sessions, seal, counter, clock)
    clock.advance(seconds=10)
    second = await code(sessions, seal, counter, clock)
    clock.advance(seconds=4)
    await till.open_visit(first.code, by=counter.pad)
    third = await code(sessions, seal, counter, clock)
    clock.advance(seconds=5)
    with pytest.raises(CodeExpired):
        await till.open_visit(second.code, by=counter.pad)
    await till.open_visit(third.code, by=counter.pad)


async def test_at_most_a_few_codes_live_at_once(
    sessions: SessionFactory, seal: Seal, counter: Counter, clock: FakeClock
) -> None:
    for _ in range(12):
        await code(sessions, seal, counter, clock)
        clock.advance(seconds=0.1)
    live = f"used_at IS NULL AND expires_at > '{clock.now().isoformat()}'"
    assert await count(sessions, "member_codes", live) == 4


async def test_a_clock_set_back_revives_no_code(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    early = await code(sessions, seal, counter, clock)
    clock.advance(minutes=30)
    late = await code(sessions, seal, counter, clock)
    clock.advance(seconds=61)
    async with transaction(sessions) as tx:
        await kill_expired_codes(tx, clock.now())
    clock.advance(minutes=-31)
    for dead in (early, late):
        with pytest.raises(CodeExpired):
            await till.open_visit(dead.code, by=counter.pad)
    assert await count(sessions, "counter_visits") == 0
    clock.advance(days=2)
    async with transaction(sessions) as tx:
        await delete_old_codes(tx, clock.now())
    assert await count(sessions, "member_codes") == 0


@pytest.mark.parametrize(
    "scanned, refusal",
    [
        ("90123456789012345653", CodeChecksumWrong),
        ("134567890123456789", CodeIsWeChatPay),
        ("2812345678901234567", CodeIsAlipay),
        ("https://elsewhere.example/", QRUnreadable),
        ("9" * 4096, QRUnreadable),
        ("http://127.0.0.1:8000/h5/acct/card", QRWrongKind),
    ],
)
async def test_what_is_no_member_code_spends_no_guess(
    sessions: SessionFactory, counter: Counter, till: Till, scanned: str, refusal: type[Exception]
) -> None:
    for _ in range(8):
        with pytest.raises(refusal):
            await till.open_visit(scanned, by=counter.pad)
    assert await count(sessions, "guess_counts") == 0


async def test_six_unknown_codes_in_a_minute_lock_this_pad_and_the_count_survives(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    shown = await code(sessions, seal, counter, clock)
    for _ in range(5):
        with pytest.raises(CodeUnknown):
            await till.open_visit(new_member_code(), by=counter.pad)
        clock.advance(seconds=1)
    with pytest.raises(ScanLocked) as refused:
        await till.open_visit(new_member_code(), by=counter.pad)
    assert (refused.value.status, refused.value.detail) == (429, {"retry_after_seconds": 60})
    assert await count(sessions, "outbox_messages", "topic = 'pad.scan_locked'") == 1
    clock.advance(seconds=1)
    # Locked is locked for good codes too, and they are not spent.
    with pytest.raises(ScanLocked) as refused:
        await till.open_visit(shown.code, by=counter.pad)
    assert refused.value.detail == {"retry_after_seconds": 59}
    assert await count(sessions, "counter_visits") == 0
    await till.open_visit(shown.code, by=counter.near_pad)

    clock.advance(seconds=59)
    again = await code(sessions, seal, counter, clock)
    await till.open_visit(again.code, by=counter.pad)
    assert await count(sessions, "outbox_messages", "topic = 'pad.scan_locked'") == 1


async def test_bad_codes_spread_over_minutes_lock_nothing(
    counter: Counter, till: Till, clock: FakeClock
) -> None:
    for _ in range(20):
        with pytest.raises(CodeUnknown):
            await till.open_visit(new_member_code(), by=counter.pad)
        clock.advance(seconds=13)


async def test_a_window_slides_and_does_not_jump(
    counter: Counter, till: Till, clock: FakeClock
) -> None:
    for wait in (59, 0.5, 0.2, 0.1, 0.1):
        with pytest.raises(CodeUnknown):
            await till.open_visit(new_member_code(), by=counter.pad)
        clock.advance(seconds=wait)
    with pytest.raises(ScanLocked):
        await till.open_visit(new_member_code(), by=counter.pad)


async def test_another_brands_code_is_unknown_and_stays_usable(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    other = await given_counter(sessions, seal=seal)
    shown = await code(sessions, seal, other, clock)
    for by in (counter.pad, counter.key):
        with pytest.raises(CodeUnknown):
            await till.open_visit(shown.code, by=by)
    assert await count(sessions, "member_codes", "used_at IS NOT NULL") == 0
    await till.open_visit(shown.code, by=other.pad)


async def test_a_new_scan_closes_the_pads_earlier_visit(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    first = await till.open_visit((await code(sessions, seal, counter, clock)).code, by=counter.pad)
    clock.advance(seconds=20)
    shown = await code(sessions, seal, counter, clock)
    second = await till.open_visit(shown.code, by=counter.pad)
    assert await count(sessions, "counter_visits", "closed_at IS NULL") == 1
    async with sessions() as tx:
        live = await find_live_visit_of_pad(tx, pad_id=counter.pad.pad_id, now=clock.now())
    assert live is not None
    assert live.visit_id == second.visit_id != first.visit_id


async def test_a_revoked_pad_opens_nothing(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    shown = await code(sessions, seal, counter, clock)
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE pads SET revoked_at = now()"))
    with pytest.raises(Exception, match=r"pad\.not_found"):
        await till.open_visit(shown.code, by=counter.pad)
    assert await count(sessions, "member_codes", "used_at IS NOT NULL") == 0


async def held(
    sessions: SessionFactory, seal: Seal, counter: Counter, *, till: Till, clock: FakeClock
) -> UnlikelyTravel:
    """Scan in Shanghai, then in Hangzhou ten minutes later."""
    await till.open_visit((await code(sessions, seal, counter, clock)).code, by=counter.pad)
    clock.advance(minutes=10)
    shown = await code(sessions, seal, counter, clock)
    with pytest.raises(UnlikelyTravel) as refused:
        await till.open_visit(shown.code, by=counter.far_pad)
    assert refused.value.status == 409
    assert refused.value.detail["store_name"] == "小灶静安寺店"
    return refused.value


async def test_an_unlikely_journey_waits_for_the_members_yes(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    await held(sessions, seal, counter, till=till, clock=clock)
    async with transaction(sessions) as tx:
        assert not await find_live_visit_of_pad(tx, pad_id=counter.far_pad.pad_id, now=clock.now())
        [asked] = await list_held_visits(tx, member_id=counter.member_id, now=clock.now())
        assert asked.store_name == "小灶湖滨店"
        with pytest.raises(VisitExpired):
            await confirm_travel(
                tx, visit_id=asked.visit_id, member_id=counter.pad.pad_id, now=clock.now()
            )
        await confirm_travel(
            tx, visit_id=asked.visit_id, member_id=counter.member_id, now=clock.now()
        )
        await confirm_travel(
            tx, visit_id=asked.visit_id, member_id=counter.member_id, now=clock.now()
        )
        live = await find_live_visit_of_pad(tx, pad_id=counter.far_pad.pad_id, now=clock.now())
        assert live is not None
        assert live.visit_id == asked.visit_id
        assert await list_held_visits(tx, member_id=counter.member_id, now=clock.now()) == []
    # Confirmed, he is in Hangzhou now: Shanghai is the unlikely place.
    shown = await code(sessions, seal, counter, clock)
    with pytest.raises(UnlikelyTravel):
        await till.open_visit(shown.code, by=counter.pad)


async def test_a_no_ends_the_held_visit(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    await held(sessions, seal, counter, till=till, clock=clock)
    async with transaction(sessions) as tx:
        [asked] = await list_held_visits(tx, member_id=counter.member_id, now=clock.now())
        of_member = {"visit_id": asked.visit_id, "member_id": counter.member_id}
        await refuse_travel(tx, **of_member, now=clock.now())
        with pytest.raises(VisitExpired):
            await confirm_travel(tx, **of_member, now=clock.now())
    # A held visit that was never confirmed says nothing about where the member is.
    shown = await code(sessions, seal, counter, clock)
    await till.open_visit(shown.code, by=counter.pad)


async def test_after_a_train_ride_nothing_is_held(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    await till.open_visit((await code(sessions, seal, counter, clock)).code, by=counter.pad)
    clock.advance(minutes=75)
    shown = await code(sessions, seal, counter, clock)
    await till.open_visit(shown.code, by=counter.far_pad)
