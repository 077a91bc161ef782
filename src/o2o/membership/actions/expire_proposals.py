"""Expire proposals that nobody decided on within seven days: they have to be made again."""

from datetime import datetime

from sqlalchemy import update

from o2o.crm.adjustments import Adjustment
from o2o.crm.statuses import ProposalStatus
from o2o.infra.database import Tx
from o2o.membership.actions.end_programme import expire_endings
from o2o.membership.rules.adjustments import PROPOSAL_MOVES


async def expire_proposals(tx: Tx, now: datetime) -> None:
    """Close what is past its time, corrections and ends of programmes alike."""
    await tx.execute(
        update(Adjustment)
        .where(
            Adjustment.status.in_(PROPOSAL_MOVES.sources_of(ProposalStatus.EXPIRED)),
            Adjustment.expires_at <= now,
        )
        .values(status=ProposalStatus.EXPIRED, decided_at=now)
    )
    await expire_endings(tx, now=now)
