"""The chat router: domains register what they answer, and it finds who is asked in which order.

A text (typed, or spoken and recognised) is understood in this order: the live dialogue's expected
answer, a command, a keyword rule, a menu number, the knowledge base, a person, the
account's default reply. A stage that nobody registered costs nothing. A command's words allow for
slips and politeness, see `chat.grammar`.
"""

from collections.abc import Sequence
from enum import IntEnum

from o2o.web.copy import Words
from o2o.wechat.chat.asks import AnswerMany, Ask, Effect
from o2o.wechat.chat.commands import CommandWord, CommandWords
from o2o.wechat.chat.dialogues import DialogueDefinition
from o2o.wechat.chat.standard import StandardAnswers
from o2o.wechat.chat.tellings import Tellings
from o2o.wechat.codec.messages import (
    ClickEvent,
    Event,
    InboundMessage,
    LocationSelectEvent,
    PictureEvent,
    ScanCodeEvent,
    ScanEvent,
    SubscribeEvent,
    UnknownMessage,
    UserMessage,
    ViewEvent,
    ViewMiniprogramEvent,
)

Chain = tuple[AnswerMany, ...]
LEAVE = "leave"

Place = tuple[type[InboundMessage], str | None, str | None]


class Stage(IntEnum):
    """Who may understand a text after dialogues and commands, in this order."""

    KEYWORD = 1
    MENU_NUMBER = 2
    KNOWLEDGE = 3
    PERSON = 4


