"""Set a programme's rules: points, pay PIN limits, the order in which a card is drawn on."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import update

from o2o.crm.programmes import Programme
from o2o.crm.statuses import StaffRoleName
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId
from o2o.membership.actions.check_roles import check_brand_role
from o2o.membership.errors_programme import ProgrammeChangedMeanwhile
from o2o.membership.queries.programmes import get_programme
from o2o.membership.rules.programme import ProgrammeSettings, check_settings

EDITORS = frozenset({StaffRoleName.MARKETER})


async def set_programme(
    tx: Tx,
    settings: ProgrammeSettings,
    *,
    brand_id: BrandId,
    version: int,
    staff_id: UUID,
    now: datetime,
) -> None:
    """Put the rules in force for what happens from now on.

    Raises RoleMissing, ProgrammeOutOfRange, ProgrammeChangedMeanwhile when `version` is not the one
    the editor saw.
    """
    await check_brand_role(tx, staff_id=staff_id, brand_id=brand_id, roles=EDITORS)
    check_settings(settings)
    await take_turn(tx, brand_id=brand_id, version=version, now=now)
    before = await get_programme(tx, brand_id)
    after = msgspec.structs.asdict(settings)
    await tx.execute(update(Programme).where(Programme.brand_id == brand_id).values(**after))
    await note_change(
        tx,
        "programme.set",
        brand_id=brand_id,
        staff_id=staff_id,
        now=now,
        before={name: getattr(before, name) for name in after},
        after=after,
    )


async def take_turn(tx: Tx, *, brand_id: UUID, version: int, now: datetime) -> None:
    """Claim the next change of a programme for whoever saw this version of it.

    Holds the programme's row until the transaction ends. Raises ProgrammeChangedMeanwhile.
    """
    claimed = await tx.execute(
        update(Programme)
        .where(Programme.brand_id == brand_id, Programme.version == version)
        .values(version=version + 1, updated_at=now)
        .returning(Programme.brand_id)
    )
    if claimed.first() is None:
        raise ProgrammeChangedMeanwhile


async def note_change(
    tx: Tx,
    action: str,
    *,
    brand_id: UUID,
    staff_id: UUID,
    now: datetime,
    before: Any = None,
    after: Any = None,
) -> None:
    """Write down who changed what of a programme, before and after."""
    await note(
        tx,
        actor=Actor("staff", staff_id),
        action=action,
        at=now,
        subject=("brand", brand_id),
        before=before,
        after=after,
    )
