"""A till's line to the API: HTTP over kept connections, cheap enough to load two cores honestly."""

import asyncio
import json
from contextlib import suppress
from typing import Any

ANSWER_SECONDS = 10.0


class Dropped(Exception):
    """No complete answer came: what became of the request is unknown."""


class Answer:
    """A status and what the body said."""

    def __init__(self, status: int, content: bytes) -> None:
        """Keep the bytes too: a repeated answer must be the same to the letter."""
        self.status = status
        self.content = content

    @property
    def body(self) -> dict[str, Any]:
        """The body as JSON; empty when it is none."""
        try:
            body = json.loads(self.content)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    @property
    def code(self) -> str | None:
        """The error's name."""
        code = self.body.get("code")
        return code if isinstance(code, str) else None


class Wire:
    """One client of one product; connections are kept and used again."""

    def __init__(self, port: int, key: str) -> None:
        """Speak to the product at a port of this machine, with a key of its API."""
        self._port = port
        self._key = key
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def get(self, path: str, *, seconds: float = ANSWER_SECONDS) -> Answer:
        """Ask for something. Raises Dropped."""
        return await self._exchange(self._request("GET", path, b""), seconds)

    async def post(
        self, path: str, body: dict[str, Any], *, seconds: float = ANSWER_SECONDS
    ) -> Answer:
        """Ask for a change. Raises Dropped."""
        return await self._exchange(self._request("POST", path, json.dumps(body).encode()), seconds)

    async def post_and_hang_up(self, path: str, body: dict[str, Any], *, after: float) -> None:
        """Send a whole request and reset the connection, as a till that loses its network."""
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(self._request("POST", path, json.dumps(body).encode()))
            await writer.drain()
            await asyncio.sleep(after)
            writer.transport.abort()

    async def close(self) -> None:
        """Let go of the connections."""
        for _, writer in self._idle:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        self._idle.clear()

    def _request(self, method: str, path: str, content: bytes) -> bytes:
        return (
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Authorization: Bearer {self._key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        ).encode() + content

    async def _exchange(self, request: bytes, seconds: float) -> Answer:
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(seconds):
                reader, writer = (
                    self._idle.pop()
                    if self._idle
                    else await asyncio.open_connection("127.0.0.1", self._port)
                )
                writer.write(request)
                await writer.drain()
                answer = await _read(reader)
        except (OSError, ValueError, KeyError, EOFError, TimeoutError) as error:
            if writer is not None:
                writer.transport.abort()
            raise Dropped(repr(error)) from error
        except asyncio.CancelledError:
            if writer is not None:
                writer.transport.abort()
            raise
        self._idle.append((reader, writer))
        return answer


async def _read(reader: asyncio.StreamReader) -> Answer:
    """Read one answer with its declared length. Raises EOFError, ValueError."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }
    content = await reader.readexactly(int(fields["content-length"]))
    return Answer(int(first.split(" ", 2)[1]), content)
