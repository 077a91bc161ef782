"""Tell parties that it is almost their turn: once in a ticket's life."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from o2o.crm.statuses import TicketNoticeKind
from o2o.infra.database import Tx
from o2o.infra.direct import write_rows
from o2o.queueing.actions.tell_parties import News, Told, Voice, tell_parties
from o2o.queueing.queries.lines import LineKey, LineState, list_lines
from o2o.queueing.queries.parties import Party, list_parties
from o2o.queueing.rules.notices import due, told_range

PURPOSE = "ticket_soon"

# In one order for everybody. Whoever is called meanwhile waits no longer and is left out.
_TAKE_NOTE = text(
    "WITH locked AS (SELECT id FROM tickets WHERE id = ANY(CAST(:ticket_ids AS uuid[]))"
    " AND status = 'waiting' AND told_soon_at IS NULL ORDER BY id FOR NO KEY UPDATE)"
    " UPDATE tickets t SET told_soon_at = :now FROM locked WHERE t.id = locked.id RETURNING t.id"
)


async def tell_almost_there(
    tx: Tx,
    voice: Voice,
    *,
    keys: Collection[LineKey],
    now: datetime,
) -> int:
    """Tell whoever of these lines has few ahead or a short wait, by the stores' settings."""
    lines = await list_lines(tx, keys, now=now)
    ahead: dict[UUID, int] = {}
    by_ticket: dict[UUID, LineState] = {}
    for line in lines.values():
        for ticket_id, parties_ahead in _due(line):
            ahead[ticket_id] = parties_ahead
            by_ticket[ticket_id] = line
    if not ahead:
        return 0
    # Whoever cannot be reached yet may follow the account in a minute: only the others are noted.
    parties = await list_parties(tx, ahead)
    rows = await write_rows(tx, _TAKE_NOTE, {"ticket_ids": list(parties), "now": now})
    news = [
        News(row.id, 0, partial(_say, voice=voice, ahead=ahead[row.id], line=by_ticket[row.id]))
        for row in rows
    ]
    return await tell_parties(
        tx,
        voice,
        kind=TicketNoticeKind.SOON,
        purpose=PURPOSE,
        news=news,
        parties=parties,
        now=now,
    )


def _due(line: LineState) -> Sequence[tuple[UUID, int]]:
    return due(
        line.order,
        model=line.model,
        notice_parties=line.notice_parties,
        notice_minutes=line.notice_minutes,
        at_machine=line.at_machine,
    )


def _say(party: Party, *, voice: Voice, ahead: int, line: LineState) -> Told:
    low, high = told_range(line.model.estimate(ahead))
    words = voice.words
    wait = words.text(
        f"queueing_notices.soon.{'range' if low else 'within'}_wait", low=low, high=high
    )
    shape = "next" if ahead == 0 else "ahead"
    return Told(
        {
            "store": party.store_name,
            "number": party.code,
            "ahead": ahead,
            "wait": wait if ahead else words.text("queueing_notices.soon.next_wait"),
            "at": party.taken_at.astimezone(ZoneInfo(party.timezone)),
        },
        words.text(
            f"queueing_notices.soon.{party.kind.value}_{shape}",
            number=party.code,
            store=party.store_name,
            ahead=ahead,
            wait=wait,
        ),
    )
