"""`python -m chaos calls`: clerks call, the program is killed, and every phone hears of it once.

Parties wait in many queues; a desk at each calls at a steady rate and seats whom it called; the
whole program is killed now and then, and started again beside the database and WeChat, which do not
go down with it. A desk waits for its answer before it calls again, and makes up for the calls it
missed. In the end every call of somebody with a phone must have reached the phone once, within a
second of the call, and nothing may reach it after the number has ended.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec

from chaos.calls_hall import Hall, Waiting, fill_hall
from chaos.calls_judge import CallVerdict, judge_calls
from chaos.people import Person, Phones
from chaos.product import APPLICATION, Product
from chaos.round import wait_quiet
from chaos.wire import Dropped, Wire

ACCOUNT = "weitang"
THREADS = 8
# A desk that gets no answer asks again with the same request, as a pad does: not all at one moment.
AGAIN_SECONDS = (0.5, 1.5)
AGAIN_MAX = 100
SEATED_SHARE = 0.7
SEATED_WITHIN_SECONDS = 4.0
CREATED = (200, 201)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How large a round is."""

    queues: int
    parties: int
    calls_per_second: float
    seconds: float
    # The whole program is killed so often; 0: never.
    kill_every: float
    seed: int

    @property
    def phones(self) -> int:
        """How many parties may be called or told to come: those have phones."""
        heads = int(self.calls_per_second * self.seconds) + 5 * self.queues
        return min(self.parties, heads)


class CallRound:
    """One round against one product."""

    def __init__(self, product: Product, plan: Plan) -> None:
        """Work on a product that runs."""
        self._product = product
        self._plan = plan
        self._rng = random.Random(plan.seed)
        self._seats: set[asyncio.Task[None]] = set()
        self._killer: asyncio.Task[None] | None = None
        # How long desks waited for the answer to a call, an outage included; seconds.
        self._waits: list[float] = []
        self.kills = 0

    def run(self) -> CallVerdict:
        """Fill the hall, call, wait until nothing is owed, and judge."""
        phones = Phones(self._product.sandbox_url, self._product.url)
        try:
            people = self._follow(phones)
            hall = asyncio.run(fill_hall(self._product, self._plan.queues, self._waiting(people)))
            # Whoever stands near the head already is told before the clerks begin.
            wait_quiet(self._product)
            asyncio.run(self._work(hall))
            wait_quiet(self._product)
            verdict = judge_calls(self._product, phones, people=people, hall=hall)
            return msgspec.structs.replace(verdict, desk_waits=sorted(self._waits))
        finally:
            phones.close()

    def _follow(self, phones: Phones) -> list[Person]:
        def come(number: int) -> Person:
            person = phones.add(f"Party {number}", account=ACCOUNT)
            phones.follow(person)
            return person

        with ThreadPoolExecutor(THREADS) as threads:
            return list(threads.map(come, range(self._plan.phones)))

    def _waiting(self, people: list[Person]) -> Waiting:
        """Those with phones stand first in every queue."""
        return Waiting(
            account=ACCOUNT,
            openids=[person.openid for person in people],
            without_phone=self._plan.parties - len(people),
        )

    async def _work(self, hall: Hall) -> None:
        self._wire = Wire(self._product.port, self._product.demo["api_key"])
        try:
            await self._work_on(hall)
        finally:
            await self._wire.close()

    async def _work_on(self, hall: Hall) -> None:
        plan = self._plan
        self._killer = killer = asyncio.create_task(self._kill()) if plan.kill_every else None
        started = time.monotonic()
        calls = int(plan.calls_per_second * plan.seconds)
        times = [started + number / plan.calls_per_second for number in range(calls)]
        desks = len(hall.queue_ids)
        await asyncio.gather(
            *(
                self._man_desk(queue_id, times[place::desks])
                for place, queue_id in enumerate(hall.queue_ids)
            )
        )
        await asyncio.gather(*self._seats)
        if killer is not None:
            killer.cancel()
            await asyncio.gather(killer, return_exceptions=True)

    async def _man_desk(self, queue_id: UUID, times: Sequence[float]) -> None:
        """Call at these times, or as soon afterwards as the call before was answered."""
        for due in times:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self._call(queue_id)

    async def _call(self, queue_id: UUID) -> None:
        body = {"request_id": str(uuid4()), "desk": str(self._rng.randint(1, 9))}
        asked = time.monotonic()
        called = await self._insist(f"/queues/{queue_id}/calls", body)
        self._waits.append(time.monotonic() - asked)
        if called is not None and self._rng.random() < SEATED_SHARE:
            wait = self._rng.random() * SEATED_WITHIN_SECONDS
            self._seats.add(asyncio.create_task(self._seat(called["ticket_id"], wait)))

    async def _seat(self, ticket_id: str, wait: float) -> None:
        await asyncio.sleep(wait)
        await self._insist(f"/tickets/{ticket_id}/seat", {"request_id": str(uuid4())})

    async def _insist(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Ask until it is answered; None when it is refused."""
        for _ in range(AGAIN_MAX):
            if self._killer is not None and self._killer.done():
                # It ends by itself only when the program did not start again.
                self._killer.result()
            try:
                answer = await self._wire.post(path, body)
            except (Dropped, OSError):
                await asyncio.sleep(self._rng.uniform(*AGAIN_SECONDS))
                continue
            if answer.status in CREATED:
                return answer.body
            if answer.status < 500:
                return None
            await asyncio.sleep(self._rng.uniform(*AGAIN_SECONDS))
        raise TimeoutError(path)

    async def _kill(self) -> None:
        while True:
            await asyncio.sleep(self._plan.kill_every)
            await asyncio.to_thread(self._product.kill, *APPLICATION)
            self.kills += 1
            await asyncio.shield(asyncio.to_thread(self._product.serve_alone))


def main(arguments: list[str]) -> int:
    """Run one round on a product of its own; 0 when nothing was missed, doubled or late."""
    parser = argparse.ArgumentParser(prog="python -m chaos calls", description=__doc__)
    parser.add_argument("--queues", type=int, default=200)
    parser.add_argument("--parties", type=int, default=10_000)
    parser.add_argument("--calls-per-second", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--kill-every", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    plan = Plan(
        queues=asked.queues,
        parties=asked.parties,
        calls_per_second=asked.calls_per_second,
        seconds=asked.seconds,
        kill_every=asked.kill_every,
        seed=asked.seed,
    )
    with tempfile.TemporaryDirectory(prefix="o2o-calls-") as name:
        product = Product(Path(name) / "data", workers=1)
        try:
            product.start()
            product.wait_set_up()
            product.serve_alone()
            run = CallRound(product, plan)
            verdict = run.run()
        finally:
            product.stop()
    print(f"{plan}, killed {run.kills} times")
    for line in verdict.lines():
        print(line)
    return 1 if verdict.violations else 0
