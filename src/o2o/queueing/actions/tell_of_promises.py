"""Tell a party that it waits longer than it was promised, with the store's own apology."""

from datetime import datetime
from uuid import UUID

from o2o.crm.statuses import TicketNoticeKind
from o2o.infra.database import Tx
from o2o.queueing.actions.tell_parties import News, Told, Voice, tell_parties
from o2o.queueing.queries.parties import Party

PURPOSE = "wait_promise_missed"
SECONDS_PER_MINUTE = 60


async def tell_of_missed_promise(
    tx: Tx,
    voice: Voice,
    *,
    ticket_id: UUID,
    apology_text: str | None,
    waited_seconds: int,
    now: datetime,
) -> int:
    """Queue the message, unless the party was told or has left."""

    def say(party: Party) -> Told:
        words = voice.words
        minutes = max(1, waited_seconds // SECONDS_PER_MINUTE)
        apology = apology_text or words.text("queueing_notices.promise.apology")
        return Told(
            {
                "store": party.store_name,
                "number": party.code,
                "waited": words.text("queueing_notices.promise.waited", minutes=minutes),
                "tip": apology,
            },
            words.text(
                "queueing_notices.promise.text",
                number=party.code,
                store=party.store_name,
                minutes=minutes,
                apology=apology,
            ),
        )

    return await tell_parties(
        tx,
        voice,
        kind=TicketNoticeKind.PROMISE_MISSED,
        purpose=PURPOSE,
        news=[News(ticket_id, 0, say)],
        now=now,
    )
