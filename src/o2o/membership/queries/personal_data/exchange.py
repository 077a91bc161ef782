"""Tables of what was exchanged with somebody: messages, deliveries, what waits, files."""

from o2o.membership.queries.personal_data.knowledge import (
    ERASED,
    OF_MEMBER,
    OF_OPENID,
    Fate,
    Knowledge,
)

_ON_THE_WAY = "on its way for a moment; what it becomes is told by other tables"


def _holds_mark(column: str) -> str:
    """Find rows in whose text something stands that names this person and nobody else.

    A name names others too: it counts only where the member's own number stands beside it.
    """
    named = "EXISTS (SELECT 1 FROM unnest(CAST({values} AS text[])) AS m WHERE strpos({at}, m) > 0)"
    mark, number, name = (
        named.format(values=values, at=column) for values in (":marks", ":member_texts", ":names")
    )
    return f"({mark} OR ({number} AND {name}))"


EXCHANGE: tuple[Knowledge, ...] = (
    Knowledge(
        table="dialogues",
        whose=OF_OPENID,
        fate=Fate.DELETE,
        given="t.name, t.step, t.state, t.expires_at",
        order="t.expires_at",
    ),
    Knowledge(
        table="inbound_messages",
        whose=OF_OPENID,
        fate=Fate.DELETE,
        given="t.received_at, t.kind, t.event, coalesce(t.sent, CAST(t.fields AS json)) AS fields,"
        " coalesce(t.answer, CAST(t.reply AS json)) AS reply",
        order="t.id",
    ),
    Knowledge(
        table="deliveries",
        whose=OF_OPENID,
        fate=Fate.DELETE,
        given="t.created_at, t.channel, t.purpose, t.content, t.status",
        order="t.created_at",
    ),
    Knowledge(
        table="outbox_messages",
        whose=_holds_mark("concat_ws(' ', t.payload::text, t.ordering_key, t.last_error)"),
        fate=Fate.DELETE,
        untold=_ON_THE_WAY,
    ),
    Knowledge(
        table="idempotent_requests",
        whose=_holds_mark("t.answer::text"),
        fate=Fate.SCRUB,
        scrub="answer = '{}'::jsonb",
        why="so that a request that is sent again still does nothing twice",
        untold=_ON_THE_WAY,
    ),
    Knowledge(
        table="audit_entries",
        whose=("t.object_kind = 'member' AND t.object_id = ANY(CAST(:member_texts AS text[]))"),
        fate=Fate.KEEP,
        why="append only; it knows numbers and masked texts, never a name or a phone",
        given="t.at, t.action, t.detail",
        order="t.seq",
    ),
    Knowledge(
        table="data_exports",
        whose=OF_MEMBER,
        fate=Fate.DELETE,
        given="t.requested_at, t.ready_at, t.status",
        order="t.requested_at",
    ),
    Knowledge(
        table="import_card_rows",
        whose=(
            "(t.phone = ANY(CAST(:phones AS text[]))"
            " OR t.card_no = ANY(CAST(:card_numbers AS text[])))"
        ),
        fate=Fate.SCRUB,
        scrub="name = NULL, phone = NULL, fault_detail = NULL",
        why="the totals that two people agreed on; the rows are deleted with their file",
        given="t.card_no, t.name, t.phone, t.principal_fen, t.bonus_fen, t.points",
        order="t.import_id, t.line",
    ),
    Knowledge(
        table="import_purchase_rows",
        whose=(
            f"({OF_MEMBER} OR t.phone = ANY(CAST(:phones AS text[]))"
            " OR t.card_no = ANY(CAST(:card_numbers AS text[])))"
        ),
        fate=Fate.SCRUB,
        scrub="phone = NULL, member_id = NULL, fault_detail = NULL",
        why="the totals of the file; the rows are deleted with it",
        untold="the same bills are told by purchases",
    ),
    Knowledge(
        table="import_faults",
        whose=_holds_mark("concat_ws(' ', t.value, t.detail)"),
        fate=Fate.SCRUB,
        scrub=f"value = '{ERASED}', detail = ''",
        why="which rows of a file could not be read",
        untold="cells nobody could read",
    ),
)
