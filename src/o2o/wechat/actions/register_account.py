"""Register an official account, or take over what changed; credentials are sealed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from o2o.crm.organisation import OfficialAccount
from o2o.crm.statuses import CallbackMode
from o2o.infra.audit import SYSTEM, Actor, note
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.ids import OfficialAccountId, new_id
from o2o.wechat.codec.envelope import AccountKeys
from o2o.wechat.errors import AccountKeysInvalid


async def register_account(
    tx: Tx,
    *,
    seal: Seal,
    brand_id: UUID,
    slug: str,
    appid: str,
    original_id: str,
    name: str,
    place_word: str,
    mode: CallbackMode,
    secret: str,
    token: str,
    encoding_aes_key: str | None,
    now: datetime,
    actor: Actor = SYSTEM,
) -> OfficialAccountId:
    """Return the account of that slug, created or brought up to date. Raises AccountKeysInvalid."""
    check_credentials(
        appid=appid,
        original_id=original_id,
        token=token,
        encoding_aes_key=encoding_aes_key,
        mode=mode,
    )
    values = {
        "brand_id": brand_id,
        "appid": appid,
        "original_id": original_id,
        "name": name,
        "place_word": place_word,
        "mode": mode,
        "secret_sealed": seal.seal(secret, label=f"{appid}:secret"),
        "token_sealed": seal.seal(token, label=f"{appid}:token"),
        "aes_key_sealed": encoding_aes_key
        and seal.seal(encoding_aes_key, label=f"{appid}:aes_key"),
    }
    account_id = (
        await tx.execute(
            insert(OfficialAccount)
            .values(id=new_id(), slug=slug, created_at=now, **values)
            .on_conflict_do_update(index_elements=[OfficialAccount.slug], set_=values)
            .returning(OfficialAccount.id)
        )
    ).scalar_one()
    await note(
        tx,
        actor=actor,
        action="account.registered",
        at=now,
        subject=("official_account", account_id),
        appid=appid,
        mode=mode.value,
    )
    return OfficialAccountId(account_id)


def check_credentials(
    *,
    appid: str,
    original_id: str,
    token: str,
    encoding_aes_key: str | None,
    mode: CallbackMode,
) -> None:
    """Raise AccountKeysInvalid when the callback could never work with these."""
    try:
        AccountKeys(
            appid=appid,
            original_id=original_id,
            token=token,
            encoding_aes_key=encoding_aes_key,
            mode=mode.value,
        )
    except ValueError as error:
        raise AccountKeysInvalid(field="encoding_aes_key") from error
