"""Tell a party that it is called, and where to: at once, once per call."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from o2o.crm.statuses import TicketNoticeKind
from o2o.infra.database import Tx
from o2o.queueing.actions.tell_parties import News, Told, Voice, tell_parties
from o2o.queueing.queries.parties import Party

PURPOSE = "ticket_called"


async def tell_of_call(
    tx: Tx,
    voice: Voice,
    *,
    ticket_id: UUID,
    call_seq: int,
    desk: str,
    is_recall: bool,
    at: datetime,
    now: datetime,
) -> int:
    """Queue the message, unless the party was told of this call or has left."""

    def say(party: Party) -> Told:
        words = voice.words
        where = "number" if desk.isdecimal() else "name"
        place = words.text(f"queueing_notices.to.{party.kind.value}_{where}", desk=desk)
        shape = "again" if is_recall else "first"
        return Told(
            {
                "store": party.store_name,
                "number": party.code,
                "line": party.line_name,
                "at": at.astimezone(ZoneInfo(party.timezone)),
                "tip": words.text(f"queueing_notices.called.{shape}_tip", place=place),
            },
            words.text(
                f"queueing_notices.called.{shape}",
                number=party.code,
                store=party.store_name,
                place=place,
            ),
        )

    return await tell_parties(
        tx,
        voice,
        kind=TicketNoticeKind.RECALLED if is_recall else TicketNoticeKind.CALLED,
        purpose=PURPOSE,
        news=[News(ticket_id, call_seq, say)],
        now=now,
    )
