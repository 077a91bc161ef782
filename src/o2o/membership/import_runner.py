"""Running imports in the background: read, judge, carry over; each step a short transaction.

Whatever kills the process, another goes on: a reading begins anew, a carrying over continues at
its cursor.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any
from uuid import UUID

from o2o.crm.imports import Import
from o2o.crm.statuses import ImportKind, ImportStatus
from o2o.infra.database import DatabaseAway, SessionFactory, transaction
from o2o.infra.logging import get_logger
from o2o.infra.seal import Seal
from o2o.kernel.clock import Clock
from o2o.kernel.errors import Fact
from o2o.membership.actions.import_carry import (
    LANES,
    Carried,
    Overtaken,
    carry_batch,
    carry_stretch,
    plan_lanes,
)
from o2o.membership.actions.import_carry_cards import Stretch
from o2o.membership.actions.import_judge import (
    STEPS,
    begin_judging,
    count_slices,
    finish_check,
    give_up_check,
    judge_lengths,
    judge_slice,
)
from o2o.membership.actions.import_stage import (
    Staged,
    begin_check,
    keep_progress,
    stage_cards,
    stage_purchases,
)
from o2o.membership.errors_imports import ImportFileBroken, ImportNotReady
from o2o.membership.imports.headers import Names
from o2o.membership.imports.reading import Batch, Reading, open_reading
from o2o.membership.imports.rows import Known
from o2o.membership.queries.imports import find_chunk, find_due_import, get_known
from o2o.staff.queries import list_roles

log = get_logger(__name__)

Progress = Callable[[str, int, int], None]


def _silent(_: str, __: int, ___: int) -> None:
    """Tell nobody."""


class ImportRunner:
    """Works on whatever is due. Several may run, in any process."""

    def __init__(
        self,
        *,
        sessions: SessionFactory,
        seal: Seal,
        clock: Clock,
        names: dict[ImportKind, Names],
        tell: Progress = _silent,
    ) -> None:
        """Know what columns are called. `tell` hears (phase, done, of how many)."""
        self._sessions = sessions
        self._seal = seal
        self._clock = clock
        self._names = names
        self._tell = tell

    async def run_until_idle(self) -> int:
        """Work until nothing is due; return how many imports were worked on."""
        passed_over: list[UUID] = []
        count = 0
        while True:
            async with transaction(self._sessions) as tx:
                due = await find_due_import(tx, now=self._clock.now(), passed_over=passed_over)
            if due is None:
                return count
            import_id, status = due
            try:
                if status is ImportStatus.UPLOADED:
                    await self.check(import_id)
                else:
                    await self.carry(import_id)
                count += 1
            except DatabaseAway:
                raise
            except ImportNotReady:
                passed_over.append(import_id)
            except Exception:
                # Tried again by the next run, from where it stands.
                log.exception("import.failed", import_id=str(import_id))
                passed_over.append(import_id)

    async def check(self, import_id: UUID) -> None:
        """Read a file to its end and judge its rows. Raises ImportNotReady."""
        async with transaction(self._sessions) as tx:
            one, staged = await begin_check(tx, import_id, now=self._clock.now())
            roles = (
                (await list_roles(tx, [one.uploaded_by]))[one.uploaded_by]
                if one.uploaded_by
                else None
            )
            known = await get_known(tx, one, roles=roles, now=self._clock.now())
        try:
            form = await self._read(one, staged, known)
            await self._judge(one, staged)
        except ImportNotReady:
            raise
        except Fact as fact:
            async with transaction(self._sessions) as tx:
                await give_up_check(
                    tx,
                    one,
                    staged,
                    problem=fact.code,
                    detail=fact.detail,
                    now=self._clock.now(),
                )
            return
        async with transaction(self._sessions) as tx:
            await finish_check(tx, one, staged, form=form, now=self._clock.now())

    async def _read(self, one: Import, staged: Staged, known: Known) -> dict[str, Any]:
        # On disk, not in memory: archives are read from their end, text to its end and once more.
        with tempfile.TemporaryFile(buffering=1 << 16) as file:
            await self._fetch(one.id, file)
            reading = open_reading(file, kind=one.kind, known=known, names=self._names)
            batches = _placed(reading, file)
            # The next batch is read while the database takes this one.
            ahead = asyncio.create_task(asyncio.to_thread(next, batches, None))
            try:
                while (read := await ahead) is not None:
                    ahead = asyncio.create_task(asyncio.to_thread(next, batches, None))
                    batch, at = read
                    await self._stage(one, staged, batch, at=min(at, one.file_bytes))
            finally:
                # A thread cannot be stopped, and the file must outlive it.
                await asyncio.wait([ahead])
            return reading.form

    async def _fetch(self, import_id: UUID, file: IO[bytes]) -> None:
        position = 0
        while True:
            async with transaction(self._sessions) as tx:
                piece = await find_chunk(tx, import_id, position)
            if piece is None:
                file.seek(0)
                return
            file.write(piece)
            position += 1

    async def _stage(self, one: Import, staged: Staged, batch: Batch, *, at: int) -> None:
        staged.bytes_read = at
        staged.row_count += batch.row_count
        staged.faulty_count += batch.row_count - len(batch.rows)
        async with transaction(self._sessions) as tx:
            if one.kind is ImportKind.CARDS:
                await stage_cards(tx, one.id, batch.cards, seal=self._seal)
            else:
                await stage_purchases(
                    tx, one.id, batch.purchases, torn=batch.torn, now=self._clock.now()
                )
            await keep_progress(tx, one.id, staged, faults=batch.faults, now=self._clock.now())
        self._tell("reading", at, one.file_bytes)

    async def _judge(self, one: Import, staged: Staged) -> None:
        steps = STEPS[one.kind]
        slices = count_slices(staged.row_count)
        async with transaction(self._sessions) as tx:
            await begin_judging(tx, one)
        for step in range(len(steps)):
            for slice_number in range(slices):
                async with transaction(self._sessions) as tx:
                    await judge_slice(tx, one, step=step, slice_number=slice_number, slices=slices)
                    await keep_progress(tx, one.id, staged, now=self._clock.now())
            self._tell("judging", step + 1, len(steps))
        if one.kind is ImportKind.CARDS:
            async with transaction(self._sessions) as tx:
                await judge_lengths(tx, one.id)
                await keep_progress(tx, one.id, staged, now=self._clock.now())

    async def carry(self, import_id: UUID, *, row_count: int = 0) -> Carried | None:
        """Carry a confirmed import over to its end; None when another took it over."""
        while True:
            async with transaction(self._sessions) as tx:
                stretches = await plan_lanes(tx, import_id, now=self._clock.now())
            if stretches is None:
                raise ImportNotReady(status="taken")
            try:
                carried = (
                    await self._carry_lanes(import_id, stretches, row_count=row_count)
                    if stretches
                    else await self._carry_batch(import_id)
                )
            except Overtaken:
                carried = await self._carry_batch(import_id)
            self._tell("carrying", carried.done_count + carried.left_out_count, row_count)
            if carried.is_done:
                return carried
            await asyncio.sleep(0)

    async def _carry_batch(self, import_id: UUID) -> Carried:
        async with transaction(self._sessions) as tx:
            carried = await carry_batch(tx, import_id, now=self._clock.now())
        if carried is None:
            raise ImportNotReady(status="taken")
        return carried

    async def _carry_lanes(
        self, import_id: UUID, stretches: Sequence[Stretch], *, row_count: int
    ) -> Carried:
        """Carry stretches over side by side, kept one after the other.

        A lane that is free goes on with the next: soon one prepares while the other's is written.
        """
        kept: list[asyncio.Task[Carried]] = []
        try:
            for number, stretch in enumerate(stretches):
                if number >= LANES:
                    await kept[number - LANES]
                before = kept[-1] if kept else None
                if before is not None and before.done():
                    # Behind one that failed nothing is begun that could not be kept.
                    before.result()
                work = self._carry_lane(
                    import_id, stretch, lane=number % LANES, before=before, row_count=row_count
                )
                kept.append(asyncio.create_task(work))
            return await kept[-1]
        except asyncio.CancelledError:
            for lane in kept:
                lane.cancel()
            raise
        finally:
            # One that fails takes those behind it along; whoever is under way ends first.
            await asyncio.gather(*kept, return_exceptions=True)

    async def _carry_lane(
        self,
        import_id: UUID,
        stretch: Stretch,
        *,
        lane: int,
        before: asyncio.Task[Carried] | None,
        row_count: int,
    ) -> Carried:
        async def turn() -> None:
            if before is not None:
                await before

        async with transaction(self._sessions) as tx:
            carried = await carry_stretch(
                tx, import_id, stretch, lane=lane, turn=turn, now=self._clock.now()
            )
        self._tell("carrying", carried.done_count + carried.left_out_count, row_count)
        return carried


def _placed(reading: Reading, file: IO[bytes]) -> Iterator[tuple[Batch, int]]:
    """Pass batches on with how far into the file each goes."""
    for batch in _guarded(reading):
        yield batch, file.tell()


def _guarded(reading: Reading) -> Iterator[Batch]:
    """Pass batches on; what no reader foresaw is a broken file, not a check without end."""
    batches = reading.batches()
    while True:
        try:
            batch = next(batches)
        except StopIteration:
            return
        except Fact:
            raise
        except Exception as error:
            log.exception("import.reading_failed")
            raise ImportFileBroken from error
        yield batch
