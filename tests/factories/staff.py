"""Staff, pads and keys for tests."""

from functools import cache
from uuid import UUID

from o2o.crm.organisation import Brand
from o2o.crm.statuses import StaffRoleName
from o2o.infra.audit import SYSTEM
from o2o.infra.database import Tx
from o2o.infra.passwords import hash_secret
from o2o.infra.seal import Seal
from o2o.kernel.ids import StaffId, new_id
from o2o.staff.actions.create_staff import RoleAt, create_staff
from o2o.staff.actions.enrol_pad import EnrolledPad, add_pad
from o2o.staff.actions.issue_api_key import IssuedAPIKey, issue_api_key
from o2o.staff.rules import SCOPES
from tests.fakes.clock import NOON

PIN = "602817"
PASSWORD = "a long enough password"


@cache
def hashed(secret: str) -> str:
    """Hash once per run: argon2 is slow on purpose."""
    return hash_secret(secret)


async def given_staff(
    tx: Tx,
    brand: Brand,
    *,
    role: StaffRoleName = StaffRoleName.CLERK,
    store_id: UUID | None = None,
    login: str | None = None,
) -> StaffId:
    """A staff member with PIN and password, in one store or in all of the brand."""
    return await create_staff(
        tx,
        brand_id=brand.id,
        login=login or f"staff{new_id().hex[-8:]}",
        name="陈洁",
        roles=[RoleAt(role, store_id)],
        password_hash=hashed(PASSWORD),
        pin_hash=hashed(PIN),
        actor=SYSTEM,
        now=NOON,
    )


async def given_pad(tx: Tx, *, seal: Seal, store_id: UUID) -> EnrolledPad:
    """A pad of a store."""
    return await add_pad(tx, seal=seal, store_id=store_id, name="前台", enrolled_by=None, now=NOON)


async def given_key(
    tx: Tx, *, seal: Seal, brand_id: UUID | None = None, unattended_debit_fen_max: int = 0
) -> IssuedAPIKey:
    """A key with every scope."""
    return await issue_api_key(
        tx,
        seal=seal,
        brand_id=brand_id,
        name="till",
        scopes=SCOPES,
        unattended_debit_fen_max=unattended_debit_fen_max,
        actor=SYSTEM,
        now=NOON,
    )
