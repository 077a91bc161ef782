"""The port of text messages: what is sent, and what a provider's adapter has to do."""

from typing import Protocol

import msgspec


class CodeMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Digits for a phone, with the minutes they live: the two places of the provider's template."""

    phone: str
    code: str
    minutes: int
    # Ours; the provider hands it back in its reports.
    message_id: str


class SMSSender(Protocol):
    """Whoever carries text messages."""

    async def send(self, message: CodeMessage) -> None:
        """Hand a message over. Raises Later (try again) or Never (it will not be carried)."""
        ...

    async def close(self) -> None:
        """Let connections go."""
        ...
