"""People who write to the account all the while, and whoever looks at what reached their phones."""

import asyncio
import random
from typing import Any

import httpx

from chaos.history import History
from chaos.people import Person

PAUSE_SECONDS = 1.6
# Three tries of five seconds and the stand-in's own time.
OUTCOME_SECONDS = 25.0
LOOK_SECONDS = 4.0
WORDS = ("balance", "points", "what time do you close?")


class Talker:
    """One person, one message after another, each with a number of its own."""

    def __init__(self, person: Person, first_id: int, history: History) -> None:
        """Number the messages from `first_id`."""
        self.person = person
        self._next_id = first_id
        self._history = history

    async def talk(
        self, client: httpx.AsyncClient, rng: random.Random, stopping: asyncio.Event
    ) -> None:
        """Write until told to stop."""
        while not stopping.is_set():
            await self._say(client, rng.choice(WORDS))
            await asyncio.sleep(PAUSE_SECONDS * (0.5 + rng.random()))

    async def _say(self, client: httpx.AsyncClient, words: str) -> None:
        name = f"person-{self.person.id}"
        args = {"openid": self.person.openid, "msg_id": self._next_id, "content": words}
        self._next_id += 1
        body = {
            "account": self.person.account,
            "type": "text",
            "content": words,
            "msg_id": args["msg_id"],
        }
        self._history.note(name, "invoke", "say", args=args)
        try:
            answer = await client.post(f"/_sandbox/people/{self.person.id}/messages", json=body)
            outcome: dict[str, Any] = answer.json() if answer.is_success else {"status": 0}
        except (httpx.HTTPError, ValueError) as error:
            self._history.note(name, "info", "say", args=args, result=repr(error))
            return
        # WeChat knows that it arrived only by a 200; all else it forgets after three tries.
        is_taken = outcome["status"] == 200
        result = {
            "status": outcome["status"],
            "took_ms": outcome.get("took_ms"),
            "is_answered": outcome.get("reply") is not None,
        }
        self._history.note(name, "ok" if is_taken else "info", "say", args=args, result=result)


class Watcher:
    """Reads the chats again and again, because a phone shows only the newest thousand."""

    def __init__(self, people: list[Person]) -> None:
        """Watch these people's phones."""
        self._people = people
        self.seen: dict[str, list[dict[str, Any]]] = {person.openid: [] for person in people}
        self._last: dict[str, int] = {person.openid: 0 for person in people}

    async def watch(self, client: httpx.AsyncClient, stopping: asyncio.Event) -> None:
        """Look until told to stop."""
        while not stopping.is_set():
            await self.look(client)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, client: httpx.AsyncClient) -> None:
        """Take up what came since the last look; a dead stand-in is asked again later."""
        for person in self._people:
            try:
                answer = await client.get(
                    f"/_sandbox/people/{person.id}/chat",
                    params={"account": person.account, "after": self._last[person.openid]},
                )
                messages = answer.json()["messages"] if answer.is_success else []
            except (httpx.HTTPError, ValueError, KeyError):
                return
            for message in messages:
                self._last[person.openid] = message["seq"]
                if message["direction"] == "in":
                    self.seen[person.openid].append(message)
