"""Tills under load: debits, top-ups and look-ups, sent again when no answer came."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import msgspec

from chaos.history import History
from chaos.wire import Answer, Dropped, Wire
from o2o.kernel.ids import new_id

PAUSE_SECONDS = 0.08
PATIENCE_SECONDS = 6.0
ATTEMPTS_MAX = 3
DEBIT_SHARE, TOP_UP_SHARE = 0.72, 0.88
HANG_UP_SHARE = 0.12
DOUBLE_SHARE = 0.15
DEBIT_FEN_MAX = 400
TOP_UP_FEN_MAX = 1_200
_UNSURE = {429, 503}


class Card(msgspec.Struct, frozen=True):
    """A member whose card is used, and a store that may use it."""

    member_id: str
    store_id: str


class Intention(msgspec.Struct, frozen=True):
    """One wish of one customer, whatever it takes to have it done."""

    op: str
    card: Card
    body: dict[str, Any]

    @property
    def path(self) -> str:
        """Where it is sent."""
        return f"/members/{self.card.member_id}/{self.op}s"


def debit(card: Card, amount_fen: int, *, request_id: str | None = None) -> Intention:
    """Take money from a card; a new intention unless it is named."""
    body = {
        "request_id": request_id or str(new_id()),
        "amount_fen": amount_fen,
        "store_id": card.store_id,
        "reason": "chaos",
    }
    return Intention("debit", card, body)


def top_up(card: Card, amount_fen: int, *, request_id: str | None = None) -> Intention:
    """Put money on a card; a new intention unless it is named."""
    body = {
        "request_id": request_id or str(new_id()),
        "principal_fen": amount_fen,
        "bonus_fen": 0,
        "store_id": card.store_id,
        "tender": "cash",
    }
    return Intention("top-up", card, body)


MAKE: dict[str, Callable[..., Intention]] = {"debit": debit, "top-up": top_up}


class Till:
    """One client: it does one thing after another; what it never learns is asked in the end."""

    def __init__(self, name: str, wire: Wire, history: History) -> None:
        """Speak over `wire`, write everything down in `history`."""
        self.name = name
        self._wire = wire
        self._history = history

    async def work(self, cards: list[Card], rng: random.Random, stopping: asyncio.Event) -> None:
        """Serve customers until told to stop."""
        while not stopping.is_set():
            card = rng.choice(cards)
            draw = rng.random()
            if draw < DEBIT_SHARE:
                await self._serve(debit(card, rng.randint(1, DEBIT_FEN_MAX)), rng)
            elif draw < TOP_UP_SHARE:
                await self._serve(top_up(card, rng.randint(1, TOP_UP_FEN_MAX)), rng)
            else:
                await self.look(card)
            await asyncio.sleep(PAUSE_SECONDS * (0.5 + rng.random()))

    async def _serve(self, intention: Intention, rng: random.Random) -> None:
        if rng.random() < HANG_UP_SHARE:
            await self._hang_up(intention, after=rng.random() / 20)
        elif rng.random() < DOUBLE_SHARE:
            # The customer taps twice: the same request, twice at once.
            await asyncio.gather(self.send(intention), self.send(intention))
            return
        for attempt in range(ATTEMPTS_MAX):
            if await self.send(intention):
                return
            await asyncio.sleep(0.2 * 2**attempt * (0.5 + rng.random()))

    async def send(self, intention: Intention, *, seconds: float = PATIENCE_SECONDS) -> bool:
        """Send once; return whether the answer settled the matter."""
        args = _args(intention)
        self._history.note(self.name, "invoke", intention.op, args=args)
        try:
            answer = await self._wire.post(intention.path, intention.body, seconds=seconds)
        except Dropped as error:
            self._history.note(self.name, "info", intention.op, args=args, result=str(error))
            return False
        if answer.status in {200, 201}:
            self._history.note(self.name, "ok", intention.op, args=args, result=_told(answer))
            return True
        # Our own refusals move nothing; what a proxy or a crash says proves nothing.
        is_refused = 400 <= answer.status < 500 and answer.status not in _UNSURE
        self._history.note(
            self.name,
            "fail" if is_refused else "info",
            intention.op,
            args=args,
            result={"status": answer.status, "code": answer.code},
        )
        return is_refused

    async def _hang_up(self, intention: Intention, *, after: float) -> None:
        args = _args(intention)
        self._history.note(self.name, "invoke", intention.op, args=args)
        await self._wire.post_and_hang_up(intention.path, intention.body, after=after)
        self._history.note(self.name, "info", intention.op, args=args, result="hung up")

    async def look(self, card: Card) -> None:
        """Look a card up."""
        args = {"member_id": card.member_id}
        self._history.note(self.name, "invoke", "look", args=args)
        try:
            answer = await self._wire.get(f"/members/{card.member_id}", seconds=PATIENCE_SECONDS)
        except Dropped as error:
            self._history.note(self.name, "info", "look", args=args, result=str(error))
            return
        is_told = answer.status == 200
        told = answer.body.get("balance_fen") if is_told else {"status": answer.status}
        self._history.note(self.name, "ok" if is_told else "info", "look", args=args, result=told)


def _args(intention: Intention) -> dict[str, Any]:
    body = intention.body
    return {
        "member_id": intention.card.member_id,
        "request_id": body["request_id"],
        "amount_fen": body.get("amount_fen", body.get("principal_fen")),
    }


def _told(answer: Answer) -> dict[str, Any]:
    return {"status": answer.status, **answer.body}
