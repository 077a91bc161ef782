"""Whether a card number may be used, and what stands in the way where it may not."""

from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import CardStatus
from o2o.infra.database import Tx
from o2o.membership.errors_identity import CardReplaced, CardReportedLost, CardUnknown

_STATUS = text(
    "SELECT status FROM cards WHERE brand_id = :brand_id AND card_no = :card_no"
    " UNION ALL"
    " SELECT status FROM offline_cards WHERE brand_id = :brand_id AND card_no = :card_no LIMIT 1"
)


async def check_card_usable(tx: Tx, *, brand_id: UUID, card_no: str) -> None:
    """Return for a card in use. Raises CardUnknown, CardReportedLost, CardReplaced."""
    status = await tx.scalar(_STATUS, {"brand_id": brand_id, "card_no": card_no})
    if status is None:
        raise CardUnknown(field="card_no")
    if status == CardStatus.LOST:
        raise CardReportedLost
    if status == CardStatus.REPLACED:
        raise CardReplaced
