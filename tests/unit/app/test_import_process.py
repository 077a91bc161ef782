"""The process of imports: one at a time, and nothing that is asked while it ends is forgotten."""

import asyncio
from typing import Any

import pytest

from o2o.app.import_process import ImportProcess


class FakeProcess:
    def __init__(self, status: int) -> None:
        self._status = status
        self.may_end = asyncio.Event()

    async def wait(self) -> int:
        await self.may_end.wait()
        return self._status


class FakePrograms:
    """Stands in for the system: notes each program that is started."""

    def __init__(self, *statuses: int) -> None:
        self.started: list[FakeProcess] = []
        self._statuses = list(statuses)

    async def start(self, *_: Any) -> FakeProcess:
        process = FakeProcess(self._statuses[len(self.started)])
        self.started.append(process)
        return process


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize("status, processes", [(0, 2), (1, 1)])
async def test_what_is_asked_while_one_runs_is_done_after_it(
    monkeypatch: pytest.MonkeyPatch, status: int, processes: int
) -> None:
    programs = FakePrograms(status, 0)
    monkeypatch.setattr(asyncio, "create_subprocess_exec", programs.start)
    imports = ImportProcess()
    for _ in range(3):
        await imports.perform({})
        await settled()
    assert len(programs.started) == 1

    programs.started[0].may_end.set()
    await settled()
    # One that failed is left to the schedule.
    assert len(programs.started) == processes
    programs.started[-1].may_end.set()
    await settled()
    assert len(programs.started) == processes
