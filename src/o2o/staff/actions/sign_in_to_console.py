"""Open a console session, after the password was found right."""

from datetime import datetime
from uuid import UUID

from o2o.crm.statuses import Audience
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.ids import StaffId
from o2o.staff import queries
from o2o.staff.actions.sign_in_at_pad import SignedIn
from o2o.staff.errors import NoRole, SignInRefused
from o2o.web.sessions import open_session


async def sign_in_to_console(tx: Tx, *, seal: Seal, staff_id: UUID, now: datetime) -> SignedIn:
    """Raises SignInRefused for somebody disabled meanwhile, NoRole for somebody without any."""
    staff = await queries.get_staff(tx, staff_id)
    if staff.disabled_at is not None:
        raise SignInRefused
    roles = await queries.list_roles(tx, [staff_id])
    if not roles[staff_id]:
        raise NoRole
    token = await open_session(tx, seal=seal, audience=Audience.CONSOLE, staff_id=staff_id, now=now)
    await note(tx, actor=Actor("staff", staff_id), action="staff.signed_in", at=now)
    return SignedIn(StaffId(staff_id), staff.name, token)
