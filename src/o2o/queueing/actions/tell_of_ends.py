"""Tell a party that the store ended its number, and why where somebody said so."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from o2o.crm.statuses import TicketNoticeKind
from o2o.infra.database import Tx
from o2o.queueing.actions.tell_parties import News, Told, Voice, tell_parties
from o2o.queueing.queries.parties import Party

PURPOSE = "ticket_cancelled"


async def tell_of_cancellation(
    tx: Tx, voice: Voice, *, ticket_id: UUID, at: datetime, now: datetime
) -> int:
    """Queue the message, unless the party was told."""

    def say(party: Party) -> Told:
        words = voice.words
        reason = party.reason or words.text("queueing_notices.cancelled.no_reason")
        return Told(
            {
                "store": party.store_name,
                "number": party.code,
                "reason": reason,
                "at": at.astimezone(ZoneInfo(party.timezone)),
            },
            words.text(
                "queueing_notices.cancelled.text",
                number=party.code,
                store=party.store_name,
                reason=reason,
            ),
        )

    return await tell_parties(
        tx,
        voice,
        kind=TicketNoticeKind.CANCELLED_BY_STORE,
        purpose=PURPOSE,
        news=[News(ticket_id, 0, say)],
        now=now,
    )
