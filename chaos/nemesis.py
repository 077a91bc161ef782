"""The nemesis: faults drawn from a seed, each healed before the next; only our own processes."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from chaos.history import History
from chaos.people import Phones
from chaos.product import (
    APPLICATION,
    DATABASE,
    EVERYTHING,
    RELAY,
    SUPERVISOR,
    WEB,
    Product,
)

CALM_SECONDS = 2.0
HEAL_SECONDS = 120.0
API = "/cgi-bin/*"


class Nemesis:
    """Does harm to one product."""

    def __init__(self, product: Product, phones: Phones, history: History) -> None:
        """Write every fault into the history, so that one can see what clients met."""
        self._product = product
        self._phones = phones
        self._history = history
        self.done: dict[str, int] = {}

    def rage(self, rng: random.Random, *, seconds: float, faults: list[str] | None = None) -> None:
        """Do every fault once in a drawn order, then draw on, until the time is over.

        With `faults`, do just those, in that order.
        """
        until = time.monotonic() + seconds
        names = list(faults) if faults else rng.sample(sorted(FAULTS), len(FAULTS))
        while names and (faults or time.monotonic() < until):
            name = names.pop(0)
            self.strike(name, rng)
            if not names and not faults:
                names = rng.sample(sorted(FAULTS), len(FAULTS))

    def strike(self, name: str, rng: random.Random) -> None:
        """Do one fault, heal it, and wait until the product serves again."""
        self._history.note("nemesis", "invoke", name, args={})
        started = time.monotonic()
        FAULTS[name](self, rng)
        self._heal()
        self.done[name] = self.done.get(name, 0) + 1
        took = round(time.monotonic() - started, 2)
        self._history.note("nemesis", "ok", name, args={}, result={"seconds": took})
        time.sleep(CALM_SECONDS * (0.5 + rng.random()))

    def _heal(self) -> None:
        product = self._product
        product.thaw()
        if not product.is_running:
            product.start()
        product.wait_ready(seconds=HEAL_SECONDS)

    def kill(self, *parts: str) -> None:
        """SIGKILL these parts at once."""
        self._product.kill(*parts)

    def kill_database(self) -> None:
        """SIGKILL the postmaster; its children leave, and the product has to bring it back."""
        self._product.kill_database_server()
        time.sleep(1)

    def freeze(self, part: str, rng: random.Random, *, most: float) -> None:
        """SIGSTOP a part for a while."""
        with self._product.frozen(part):
            time.sleep(rng.uniform(1, most))

    def misbehave(self, rng: random.Random, **rule: Any) -> None:
        """Have WeChat misbehave for a while."""
        with self._misbehaving(rule):
            time.sleep(rng.uniform(2, 6))

    @contextmanager
    def _misbehaving(self, rule: dict[str, Any]) -> Iterator[None]:
        self._phones.misbehave(rule)
        try:
            yield
        finally:
            self._phones.misbehave()

    def expire_tokens(self, rng: random.Random) -> None:
        """End every token at once, a few times."""
        for _ in range(3):
            self._phones.http.post("/_sandbox/faults/expire-tokens", json={})
            time.sleep(rng.uniform(0.2, 1))


Fault = Callable[[Nemesis, random.Random], None]

FAULTS: dict[str, Fault] = {
    "kill web worker": lambda n, _: n.kill(WEB),
    "kill relay": lambda n, _: n.kill(RELAY),
    "kill relay's supervisor": lambda n, _: n.kill(SUPERVISOR),
    "kill application": lambda n, _: n.kill(*APPLICATION),
    "kill everything": lambda n, _: n.kill(*EVERYTHING),
    "kill database": lambda n, _: n.kill_database(),
    "freeze web worker": lambda n, rng: n.freeze(WEB, rng, most=6),
    "freeze relay": lambda n, rng: n.freeze(RELAY, rng, most=6),
    "freeze database": lambda n, rng: n.freeze(DATABASE, rng, most=10),
    "wechat answers 502": lambda n, rng: n.misbehave(rng, match=API, status=502),
    "wechat says nothing": lambda n, rng: n.misbehave(
        rng, match=API, drop=True, applied=True, probability=0.7
    ),
    "wechat is slow": lambda n, rng: n.misbehave(rng, match=API, delay_ms=4_000),
    "callbacks come thrice": lambda n, rng: n.misbehave(rng, match="callback", duplicate=2),
    "callbacks overtake": lambda n, rng: n.misbehave(
        rng, match="callback", reorder=True, probability=0.5
    ),
    "tokens expire": lambda n, rng: n.expire_tokens(rng),
}
