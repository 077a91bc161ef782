"""Tell parties facts about their tickets: each fact once, by a template or what stands in for it.

The notice is written with the message; a fact that has one is not told again, whoever asks.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import TicketNoticeKind
from o2o.infra.database import Tx
from o2o.infra.direct import write_rows
from o2o.queueing.queries.parties import Party, list_parties, list_ticket_statuses
from o2o.queueing.rules.notices import is_news, message_id
from o2o.web.copy import Words
from o2o.wechat.actions.queue_messages import queue_messages, template_message
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.templates import Value

# The name under which the messenger asks `are_notices_true` before it sends.
CHECK = "ticket_notice"

_NOTE = text(
    "INSERT INTO ticket_notices (ticket_id, kind, call_seq, client_msg_id, at)"
    " SELECT ticket_id, :kind, call_seq, client_msg_id, :now"
    " FROM unnest(CAST(:ticket_ids AS uuid[]), CAST(:call_seqs AS bigint[]),"
    " CAST(:client_msg_ids AS text[])) AS n(ticket_id, call_seq, client_msg_id)"
    " ORDER BY ticket_id, call_seq ON CONFLICT DO NOTHING RETURNING ticket_id, call_seq"
)


# Somebody stands at the desk and waits for the party.
_URGENT = frozenset({TicketNoticeKind.CALLED, TicketNoticeKind.RECALLED})


class Told(msgspec.Struct, frozen=True):
    """What a message says: the template's values, and the same in a sentence."""

    values: dict[str, Value]
    sentence: str


class News(msgspec.Struct, frozen=True):
    """A fact to tell about a ticket; `call_seq` is 0 where it is no call."""

    ticket_id: UUID
    call_seq: int
    # Puts the fact into words for whom it concerns.
    say: Callable[[Party], Told]


class Voice(msgspec.Struct, frozen=True):
    """What every telling needs: the copy, and where our pages are."""

    words: Words
    public_url: str

    def page(self, party: Party) -> str:
        """Return the path of the ticket's page."""
        return f"/h5/{party.account_slug}/tickets/{party.ticket_id}"


async def tell_parties(
    tx: Tx,
    voice: Voice,
    *,
    kind: TicketNoticeKind,
    purpose: str,
    news: Sequence[News],
    now: datetime,
    parties: Mapping[UUID, Party] | None = None,
) -> int:
    """Queue the messages of facts that are true and were not told; return how many are new.

    `parties` are those of the news, where they were read in this transaction already.
    """
    if parties is None:
        parties = await list_parties(tx, {one.ticket_id for one in news})
    wanted = {
        (one.ticket_id, one.call_seq): one
        for one in news
        if one.ticket_id in parties and is_news(kind, parties[one.ticket_id].status)
    }
    if not wanted:
        return 0
    rows = await write_rows(
        tx,
        _NOTE,
        {
            "kind": kind.value,
            "now": now,
            "ticket_ids": [ticket_id for ticket_id, _ in wanted],
            "call_seqs": [seq for _, seq in wanted],
            "client_msg_ids": [message_id(ticket_id, kind, seq) for ticket_id, seq in wanted],
        },
    )
    messages = []
    for ticket_id, call_seq in rows:
        party = parties[ticket_id]
        told = wanted[ticket_id, call_seq].say(party)
        page = voice.page(party)
        messages.append(
            template_message(
                account_id=party.account_id,
                openid=party.openid,
                purpose=purpose,
                values=told.values,
                url=page,
                client_msg_id=message_id(ticket_id, kind, call_seq),
                about={"check": CHECK, "ticket_id": str(ticket_id), "kind": kind.value},
                otherwise=TextReply(f"{told.sentence}\n{voice.public_url}{page}"),
                # News that this makes untrue is dropped when its turn comes to be sent.
                is_urgent=kind in _URGENT,
            )
        )
    return len(await queue_messages(tx, messages, now=now))


async def are_notices_true(tx: Tx, abouts: Sequence[dict[str, Any]], _: datetime) -> Sequence[bool]:
    """Tell of each of these notices that wait to be sent whether it is true of its ticket still."""
    ids = [UUID(about["ticket_id"]) for about in abouts]
    statuses = await list_ticket_statuses(tx, ids)
    return [
        ticket_id in statuses and is_news(TicketNoticeKind(about["kind"]), statuses[ticket_id])
        for ticket_id, about in zip(ids, abouts, strict=True)
    ]
