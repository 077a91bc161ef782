"""Report a card lost: its number is dead, live codes and visits end, another number is issued.

Named cards only: an unnamed one is like cash, whoever holds it has it (rules on prepaid cards).
"""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import CardStatus, OfflineCardStatus
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.idempotency import body_hash, claim_request, keep_answer
from o2o.infra.outbox import publish
from o2o.kernel.ids import BrandId, MemberId, RequestId
from o2o.membership.actions.issue_card import issue_card
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_identity import CardUnknown, UnnamedCardNotReplaced
from o2o.membership.events import CardReportedLost
from o2o.membership.moves_identity import CARD_MOVES, OFFLINE_CARD_MOVES


class ReplacedCard(msgspec.Struct, frozen=True, kw_only=True):
    """The number that is dead, and the one in its place."""

    lost_card_no: str
    card_no: str


_MEMBER = text(
    "SELECT m.id, m.brand_id, b.card_prefix, m.name IS NOT NULL AND m.phone_verified_at IS NOT NULL"
    " AS is_named FROM members m JOIN brands b ON b.id = m.brand_id"
    " WHERE m.id = :id AND m.status = 'active' FOR NO KEY UPDATE OF m"
)
_LOSE = text(
    "UPDATE cards SET status = 'lost' WHERE member_id = :id"
    " AND status = ANY(CAST(:sources AS text[])) RETURNING card_no"
)
_LOSE_OFFLINE = text(
    "UPDATE offline_cards SET status = 'lost' WHERE id = :card_id AND member_id = :id"
    " AND status = ANY(CAST(:sources AS text[])) RETURNING card_no"
)
_KILL_CODES = text(
    "UPDATE member_codes SET expires_at = :now"
    " WHERE member_id = :id AND used_at IS NULL AND expires_at > :now"
)
_CLOSE_VISITS = text(
    "UPDATE counter_visits SET closed_at = :now WHERE member_id = :id AND closed_at IS NULL"
    " AND (CAST(:spared AS uuid) IS NULL OR id <> :spared)"
)


async def report_loss(
    tx: Tx,
    *,
    request_id: RequestId,
    member_id: UUID,
    by: Actor,
    now: datetime,
    spared_visit_id: UUID | None = None,
) -> ReplacedCard:
    """Replace a member's card. Sent again, it is answered and nothing more is lost.

    A clerk reports from within a visit, which may go on: `spared_visit_id`. Raises MemberNotFound,
    UnnamedCardNotReplaced, RequestBodyDiffers. Publishes card.reported_lost.
    """
    asked = body_hash("card.report_loss", member_id)
    earlier = await claim_request(
        tx, request_id=request_id, operation="card.report_loss", asked=asked, now=now
    )
    if earlier is not None:
        return msgspec.convert(earlier, ReplacedCard)
    member = (await tx.execute(_MEMBER, {"id": member_id})).first()
    if member is None:
        raise MemberNotFound(member_id=member_id)
    if not member.is_named:
        raise UnnamedCardNotReplaced
    values = {"id": member_id, "now": now, "spared": spared_visit_id}
    sources = sorted(CARD_MOVES.sources_of(CardStatus.LOST))
    lost = (await tx.execute(_LOSE, {"id": member_id, "sources": sources})).scalar_one()
    card_no = await issue_card(
        tx,
        brand_id=BrandId(member.brand_id),
        member_id=MemberId(member_id),
        card_prefix=member.card_prefix,
        now=now,
    )
    await tx.execute(_KILL_CODES, values)
    await tx.execute(_CLOSE_VISITS, values)
    event = CardReportedLost(
        member_id=MemberId(member_id), brand_id=BrandId(member.brand_id), card_no=lost, at=now
    )
    await publish(tx, event, now=now)
    await note(
        tx,
        actor=by,
        action=event.name,
        at=now,
        subject=("member", member_id),
        lost_card_no=lost,
        card_no=card_no,
    )
    replaced = ReplacedCard(lost_card_no=lost, card_no=card_no)
    await keep_answer(tx, request_id=request_id, answer=msgspec.to_builtins(replaced))
    return replaced


async def report_offline_card_lost(
    tx: Tx, *, member_id: UUID, card_id: UUID, by: Actor, now: datetime
) -> None:
    """Let nobody bind or show a bought card any more; what it held is on the member's card.

    Again changes nothing. Raises MemberNotFound, UnnamedCardNotReplaced, CardUnknown.
    """
    member = (await tx.execute(_MEMBER, {"id": member_id})).first()
    if member is None:
        raise MemberNotFound(member_id=member_id)
    if not member.is_named:
        raise UnnamedCardNotReplaced
    values = {"id": member_id, "card_id": card_id}
    sources = sorted(OFFLINE_CARD_MOVES.sources_of(OfflineCardStatus.LOST))
    row = (await tx.execute(_LOSE_OFFLINE, values | {"sources": sources})).first()
    if row is None:
        if not await tx.scalar(
            text("SELECT 1 FROM offline_cards WHERE id = :card_id AND member_id = :id"), values
        ):
            raise CardUnknown
        return
    await note(
        tx,
        actor=by,
        action=CardReportedLost.name,
        at=now,
        subject=("member", member_id),
        lost_card_no=row.card_no,
    )
