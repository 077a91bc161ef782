"""Hearing of a signal to stop: beside a server's handler, never in place of the default."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from o2o.app.signals import STOP_SIGNALS, hear_of_stop

LONG_SECONDS = 30.0


@pytest.fixture(autouse=True)
def handlers_of_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


async def test_both_the_server_and_the_application_hear_it() -> None:
    heard: list[int] = []
    stopping = asyncio.Event()
    signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    hear_of_stop(stopping.set)
    signal.raise_signal(signal.SIGTERM)
    await asyncio.wait_for(stopping.wait(), LONG_SECONDS)
    assert heard == [signal.SIGTERM]


async def test_a_default_is_left_in_its_place() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    hear_of_stop(lambda: None)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_once_the_loop_is_closed_the_server_still_hears_it() -> None:
    heard: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))

    async def listen() -> None:
        hear_of_stop(lambda: None)

    asyncio.run(listen())
    signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM]
