"""One official account with its credentials opened."""

from typing import cast
from uuid import UUID

import msgspec

from o2o.crm.organisation import OfficialAccount
from o2o.infra.seal import Seal
from o2o.wechat.codec.envelope import AccountKeys
from o2o.wechat.codec.messages import Datum


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One official account, ready for use. Never log it whole: it holds the secret."""

    id: UUID
    slug: str
    brand_id: UUID
    appid: str
    original_id: str
    name: str
    place_word: str
    secret: str
    keys: AccountKeys
    message_datum: Datum
    event_datum: Datum

    def __repr__(self) -> str:
        """Name the account, hide its credentials."""
        return f"Account(slug={self.slug!r}, appid={self.appid!r})"


def open_account(row: OfficialAccount, seal: Seal) -> Account:
    """Open the credentials of a stored account. Raises SealBroken, ValueError for broken keys."""
    aes_key = (
        seal.unseal(row.aes_key_sealed, label=f"{row.appid}:aes_key")
        if row.aes_key_sealed is not None
        else None
    )
    return Account(
        id=row.id,
        slug=row.slug,
        brand_id=row.brand_id,
        appid=row.appid,
        original_id=row.original_id,
        name=row.name,
        place_word=row.place_word,
        secret=seal.unseal(row.secret_sealed, label=f"{row.appid}:secret"),
        keys=AccountKeys(
            appid=row.appid,
            original_id=row.original_id,
            token=seal.unseal(row.token_sealed, label=f"{row.appid}:token"),
            encoding_aes_key=aes_key,
            mode=row.mode.value,
        ),
        message_datum=cast("Datum", row.message_datum),
        event_datum=cast("Datum", row.event_datum),
    )
