"""A bounded share of the attacks on member codes; `python -m chaos codes` makes 10,000 each."""

import pytest
from sqlalchemy import text

from chaos.codes import Place, attack_codes
from o2o.infra.database import SessionFactory
from o2o.infra.seal import Seal
from o2o.membership.actions import spend_codes
from tests.factories.members import given_counter
from tests.fakes.clock import FakeClock

TRIALS = 200


async def place_of(sessions: SessionFactory, seal: Seal) -> Place:
    counter = await given_counter(sessions, seal=seal)
    return Place(
        pads=(counter.pad, counter.near_pad),
        member_id=counter.member_id,
        brand_id=counter.brand.id,
    )


async def test_no_replay_no_second_scan_and_one_of_two_pads(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    place = await place_of(sessions, seal)
    verdict = await attack_codes(sessions, seal, place, trials=TRIALS, now=clock.now())
    assert verdict.is_right, verdict.lines()


async def test_the_attacks_are_seen_when_the_guard_is_gone(
    sessions: SessionFactory, seal: Seal, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await place_of(sessions, seal)
    without = str(spend_codes._SPEND).replace("c.used_at IS NULL AND ", "")
    assert without != str(spend_codes._SPEND)
    monkeypatch.setattr(spend_codes, "_SPEND", text(without))
    # A code that opens twice meets the last guard, the unique key of visits.
    with pytest.raises(Exception, match="uq_counter_visits_code_hash"):
        await attack_codes(sessions, seal, place, trials=10, now=clock.now())
