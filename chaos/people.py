"""People with phones, as the stand-in for WeChat keeps them: they follow, write, join and read."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec

JOIN_SECONDS = 60.0
_FIELD = re.compile(r'name="(csrf|terms_version)" value="([^"]*)"')


class DidNotJoin(Exception):
    """The pages did not make the person a member."""


class Person(msgspec.Struct, frozen=True):
    """Somebody in front of one official account."""

    id: str
    account: str
    openid: str


class Phones:
    """The stand-in's control API, and a browser for whoever opens a page."""

    def __init__(self, sandbox_url: str, product_url: str) -> None:
        """Steer the stand-in at one address, whose people open the pages of the other."""
        self._product_url = product_url
        self.http = httpx.Client(base_url=sandbox_url, trust_env=False, timeout=JOIN_SECONDS)

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()

    def add(self, name: str, *, account: str) -> Person:
        """Give somebody new a phone."""
        record = self._post("/_sandbox/people", {"name": name})
        return Person(record["id"], account, record["openids"][account])

    def follow(self, person: Person) -> dict[str, Any]:
        """Follow the account; return the reply, the time it took and the status."""
        return self._post(f"/_sandbox/people/{person.id}/follow", {"account": person.account})

    def say(self, person: Person, content: str, **more: Any) -> dict[str, Any]:
        """Write to the account; return the reply, the time it took and the status."""
        body = {"account": person.account, "type": "text", "content": content, **more}
        return self._post(f"/_sandbox/people/{person.id}/messages", body)

    def act(self, person: Person, event: str, **more: Any) -> dict[str, Any]:
        """Cause an event; return what came back."""
        body = {"account": person.account, "type": "event", "event": event, **more}
        return self._post(f"/_sandbox/people/{person.id}/messages", body)

    def read(self, person: Person, *, kind: str | None = None) -> list[dict[str, Any]]:
        """Return what reached the phone, in order; of one kind only if asked."""
        answer = self.http.get(
            f"/_sandbox/people/{person.id}/chat", params={"account": person.account}
        )
        answer.raise_for_status()
        return [
            message
            for message in answer.json()["messages"]
            if message["direction"] == "in" and kind in {None, message["kind"]}
        ]

    def books(self) -> dict[str, Any]:
        """Return everything that WeChat accepted and sent, by its own account."""
        answer = self.http.get("/_sandbox/books")
        answer.raise_for_status()
        books: dict[str, Any] = answer.json()
        return books

    def misbehave(self, *rules: dict[str, Any]) -> None:
        """Put these rules in place of whatever misbehaviour there was; none ends it."""
        self.http.put("/_sandbox/faults", json={"rules": list(rules)}).raise_for_status()

    @contextmanager
    def browser(self, person: Person, page: str) -> Iterator[tuple[httpx.Client, httpx.Response]]:
        """Open a page of the account inside WeChat, signed in by its page authorisation."""
        with httpx.Client(trust_env=False, timeout=JOIN_SECONDS, follow_redirects=True) as client:
            yield (
                client,
                client.get(
                    f"{self.http.base_url}/_sandbox/people/{person.id}/open",
                    params={"url": f"{self._product_url}/h5/{person.account}/{page}"},
                ),
            )

    def join(self, person: Person) -> None:
        """Follow and take a card, as people do. Raises DidNotJoin."""
        self.follow(person)
        with self.browser(person, "card") as (client, page):
            if not page.is_success:
                raise DidNotJoin(f"the page answered {page.status_code}")
            form = dict(_FIELD.findall(page.text))
            done = client.post(
                f"{self._product_url}/h5/{person.account}/card",
                data={**form, "membership": "yes"},
            )
        if not done.is_success or "told=welcome" not in str(done.url):
            raise DidNotJoin(f"the form answered {done.status_code} at {done.url}")

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.post(path, json=body)
        answer.raise_for_status()
        record: dict[str, Any] = answer.json()
        return record


def texts(messages: Sequence[dict[str, Any]]) -> list[str]:
    """Return the words of the texts among some messages, answers and later ones alike."""
    return [
        message["content"]
        for message in messages
        if message["kind"] in {"text", "custom"} and message["type"] == "text"
    ]