class ChatRouter:
    """Who answers what. Filled at wiring time, read by every callback; one per process."""

    def __init__(self, words: Words) -> None:
        """Start with the command words, the default reply and the leave word only."""
        self.command_words = CommandWords(words)
        self.standard = StandardAnswers(words, self.command_words)
        self.tellings = Tellings()
        self.dialogues: dict[str, DialogueDefinition] = {}
        self._effects: dict[type[InboundMessage], list[Effect]] = {}
        self._commands: dict[str, AnswerMany] = {}
        self._stages: dict[Stage, list[AnswerMany]] = {stage: [] for stage in Stage}
        self._stage_chain: Chain = ()
        self._places: dict[Place, list[AnswerMany]] = {}
        self._follow: list[AnswerMany] = []
        self._scenes: list[AnswerMany] = []
        # What was put together for texts; forgotten with each registration.
        self._text_chains: dict[Place, Chain] = {}

    def command(self, name: str, answer: AnswerMany, *, is_offered: bool = True) -> None:
        """Answer a text that is one of the command's words, or a menu tap whose key is `name`.

        Offered commands are named to people whom nobody understood.
        Raises ValueError when `commands.toml` lacks the command or it is taken.
        """
        if not self.command_words.has(name):
            msg = f"commands.toml has no words for the command {name!r}"
            raise ValueError(msg)
        self._text_chains.clear()
        if self._commands.setdefault(name, answer) is not answer:
            msg = f"the command {name!r} is answered twice"
            raise ValueError(msg)
        if is_offered:
            self.standard.offer(name)

    def stage(self, stage: Stage, answer: AnswerMany) -> None:
        """Add to a stage of understanding texts; earlier registrations are asked first."""
        self._text_chains.clear()
        self._stages[stage].append(answer)
        self._stage_chain = tuple(a for s in Stage for a in self._stages[s])

    def on(
        self,
        kind: type[InboundMessage],
        answer: AnswerMany,
        *,
        key: str | None = None,
        account_slug: str | None = None,
    ) -> None:
        """Answer messages or events of a kind, optionally of one key (menu key, URL) or account.

        The most particular registration is asked first; one that gives None passes on.
        """
        self._text_chains.clear()
        self._places.setdefault((kind, key, account_slug), []).append(answer)

    def on_follow(self, answer: AnswerMany) -> None:
        """Greet whoever follows; the first answer that is not None is the greeting."""
        self._follow.append(answer)

    def on_scene(self, answer: AnswerMany) -> None:
        """Recognise the scene of a QR code, on follow (before the greeting) and on scan."""
        self._scenes.append(answer)

    def dialogue(self, definition: DialogueDefinition) -> None:
        """Add a dialogue. Raises ValueError when its name is taken."""
        if self.dialogues.setdefault(definition.name, definition) is not definition:
            msg = f"two dialogues are called {definition.name!r}"
            raise ValueError(msg)

    def effect(self, kind: type[InboundMessage], effect: Effect) -> None:
        """Take note of every message of a kind before it is answered, whoever answers it."""
        self._effects.setdefault(kind, []).append(effect)

    def effects_of(self, kind: type[InboundMessage]) -> Sequence[Effect]:
        """Return what is to happen for a kind of message."""
        return self._effects.get(kind, ())

    def find_command(self, text: str) -> CommandWord | None:
        """Return the command that a text names, if somebody answers it or it is the leave word."""
        named = self.command_words.find(text) if text else None
        if named is None or (named.command not in self._commands and named.command != LEAVE):
            return None
        return named

    def chain_of(self, ask: Ask) -> Chain:
        """Return who is to be asked, in order, until one gives an answer."""
        message = ask.message
        if ask.text:
            return self._text_chain(ask)
        chain = [*self._dialogue_chain(ask), *self._placed(ask, key_of(message))]
        if isinstance(message, SubscribeEvent):
            scenes = self._scenes if message.scene else []
            return (*chain, *scenes, *self._follow, self.standard.greet)
        if isinstance(message, ScanEvent):
            return (*chain, *self._scenes, self.standard.unknown_scene)
        if isinstance(message, ClickEvent):
            if message.key in self._commands:
                chain.append(self._commands[message.key])
            return (*chain, self.standard.default)
        if isinstance(message, UserMessage):
            return (*chain, *self._stages[Stage.PERSON], self.standard.default)
        assert isinstance(message, Event | UnknownMessage)
        return tuple(chain)

    def _text_chain(self, ask: Ask) -> Chain:
        if ask.dialogue is not None:
            return self._new_text_chain(ask)
        # Outside of dialogues there are few: as many as accounts and commands.
        place = (type(ask.message), ask.account.slug, ask.command)
        chain = self._text_chains.get(place)
        if chain is None:
            chain = self._text_chains[place] = self._new_text_chain(ask)
        return chain

    def _new_text_chain(self, ask: Ask) -> Chain:
        chain = self._dialogue_chain(ask)
        if ask.command == LEAVE:
            if ask.dialogue is not None:
                return (self.standard.leave,)
        elif ask.command is not None:
            chain.append(self._commands[ask.command])
        chain += self._placed(ask, None) if self._places else ()
        return (*chain, *self._stage_chain, self.standard.default)

    def _dialogue_chain(self, ask: Ask) -> list[AnswerMany]:
        definition = self.dialogues.get(ask.dialogue.name) if ask.dialogue else None
        if definition is None or not isinstance(ask.message, definition.accepts):
            return []
        return [definition.answer]

    def _placed(self, ask: Ask, key: str | None) -> Sequence[AnswerMany]:
        kind, slug = type(ask.message), ask.account.slug
        found: list[AnswerMany] = []
        if key is not None:
            found += self._places.get((kind, key, slug), ())
            found += self._places.get((kind, key, None), ())
        found += self._places.get((kind, None, slug), ())
        found += self._places.get((kind, None, None), ())
        return found


def key_of(message: InboundMessage) -> str | None:
    """Return what an event is about: a menu key, a scene, an address; None for the rest."""
    match message:
        case ClickEvent(key=key) | ScanCodeEvent(key=key) | PictureEvent(key=key):
            return key
        case LocationSelectEvent(key=key):
            return key
        case ScanEvent(scene=scene) | SubscribeEvent(scene=scene):
            return scene
        case ViewEvent(url=url):
            return url
        case ViewMiniprogramEvent(path=path):
            return path
        case _:
            return None
