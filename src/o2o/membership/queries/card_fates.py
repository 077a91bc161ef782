"""Whether a card number may be used, and what stands in the way where it may not."""

from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import CardStatus
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.membership.errors_identity import CardReplaced, CardReportedLost, CardUnknown

_STATUSES = text(
    "SELECT status FROM cards WHERE card_no = :card_no"
    " AND (CAST(:brand_id AS uuid) IS NULL OR brand_id = :brand_id)"
    " UNION SELECT o.status FROM brands b JOIN offline_cards o ON o.brand_id = b.id"
    " AND o.card_no = :card_no WHERE CAST(:brand_id AS uuid) IS NULL OR b.id = :brand_id"
)


async def find_card_refusal(tx: Tx, *, brand_id: UUID | None, card_no: str) -> Fact | None:
    """Say what stands in the way of a card that nobody can use: lost, replaced, or unknown.

    None for a card in use; None as brand is the whole group.
    """
    asked = {"brand_id": brand_id, "card_no": card_no}
    statuses = set(await tx.scalars(_STATUSES, asked))
    if not statuses:
        return CardUnknown(field="card_no")
    if statuses - {CardStatus.LOST, CardStatus.REPLACED}:
        return None
    return CardReportedLost() if CardStatus.LOST in statuses else CardReplaced()
