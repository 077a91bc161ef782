"""Answer messages that are new: know the fans, take note, understand, keep dialogues."""

from collections.abc import Sequence
from uuid import UUID

from o2o.infra.database import Tx
from o2o.web.copy import DEFAULT_LANGUAGE
from o2o.wechat.actions.follow_accounts import note_writing
from o2o.wechat.actions.keep_dialogues import change_dialogues
from o2o.wechat.chat.asks import Ask, EndDialogue, Heard, KeepDialogue, LiveDialogue
from o2o.wechat.chat.understanding import understand
from o2o.wechat.codec.messages import (
    AuthorizationCancelled,
    AuthorizationRevoked,
    ClickEvent,
    ImageMessage,
    InboundMessage,
    LinkMessage,
    LocationEvent,
    LocationMessage,
    LocationSelectEvent,
    PictureEvent,
    ScanCodeEvent,
    ScanEvent,
    ShortVideoMessage,
    SubscribeChangeEvent,
    SubscribeEvent,
    SubscribePopupEvent,
    TextMessage,
    UnknownMessage,
    UnsubscribeEvent,
    UserInfoModified,
    VideoMessage,
    ViewEvent,
    ViewMiniprogramEvent,
    VoiceMessage,
)
from o2o.wechat.codec.replies import NO_REPLY, AnyReply
from o2o.wechat.inbox import Received
from o2o.wechat.queries import fans as queries
from o2o.wechat.queries.fans import FanContext, NewFan
from o2o.wechat.router import ChatRouter

Person = tuple[UUID, str]

# Kinds are compared as sets of types: every isinstance of a struct costs a tenth of a microsecond
# and more, and this is asked many times for each message.
Kinds = frozenset[type[InboundMessage]]

# Only who follows can write or tap the menu, so these tell that a person follows.
_FOLLOWERS_ONLY: Kinds = frozenset(
    {
        TextMessage,
        ImageMessage,
        VoiceMessage,
        VideoMessage,
        ShortVideoMessage,
        LocationMessage,
        LinkMessage,
        ClickEvent,
        ScanCodeEvent,
        PictureEvent,
        LocationSelectEvent,
    }
)
# Who causes one of these is a fan from now on.
_FROM_FANS: Kinds = _FOLLOWERS_ONLY | {
    UnknownMessage,
    SubscribeEvent,
    ScanEvent,
    LocationEvent,
    ViewEvent,
    ViewMiniprogramEvent,
    SubscribePopupEvent,
    SubscribeChangeEvent,
}
# These are about a person, but no reason to write a stranger down.
_ABOUT_FANS: Kinds = frozenset(
    {UnsubscribeEvent, UserInfoModified, AuthorizationRevoked, AuthorizationCancelled}
)
_CONCERN_FANS = _FROM_FANS | _ABOUT_FANS


async def answer_messages(
    tx: Tx, received: Sequence[Received], *, router: ChatRouter
) -> list[AnyReply]:
    """Return one reply per message, in order.

    Two messages of one person are answered one after the other, each seeing what the earlier one
    changed; different people are answered together.
    """
    replies: list[AnyReply] = [NO_REPLY] * len(received)
    for wave in _waves(received):
        given = await _answer_wave(tx, [received[index] for index in wave], router)
        for index, reply in zip(wave, given, strict=True):
            replies[index] = reply
    return replies


def _waves(received: Sequence[Received]) -> list[list[int]]:
    """Return indexes in rounds, so that no round holds two messages of one person."""
    waves: list[list[int]] = []
    seen: dict[Person, int] = {}
    for index, one in enumerate(received):
        turn = seen.get(one.person, 0)
        seen[one.person] = turn + 1
        if turn == len(waves):
            waves.append([])
        waves[turn].append(index)
    return waves


async def _answer_wave(tx: Tx, received: Sequence[Received], router: ChatRouter) -> list[AnyReply]:
    contexts = await _know_fans(tx, received)
    await _take_note(tx, received, contexts=contexts, router=router)
    replies: list[AnyReply] = [NO_REPLY] * len(received)
    asked = [
        (index, _ask(one, context, router))
        for index, one in enumerate(received)
        if (context := contexts.get(one.person)) is not None
    ]
    answers = await understand(tx, [ask for _, ask in asked], chain_of=router.chain_of)
    changes: dict[Person, KeepDialogue | EndDialogue] = {}
    for (index, ask), answer in zip(asked, answers, strict=True):
        replies[index] = answer.reply
        if answer.dialogue is not None:
            changes[ask.account.id, ask.openid] = answer.dialogue
    if changes:
        await change_dialogues(tx, changes, now=received[0].received_at)
    return replies


async def _know_fans(tx: Tx, received: Sequence[Received]) -> dict[Person, FanContext]:
    """Find the people behind the messages, writing down those who come for the first time."""
    people = [one.person for one in received if type(one.message) in _CONCERN_FANS]
    if not people:
        return {}
    contexts = await queries.find_contexts(tx, people)
    unknown = [
        NewFan(one.person, type(one.message) in _FOLLOWERS_ONLY)
        for one in received
        if one.person not in contexts and type(one.message) in _FROM_FANS
    ]
    if unknown:
        await queries.add_fans(tx, unknown, now=received[0].received_at)
        contexts |= await queries.find_contexts(tx, [fan.person for fan in unknown])
    await note_writing(
        tx,
        [
            context.fan_id
            for one in received
            if (context := contexts.get(one.person)) is not None
            and not context.is_following
            and context.unfollowed_at is None
            and type(one.message) in _FOLLOWERS_ONLY
        ],
    )
    return contexts


async def _take_note(
    tx: Tx,
    received: Sequence[Received],
    *,
    contexts: dict[Person, FanContext],
    router: ChatRouter,
) -> None:
    by_kind: dict[type[InboundMessage], list[Received]] = {}
    for one in received:
        if router.effects_of(type(one.message)):
            by_kind.setdefault(type(one.message), []).append(one)
    for kind, group in by_kind.items():
        heard = [
            Heard(
                account=one.account,
                openid=one.message.from_user,
                fan_id=context.fan_id if (context := contexts.get(one.person)) else None,
                message=one.message,
                now=one.received_at,
            )
            for one in group
        ]
        for effect in router.effects_of(kind):
            await effect(tx, heard)


def _ask(one: Received, context: FanContext, router: ChatRouter) -> Ask:
    text = _said(one.message)
    named = router.find_command(text)
    return Ask(
        account=one.account,
        openid=one.message.from_user,
        fan_id=context.fan_id,
        member_id=context.member_id,
        message=one.message,
        text=text,
        now=one.received_at,
        locale=named.locale if named is not None else DEFAULT_LANGUAGE,
        command=named.command if named is not None else None,
        dialogue=_live_dialogue(one, context),
    )


def _said(message: InboundMessage) -> str:
    if type(message) is TextMessage:
        return message.content
    return message.recognition if type(message) is VoiceMessage else ""


def _live_dialogue(one: Received, context: FanContext) -> LiveDialogue | None:
    expires_at = context.dialogue_expires_at
    if expires_at is None or expires_at <= one.received_at:
        return None
    assert context.dialogue_name is not None
    assert context.dialogue_step is not None
    return LiveDialogue(context.dialogue_name, context.dialogue_step, context.dialogue_state or {})
