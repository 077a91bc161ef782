"""Issue a key to a POS or hall system; the key itself is shown once and only its hash kept."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.crm.staff import APIKey
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.seal import Seal, new_token
from o2o.kernel.ids import APIKeyId, new_id
from o2o.staff.errors import ScopeUnknown
from o2o.staff.rules import SCOPES

PREFIX = "o2o_"


class IssuedAPIKey(msgspec.Struct, frozen=True):
    """A new key; `token` is told here and never again."""

    key_id: APIKeyId
    token: str


async def issue_api_key(
    tx: Tx,
    *,
    seal: Seal,
    brand_id: UUID | None,
    name: str,
    scopes: Iterable[str],
    unattended_debit_fen_max: int,
    actor: Actor,
    now: datetime,
) -> IssuedAPIKey:
    """Raises ScopeUnknown. Without a brand the key speaks for the whole group."""
    wanted = sorted(set(scopes))
    for scope in wanted:
        if scope not in SCOPES:
            raise ScopeUnknown(scope=scope)
    token = PREFIX + new_token()
    key = APIKey(
        id=new_id(),
        brand_id=brand_id,
        name=name,
        key_hash=seal.hash_of(token, use="api_key"),
        scopes=wanted,
        unattended_debit_fen_max=unattended_debit_fen_max,
        created_at=now,
    )
    tx.add(key)
    await tx.flush()
    await note(
        tx,
        actor=actor,
        action="api_key.issued",
        at=now,
        subject=("api_key", key.id),
        key_name=name,
        scopes=wanted,
        unattended_debit_fen_max=unattended_debit_fen_max,
    )
    return IssuedAPIKey(APIKeyId(key.id), token)
