"""Receive messages: keep each once, take note of it, answer it; a batch in one transaction."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from o2o.crm.statuses import AnsweredVia
from o2o.infra.database import Tx
from o2o.infra.logging import get_logger
from o2o.infra.metrics import CALLBACKS
from o2o.kernel.errors import Fact
from o2o.wechat.actions.answer_messages import answer_messages
from o2o.wechat.actions.erase_profiles import ERASABLE_TAGS
from o2o.wechat.actions.queue_messages import OutgoingMessage, custom_message, queue_messages
from o2o.wechat.codec.replies import NO_REPLY, AnyReply, NoReply, reply_from_json, reply_to_json
from o2o.wechat.errors import MessageReplayed
from o2o.wechat.inbox import Kept, Received
from o2o.wechat.queries import inbox as queries
from o2o.wechat.queries.inbox import KeptRow, ReplyRow, kept_fields
from o2o.wechat.router import ChatRouter

log = get_logger(__name__)

Place = tuple[UUID, bytes]
# Tells answers that the spool sends from other messages with an id of their own.
LATER_PREFIX = "in"


class KeptBefore(Exception):
    """Some message of a batch was in the inbox already: nothing of the batch may stay."""


async def receive_new_messages(
    tx: Tx, received: Sequence[Received], *, router: ChatRouter
) -> list[Kept | Fact]:
    """As `receive_messages`, for messages that nobody sent before, at half the writing.

    Act first, then insert each with its reply, in one statement. Raises KeptBefore, and then the
    transaction has to be undone: the unique keys said that somebody acted on one of them already.
    """
    firsts = _firsts(received)
    fresh = list(firsts.values())
    replies = await _answer(tx, fresh, router)
    encode = _ReplyEncoder()
    answered = [(one, encode(reply)) for one, reply in zip(fresh, replies, strict=True)]
    if not await queries.keep_answered(tx, answered):
        raise KeptBefore
    given = dict(zip(firsts, replies, strict=True))
    return [_result(one, firsts.get(one.place), replies=given, known={}) for one in received]


async def receive_messages(
    tx: Tx, received: Sequence[Received], *, router: ChatRouter
) -> list[Kept | Fact]:
    """Return for each message what it is answered, or MessageReplayed.

    A message that was kept before gets the reply it got then; with another body under the same
    MsgId the first stands and nothing is answered. Insert first, then act: whoever comes second
    waits on the unique key and finds the reply.
    """
    firsts = _firsts(received)
    ids = await queries.keep_messages(tx, list(firsts.values()))
    fresh = [one for place, one in firsts.items() if place in ids]
    known = await queries.find_kept(tx, [place for place in firsts if place not in ids])

    replies = dict(zip((one.place for one in fresh), await _answer(tx, fresh, router), strict=True))
    await _store_replies(tx, [(ids[place], reply) for place, reply in replies.items()])
    await _answer_later(tx, firsts, replies=replies, known=known)
    return [_result(one, firsts.get(one.place), replies=replies, known=known) for one in received]


def _firsts(received: Sequence[Received]) -> dict[Place, Received]:
    """Return the first of each message; a nonce belongs to the message that came with it first.

    The database tells replays of earlier batches; inside one it would let either message win.
    """
    firsts: dict[Place, Received] = {}
    owners: dict[tuple[UUID, str, str], Place] = {}
    for one in received:
        owner = owners.setdefault((one.account.id, one.signed_at, one.nonce), one.place)
        if owner == one.place:
            firsts.setdefault(one.place, one)
    return firsts


async def _answer(tx: Tx, fresh: Sequence[Received], router: ChatRouter) -> list[AnyReply]:
    if not fresh:
        return []
    if all(one.is_answered for one in fresh):
        return await answer_messages(tx, fresh, router=router)
    # Broken answers come one at a time: the batch was split to find the one that broke.
    return [router.standard.failed(account_name=one.account.name, locale="zh_CN") for one in fresh]


class _ReplyEncoder:
    """Encodes replies of one batch; many get the very same (the default, the apology)."""

    def __init__(self) -> None:
        self._encoded: dict[int, msgspec.Raw] = {}

    def __call__(self, reply: AnyReply) -> msgspec.Raw | None:
        if type(reply) is NoReply:
            return None
        if id(reply) not in self._encoded:
            self._encoded[id(reply)] = msgspec.Raw(reply_to_json(reply))
        return self._encoded[id(reply)]


async def _store_replies(tx: Tx, replies: Sequence[tuple[int, AnyReply]]) -> None:
    encode = _ReplyEncoder()
    encoded = ((message_id, encode(reply)) for message_id, reply in replies)
    await queries.store_replies(
        tx, [ReplyRow(message_id, reply) for message_id, reply in encoded if reply is not None]
    )


async def _answer_later(
    tx: Tx,
    firsts: dict[Place, Received],
    *,
    replies: dict[Place, AnyReply],
    known: dict[Place, KeptRow],
) -> None:
    """Send the replies of spooled messages as customer-service messages, each once."""
    spooled = [one for one in firsts.values() if one.via is AnsweredVia.CUSTOM]
    if not spooled:
        return
    claimed = await queries.claim_later_answers(
        tx, [known[one.place].id for one in spooled if one.place in known]
    )
    outgoing: list[OutgoingMessage] = []
    for one in spooled:
        reply = replies.get(one.place)
        if reply is None and one.place in known and known[one.place].id in claimed:
            reply = _stored_reply(known[one.place])
        if reply is None:
            continue
        message = custom_message(
            account_id=one.account.id,
            openid=one.message.from_user,
            reply=reply,
            client_msg_id=f"{LATER_PREFIX}{one.place[1].hex()[:30]}",
        )
        if message is not None:
            outgoing.append(message)
    await queue_messages(tx, outgoing, now=spooled[0].received_at)


def _result(
    one: Received,
    first: Received | None,
    *,
    replies: dict[Place, AnyReply],
    known: dict[Place, KeptRow],
) -> Kept | Fact:
    place = one.place
    if place in replies:
        if first is not None and one is not first and _is_other(one, kept_fields(first)):
            return _conflict(one)
        return Kept(replies[place], is_new=one is first)
    if place not in known:
        return MessageReplayed(account=one.account.slug)
    if _is_other(one, known[place].fields):
        return _conflict(one)
    return Kept(_stored_reply(known[place]), is_new=False)


def _is_other(one: Received, kept: dict[str, Any]) -> bool:
    """Whether a message has another content than the one that was kept under its MsgId.

    Events are known by their content itself. What an erasure took out since is no difference.
    """
    if one.message.msg_id is None:
        return False
    fields = kept_fields(one)
    return any(fields.get(tag) != value for tag, value in kept.items()) or not (
        fields.keys() - kept.keys() <= ERASABLE_TAGS
    )


def _conflict(one: Received) -> Kept:
    """The same MsgId with another content: the first one counts, and somebody should look."""
    log.warning("wechat.msgid_conflict", account=one.account.slug, msg_id=one.message.msg_id)
    CALLBACKS.labels(one.account.slug, "wechat.msgid_conflict").inc()
    return Kept(NO_REPLY, is_new=False)


def _stored_reply(row: KeptRow) -> AnyReply:
    return NO_REPLY if row.reply is None else reply_from_json(msgspec.json.encode(row.reply))
