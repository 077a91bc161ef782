"""Dialogues: multi-step exchanges by chat, each defined once and found by name."""

import msgspec

from o2o.wechat.chat.asks import AnswerMany
from o2o.wechat.codec.messages import InboundMessage, TextMessage, VoiceMessage


class DialogueDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A dialogue by name. `answer` sees `ask.dialogue`; None means: not what I waited for.

    Then the message is understood as if there were no dialogue, and the dialogue waits on.
    """

    name: str
    answer: AnswerMany
    # Which kinds of message can be an expected answer.
    accepts: tuple[type[InboundMessage], ...] = (TextMessage, VoiceMessage)
