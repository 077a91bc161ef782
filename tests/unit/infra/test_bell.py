"""The bell: one who waits is woken once, whenever it was rung, and never left waiting."""

import asyncio

import pytest

from o2o.infra.bell import Bell

LONG_SECONDS = 30.0


async def somebody_at(bell: Bell) -> asyncio.Task[bool]:
    """Somebody who waits by now."""
    waiting = asyncio.create_task(bell.wait(seconds=LONG_SECONDS))
    await asyncio.sleep(0)
    return waiting


async def test_who_waits_is_woken() -> None:
    bell = Bell()
    waiting = await somebody_at(bell)
    bell.ring()
    bell.ring()
    assert await waiting
    assert not await bell.wait(seconds=0)


async def test_a_ring_before_the_wait_spares_it_once() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    assert await bell.wait(seconds=LONG_SECONDS)
    assert not await bell.wait(seconds=0)


async def test_a_ring_between_waking_and_going_on_is_not_lost() -> None:
    bell = Bell()
    waiting = await somebody_at(bell)
    bell._end_wait()
    # … and who waited has not gone on yet.
    bell.ring()
    assert await waiting


async def test_what_is_hushed_was_never_rung() -> None:
    bell = Bell()
    bell.ring()
    bell.hush()
    assert not await bell.wait(seconds=0)


async def test_a_wait_that_is_given_up_leaves_the_bell_usable() -> None:
    bell = Bell()
    waiting = await somebody_at(bell)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    bell.ring()
    assert await bell.wait(seconds=LONG_SECONDS)
