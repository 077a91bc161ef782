"""Keep the product in step with a hall's machine through a bad line.

The newest state is sent again and again; a state that could not be sent is never queued up, for the
next one says all of it. What the answer brings, the numbers taken in WeChat, is written for the
machine to take in, whole files only.
"""

import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec

from o2o.app.bridge.sources import SourceUnreadable, read_state
from o2o.queueing.rules.bridge_signatures import HEADER, sign

SEND_SECONDS = 10.0
WAIT_SECONDS_MAX = 30.0
CONFLICT = 409

Say = Callable[[str], None]


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What the program is told."""

    product_url: str
    store_id: str
    key: str
    source: str
    # Where the numbers to take in are written; None writes none.
    numbers_path: Path | None
    every_seconds: float


class BridgeProgram:
    """One machine and one store."""

    def __init__(self, setting: Setting, *, say: Say, client: httpx.Client | None = None) -> None:
        """Begin with a number above any that was sent before: the time."""
        self._setting = setting
        self._say = say
        self._client = client or httpx.Client(timeout=SEND_SECONDS)
        self._path = f"/api/v1/bridge/{setting.store_id}/state"
        self._seq = int(time.time() * 1000)
        self._failures = 0
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Let `run` return after the message in hand."""
        self._stopping.set()

    def run(self) -> None:
        """Send until stopped; after failures wait longer and longer, up to half a minute."""
        while not self._stopping.is_set():
            try:
                self.send_once()
            except (SourceUnreadable, httpx.HTTPError) as error:
                self._failures += 1
                self._say(f"{type(error).__name__}: {error}")
            else:
                if self._failures:
                    self._say("in step again")
                self._failures = 0
            self._stopping.wait(self._pause())

    def send_once(self) -> dict[str, Any]:
        """Read the machine's state and send it; return the answer.

        Raises SourceUnreadable, httpx.HTTPError.
        """
        state = read_state(self._setting.source)
        answer = self._put(state)
        if answer.status_code == CONFLICT:
            # Another program, or a clock that was set back: go on above what was heard.
            self._seq = max(self._seq, int(answer.json().get("detail", {}).get("last_seq", 0)))
            answer = self._put(state)
        if answer.is_error:
            raise httpx.HTTPStatusError(
                f"{answer.status_code} {answer.text[:300]}", request=answer.request, response=answer
            )
        heard: dict[str, Any] = answer.json()
        self._take_in(heard)
        return heard

    def _put(self, state: dict[str, Any]) -> httpx.Response:
        self._seq += 1
        body = msgspec.json.encode({"seq": self._seq, **state})
        signature = sign(
            self._setting.key, seconds=int(time.time()), method="PUT", path=self._path, body=body
        )
        return self._client.put(
            self._setting.product_url.rstrip("/") + self._path,
            content=body,
            headers={HEADER: signature, "Content-Type": "application/json"},
        )

    def _take_in(self, heard: dict[str, Any]) -> None:
        for line in heard["unknown_lines"]:
            self._say(f"the store has no line {line}")
        if (path := self._setting.numbers_path) is not None:
            kept = msgspec.json.encode({"tickets": heard["tickets"], "ended": heard["ended"]})
            fresh = path.with_suffix(".new")
            fresh.write_bytes(kept)
            os.replace(fresh, path)  # noqa: PTH105 - a file of half a state must never be read

    def _pause(self) -> float:
        if not self._failures:
            return self._setting.every_seconds
        longest = min(WAIT_SECONDS_MAX, self._setting.every_seconds * 2**self._failures)
        return random.uniform(longest / 2, longest)  # noqa: S311 - no secret, only turns apart
