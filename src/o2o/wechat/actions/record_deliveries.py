"""Record what became of messages: taken or refused by WeChat, delivered or blocked in the end."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import DeliveryChannel
from o2o.crm.statuses import DeliveryStatus as S
from o2o.infra.database import Tx
from o2o.infra.direct import write_rows
from o2o.infra.outbox import send
from o2o.wechat.actions.queue_messages import sending_errand
from o2o.wechat.chat.asks import Heard
from o2o.wechat.codec.messages import TemplateSendFinished, parse_message
from o2o.wechat.moves import DELIVERY_MOVES
from o2o.wechat.queries import deliveries as queries
from o2o.wechat.queries.deliveries import QueuedDelivery
from o2o.wechat.queries.windows import is_window_open

ERROR_CHARS_MAX = 500
# WeChat's "failed: system failed", see TemplateSendFinished.
SYSTEM_FAILED = "system_failed"

# In one order for everybody: results of WeChat lock rows of deliveries, too.
_ACCEPT = text(
    "WITH a AS MATERIALIZED (SELECT d.id, n.msgid FROM deliveries d"
    " JOIN unnest(CAST(:ids AS uuid[]), CAST(:msgids AS text[])) AS n(id, msgid) USING (id)"
    " WHERE d.status = ANY(CAST(:sources AS text[])) ORDER BY d.id FOR UPDATE OF d)"
    " UPDATE deliveries d SET status = 'accepted', msgid = a.msgid, accepted_at = :now"
    " FROM a WHERE d.id = a.id"
)
_REFUSE = text(
    "UPDATE deliveries SET status = 'refused', errcode = :errcode, error = :error,"
    " result_at = :now WHERE id = :id AND status = ANY(CAST(:sources AS text[]))"
)
_WITHDRAW = text(
    "WITH w AS MATERIALIZED (SELECT id FROM deliveries WHERE id = ANY(CAST(:ids AS uuid[]))"
    " AND status = ANY(CAST(:sources AS text[])) ORDER BY id FOR UPDATE)"
    " UPDATE deliveries d SET status = 'withdrawn', result_at = :now FROM w WHERE d.id = w.id"
)
# The row stays the message: it goes through the one channel that the row names, so never both.
_REROUTE = text(
    "UPDATE deliveries SET channel = 'custom', content = otherwise, otherwise = NULL,"
    " errcode = :errcode, error = :error"
    " WHERE id = :id AND status = 'queued' AND channel = 'template' AND otherwise IS NOT NULL"
    " RETURNING id"
)
# Taken and then lost by WeChat's own word, so nobody has seen it.
_LOST = text(
    "SELECT d.id, d.account_id, d.openid, d.msgid FROM deliveries d"
    " JOIN unnest(CAST(:account_ids AS uuid[]), CAST(:msgids AS text[])) AS f(account_id, msgid)"
    " USING (account_id, msgid) WHERE d.channel = 'template' AND d.status = 'accepted'"
    " AND d.otherwise IS NOT NULL ORDER BY d.id FOR UPDATE OF d"
)
_REQUEUE = text(
    "UPDATE deliveries SET status = 'queued', channel = 'custom', content = otherwise,"
    " otherwise = NULL, msgid = NULL, accepted_at = NULL, error = :error WHERE id = :id"
)
_KEEP_TO_TEMPLATE = text(
    "UPDATE deliveries SET otherwise = NULL WHERE id = :id AND otherwise IS NOT NULL"
)
_FINISH = text(
    "UPDATE deliveries d SET status = f.status, error = f.error, result_at = :now"
    " FROM unnest(CAST(:account_ids AS uuid[]), CAST(:msgids AS text[]),"
    " CAST(:statuses AS text[]), CAST(:errors AS text[]))"
    " AS f(account_id, msgid, status, error)"
    " WHERE d.account_id = f.account_id AND d.msgid = f.msgid AND d.channel = 'template'"
    " AND d.status = ANY(CAST(:sources AS text[]))"
)
# Whoever sends holds these rows while it writes the message's id down: wait, then look for the id.
_LOCK_QUEUED = text(
    "SELECT d.id FROM deliveries d JOIN unnest(CAST(:account_ids AS uuid[]),"
    " CAST(:openids AS text[])) AS p(account_id, openid) USING (account_id, openid)"
    " WHERE d.status = 'queued' AND d.channel = 'template' ORDER BY d.id FOR UPDATE OF d"
)


async def record_acceptances(
    tx: Tx, accepted: Sequence[tuple[QueuedDelivery, str | None]], *, now: datetime
) -> None:
    """WeChat took these messages, under these msgids. Apply the results that came before this."""
    sources = [source.value for source in DELIVERY_MOVES.sources_of(S.ACCEPTED)]
    await write_rows(
        tx,
        _ACCEPT,
        {
            "ids": [delivery.id for delivery, _ in accepted],
            "msgids": [msgid for _, msgid in accepted],
            "now": now,
            "sources": sources,
        },
    )
    named = [(d.account_id, d.openid, msgid) for d, msgid in accepted if msgid is not None]
    statuses = await queries.find_finish_statuses(tx, named) if named else {}
    finished = []
    for account_id, openid, msgid in named:
        status = statuses.get((account_id, msgid))
        if status is None:
            continue
        message = parse_message(
            {
                "ToUserName": "",
                "FromUserName": openid,
                "MsgType": "event",
                "Event": "TEMPLATESENDJOBFINISH",
                "MsgID": msgid,
                "Status": status,
            }
        )
        assert isinstance(message, TemplateSendFinished)
        finished.append((account_id, message))
    if finished:
        await _finish(tx, finished, now=now)


async def record_refusal(
    tx: Tx, delivery_id: UUID, *, errcode: int | None, error: str, now: datetime
) -> None:
    """WeChat will not take the message, or we know that it cannot: no further attempt."""
    await tx.execute(
        _REFUSE,
        {
            "id": delivery_id,
            "errcode": errcode,
            "error": error[:ERROR_CHARS_MAX],
            "now": now,
            "sources": [source.value for source in DELIVERY_MOVES.sources_of(S.REFUSED)],
        },
    )


async def record_withdrawals(tx: Tx, delivery_ids: Sequence[UUID], *, now: datetime) -> None:
    """What the messages tell is over: they are not sent any more."""
    sources = [source.value for source in DELIVERY_MOVES.sources_of(S.WITHDRAWN)]
    await write_rows(tx, _WITHDRAW, {"ids": list(delivery_ids), "now": now, "sources": sources})


async def send_otherwise(
    tx: Tx, delivery: QueuedDelivery, *, errcode: int | None, error: str, now: datetime
) -> bool:
    """Let a message go as a customer-service message, for good, because no template will do.

    False where it has no such form, or WeChat would not take one now.
    """
    if delivery.otherwise is None or not await is_window_open(
        tx, account_id=delivery.account_id, openid=delivery.openid, now=now
    ):
        return False
    values = {"id": delivery.id, "errcode": errcode, "error": error[:ERROR_CHARS_MAX]}
    if (await tx.execute(_REROUTE, values)).first() is None:
        return False
    errand = sending_errand(
        delivery.id,
        DeliveryChannel.CUSTOM,
        account_id=delivery.account_id,
        openid=delivery.openid,
    )
    await send(tx, [errand], now=now)
    return True


async def keep_to_template(tx: Tx, delivery_id: UUID) -> None:
    """WeChat may have taken the template and not said so: nothing else may go in its place."""
    await tx.execute(_KEEP_TO_TEMPLATE, {"id": delivery_id})


async def note_finished_templates(tx: Tx, heard: Sequence[Heard]) -> None:
    """Take note of TEMPLATESENDJOBFINISH: delivered, or blocked by the person or WeChat."""
    await tx.execute(
        _LOCK_QUEUED,
        {
            "account_ids": [one.account.id for one in heard],
            "openids": [one.openid for one in heard],
        },
    )
    finished = [
        (one.account.id, one.message)
        for one in heard
        if isinstance(one.message, TemplateSendFinished)
    ]
    await _finish(tx, finished, now=heard[0].now)


async def _finish(
    tx: Tx, finished: Sequence[tuple[UUID, TemplateSendFinished]], *, now: datetime
) -> None:
    sources = DELIVERY_MOVES.sources_of(S.DELIVERED) & DELIVERY_MOVES.sources_of(S.REFUSED)
    sent_otherwise = await _send_failed_otherwise(tx, finished, now=now)
    rest = [one for one in finished if (one[0], one[1].sent_msg_id) not in sent_otherwise]
    await tx.execute(
        _FINISH,
        {
            "account_ids": [account_id for account_id, _ in rest],
            "msgids": [str(message.sent_msg_id) for _, message in rest],
            "statuses": [
                (S.DELIVERED if message.succeeded else S.REFUSED).value for _, message in rest
            ],
            "errors": [message.reason or None for _, message in rest],
            "now": now,
            "sources": [source.value for source in sources],
        },
    )


async def _send_failed_otherwise(
    tx: Tx, finished: Sequence[tuple[UUID, TemplateSendFinished]], *, now: datetime
) -> set[tuple[UUID, int | None]]:
    """Let what WeChat lost after taking it go in its other form; return those, by msgid.

    Whoever has blocked our messages is left in peace.
    """
    lost = [one for one in finished if one[1].reason == SYSTEM_FAILED]
    if not lost:
        return set()
    rows = await tx.execute(
        _LOST,
        {
            "account_ids": [account_id for account_id, _ in lost],
            "msgids": [str(message.sent_msg_id) for _, message in lost],
        },
    )
    gone: set[tuple[UUID, int | None]] = set()
    for row in rows.all():
        if not await is_window_open(tx, account_id=row.account_id, openid=row.openid, now=now):
            continue
        await tx.execute(_REQUEUE, {"id": row.id, "error": SYSTEM_FAILED})
        errand = sending_errand(
            row.id, DeliveryChannel.CUSTOM, account_id=row.account_id, openid=row.openid
        )
        await send(tx, [errand], now=now)
        gone.add((row.account_id, int(row.msgid)))
    return gone
