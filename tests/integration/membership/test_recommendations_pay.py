"""Recommendations are worth it: on the demo's history they beat each store's bestsellers."""

from bench.recommendations import measure
from o2o.app.demo.world import load_world
from o2o.infra.database import SessionFactory
from tests.fakes.clock import NOON

RATIO_MIN = 1.2


async def test_three_offers_meet_the_next_bill_more_often_than_three_bestsellers(
    sessions: SessionFactory,
) -> None:
    measured = await measure(sessions, load_world(), now=NOON)
    assert measured["restaurant"].visits > 100
    assert measured["restaurant"].ratio >= RATIO_MIN, measured["restaurant"].told()
    assert measured["restaurant"].ours_taken >= RATIO_MIN * measured["restaurant"].bestsellers_taken
