"""Tell a party that it is called, and where to: at once, once per call."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from o2o.crm.statuses import TicketNoticeKind
from o2o.infra.database import Tx
from o2o.queueing.actions.tell_parties import News, Told, Voice, tell_parties
from o2o.queueing.queries.parties import Party, list_told_calls

PURPOSE = "ticket_called"


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """A call that its party is to hear of."""

    ticket_id: UUID
    call_seq: int
    desk: str
    is_recall: bool
    at: datetime


async def tell_of_untold_calls(
    tx: Tx, voice: Voice, calls: Sequence[Called], *, now: datetime
) -> int:
    """As `tell_of_calls`, for calls of which most were told when they were made."""
    told = await list_told_calls(tx, [(call.ticket_id, call.call_seq) for call in calls])
    untold = [call for call in calls if (call.ticket_id, call.call_seq) not in told]
    return await tell_of_calls(tx, voice, untold, now=now)


async def tell_of_calls(
    tx: Tx,
    voice: Voice,
    calls: Sequence[Called],
    *,
    now: datetime,
    parties: Mapping[UUID, Party] | None = None,
) -> int:
    """Queue the messages, unless a party was told of its call or has left; return how many.

    `parties` are those of the calls, where they were read in this transaction already.
    """
    told = 0
    for kind in (TicketNoticeKind.CALLED, TicketNoticeKind.RECALLED):
        news = [
            News(call.ticket_id, call.call_seq, partial(_say, voice=voice, call=call))
            for call in calls
            if call.is_recall is (kind is TicketNoticeKind.RECALLED)
        ]
        if news:
            told += await tell_parties(
                tx, voice, kind=kind, purpose=PURPOSE, news=news, now=now, parties=parties
            )
    return told


def _say(party: Party, *, voice: Voice, call: Called) -> Told:
    words = voice.words
    where = "number" if call.desk.isdecimal() else "name"
    place = words.text(f"queueing_notices.to.{party.kind.value}_{where}", desk=call.desk)
    shape = "again" if call.is_recall else "first"
    return Told(
        {
            "store": party.store_name,
            "number": party.code,
            "line": party.line_name,
            "at": call.at.astimezone(ZoneInfo(party.timezone)),
            "tip": words.text(f"queueing_notices.called.{shape}_tip", place=place),
        },
        words.text(
            f"queueing_notices.called.{shape}",
            number=party.code,
            store=party.store_name,
            place=place,
        ),
    )
