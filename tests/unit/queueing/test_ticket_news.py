"""What a ticket's stream says: every change once, and nothing the browser knew before."""

import pytest

from o2o.kernel.ids import new_id
from o2o.queueing.boards import Seat, Seen
from o2o.queueing.web.diner_streams import News

WAITING = Seen("waiting", "waiting", 3, "minutes", "10", "15")
EVENT = (
    b"id: 7.waiting\nevent: ticket\n"
    b'data: {"status":"waiting","mark":"waiting","ahead":3,"unit":"minutes","low":"10","high":"15"}'
    b"\n\n"
)


@pytest.fixture
async def seat() -> Seat:
    return Seat(new_id())


async def test_who_comes_new_is_told_and_told_again_of_a_change(seat: Seat) -> None:
    news = News(seat, known="")
    assert news() == b""
    seat.tell(WAITING, 7)
    assert await seat.bell.wait(seconds=0)
    assert news() == EVENT
    seat.tell(WAITING, 8)
    assert not await seat.bell.wait(seconds=0)
    seat.tell(Seen("called", "called:1"), 9)
    assert await seat.bell.wait(seconds=0)
    assert news().startswith(b"id: 9.called:1\nevent: ticket\n")
    # Where the product stops, every bell is rung.
    assert news() == b""


async def test_who_comes_back_with_the_latest_hears_nothing_twice(seat: Seat) -> None:
    seat.tell(WAITING, 7)
    news = News(seat, known="7.waiting")
    assert news() == b""
    seat.tell(Seen("waiting", "waiting", 2, "minutes", "5", "10"), 8)
    assert news().startswith(b"id: 8.waiting\n")


async def test_who_comes_back_with_something_older_is_told(seat: Seat) -> None:
    seat.tell(WAITING, 7)
    assert News(seat, known="6.waiting")() == EVENT
