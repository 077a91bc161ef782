"""Register an official account, or change what we know of it; its credentials are sealed."""

import re
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.organisation import OfficialAccount
from o2o.crm.statuses import CallbackMode
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.wechat.codec.cipher import MessageCipher
from o2o.wechat.errors import AccountKeysInvalid
from o2o.wechat.queries import accounts as queries

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_APPID = re.compile(r"wx[0-9a-f]{16}")
_ORIGINAL_ID = re.compile(r"gh_[0-9A-Za-z]{4,32}")
_SECRET = re.compile(r"[0-9a-f]{32}")
_TOKEN = re.compile(r"[0-9A-Za-z]{3,32}")
NAME_CHARS_MAX = 64


class AccountDetails(msgspec.Struct, frozen=True, kw_only=True):
    """An official account as its settings page on the platform shows it."""

    slug: str
    appid: str
    original_id: str
    name: str
    # What the account calls its places in chat.
    place_word: str
    secret: str
    token: str
    encoding_aes_key: str | None
    mode: CallbackMode

    def __repr__(self) -> str:
        """Name the account, hide its credentials."""
        return f"AccountDetails(slug={self.slug!r}, appid={self.appid!r})"


async def register_account(
    tx: Tx, *, brand_id: UUID, details: AccountDetails, seal: Seal, now: datetime
) -> UUID:
    """Register an account, or bring the one of that slug up to date; return its identity.

    Raises AccountKeysInvalid naming the field that cannot be right.
    """
    check_details(details)
    values = {
        "brand_id": brand_id,
        "slug": details.slug,
        "created_at": now,
        **_columns(details, seal),
    }
    statement = insert(OfficialAccount).values(id=new_id(), **values)
    changed = {name: statement.excluded[name] for name in _columns(details, seal)}
    account_id: UUID | None = await tx.scalar(
        statement.on_conflict_do_update(index_elements=["slug"], set_=changed).returning(
            OfficialAccount.id
        )
    )
    assert account_id is not None
    return account_id


async def update_account(tx: Tx, *, account_id: UUID, details: AccountDetails, seal: Seal) -> None:
    """Change an account's details. Processes see it within half a minute.

    Raises AccountNotFound, AccountKeysInvalid.
    """
    check_details(details)
    account = await queries.lock_account(tx, account_id)
    account.slug = details.slug
    for name, value in _columns(details, seal).items():
        setattr(account, name, value)
    await tx.flush()


def check_details(details: AccountDetails) -> None:
    """Raise AccountKeysInvalid for the first field that cannot be what the platform shows."""
    forms = {
        "slug": _SLUG,
        "appid": _APPID,
        "original_id": _ORIGINAL_ID,
        "secret": _SECRET,
        "token": _TOKEN,
    }
    for field, form in forms.items():
        if form.fullmatch(getattr(details, field)) is None:
            raise AccountKeysInvalid(field=field)
    for field in ("name", "place_word"):
        if not 1 <= len(getattr(details, field).strip()) <= NAME_CHARS_MAX:
            raise AccountKeysInvalid(field=field)
    if details.mode is not CallbackMode.PLAIN or details.encoding_aes_key is not None:
        try:
            MessageCipher(details.encoding_aes_key or "", details.appid)
        except ValueError:
            raise AccountKeysInvalid(field="encoding_aes_key") from None


def _columns(details: AccountDetails, seal: Seal) -> dict[str, object]:
    """Columns that follow from the details; seals anew, so the bytes differ each time."""
    appid, aes_key = details.appid, details.encoding_aes_key
    return {
        "appid": appid,
        "original_id": details.original_id,
        "name": details.name.strip(),
        "place_word": details.place_word.strip(),
        "mode": details.mode,
        "secret_sealed": seal.seal(details.secret, label=f"{appid}:secret"),
        "token_sealed": seal.seal(details.token, label=f"{appid}:token"),
        "aes_key_sealed": (
            seal.seal(aes_key, label=f"{appid}:aes_key") if aes_key is not None else None
        ),
    }
