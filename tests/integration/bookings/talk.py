"""Talking to an account about bookings as the router does, one message after another."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from o2o.crm.members import Fan
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.queueing.chat_bookings import register
from o2o.web.copy import Words
from o2o.wechat.chat.asks import Answer, Ask, EndDialogue, KeepDialogue, LiveDialogue
from o2o.wechat.chat.understanding import understand
from o2o.wechat.codec.messages import TextMessage
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.official_account import open_account
from o2o.wechat.router import ChatRouter
from tests.factories.bookings import Hall
from tests.fakes.clock import NOON

WORDS = Words()
URL = "https://o2o.example"


class Talk:
    """One person's chat with the hall's account; keeps its dialogue."""

    def __init__(
        self, sessions: SessionFactory, hall: Hall, *, seal: Seal, fan: Fan | None = None
    ) -> None:
        self._sessions = sessions
        self._account = open_account(hall.account, seal)
        self._fan = fan or hall.fan
        self._dialogue: LiveDialogue | None = None
        self._router = ChatRouter(WORDS)
        register(self._router, words=WORDS, public_url=URL)
        self.now = NOON

    async def say(self, text: str, *, locale: str = "zh_CN") -> str:
        """Send a message; return the answer's text."""
        [answer] = await self.say_all([text], locale=locale)
        return answer

    async def say_all(self, texts: Sequence[str], *, locale: str = "zh_CN") -> list[str]:
        """Send messages that are understood in one batch."""
        asks = [self._ask(text, locale) for text in texts]
        async with transaction(self._sessions) as tx:
            answers = await understand(tx, asks, chain_of=self._router.chain_of)
        self._keep(answers[-1])
        return [a.reply.content if isinstance(a.reply, TextReply) else "" for a in answers]

    def _ask(self, text: str, locale: str) -> Ask:
        message = TextMessage(
            to_user=self._account.original_id,
            from_user=self._fan.openid,
            created_at=0,
            msg_id=1,
            raw={},
            content=text,
        )
        named = self._router.find_command(text)
        return Ask(
            account=self._account,
            openid=self._fan.openid,
            fan_id=self._fan.id,
            member_id=self._fan.member_id,
            message=message,
            text=text,
            now=self.now,
            locale=locale,
            command=named.command if named else None,
            dialogue=self._dialogue,
        )

    def _keep(self, answer: Answer) -> None:
        change = answer.dialogue
        if isinstance(change, KeepDialogue):
            state = msgspec.to_builtins(change.state)
            self._dialogue = LiveDialogue(change.name, change.step, state)
        elif isinstance(change, EndDialogue):
            self._dialogue = None

    def forget(self) -> None:
        """Let whatever the chat keeps of the talk have expired."""
        self._dialogue = None

    def at(self, now: datetime) -> "Talk":
        """Let it be another time."""
        self.now = now
        return self
