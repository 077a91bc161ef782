"""Registering an official account and changing it: checked, sealed, noted in the audit trail."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from o2o.app.install.brands import NewBrand, choose_brand
from o2o.app.install.working import Speech
from o2o.app.runtime import Runtime
from o2o.crm.organisation import OfficialAccount
from o2o.crm.statuses import BrandKind, CallbackMode
from o2o.infra.audit import SYSTEM, note
from o2o.infra.database import Tx, violated_constraint
from o2o.infra.seal import SealBroken
from o2o.stores.queries import find_account
from o2o.wechat.actions.note_outcomes import forget_outcomes
from o2o.wechat.actions.register_account import (
    AccountDetails,
    check_details,
    register_account,
    update_account,
)
from o2o.wechat.errors import AccountKeysInvalid
from o2o.wechat.official_account import open_account

CREDENTIALS = ("secret", "token", "encoding_aes_key")
FIELDS = ("appid", "original_id", "name", "place_word", "mode", *CREDENTIALS)
APPID_UNIQUE = "uq_official_accounts_appid"


def details_from(slug: str, values: Mapping[str, str], speech: Speech) -> AccountDetails:
    """Check the values. Ends the command with what the first wrong one must look like."""
    try:
        mode = CallbackMode(values["mode"])
    except ValueError:
        speech.refuse_field("mode")
    details = AccountDetails(
        slug=slug,
        appid=values["appid"],
        original_id=values["original_id"],
        name=values["name"],
        place_word=values["place_word"],
        secret=values["secret"],
        token=values["token"],
        encoding_aes_key=values.get("encoding_aes_key") or None,
        mode=mode,
    )
    try:
        check_details(details)
    except AccountKeysInvalid as wrong:
        speech.refuse_field(wrong.field or "")
    return details


async def add_account(
    tx: Tx,
    runtime: Runtime,
    *,
    slug: str,
    values: Mapping[str, str],
    brand_slug: str | None,
    new_brand: NewBrand,
    speech: Speech,
) -> AccountDetails:
    """Register an account that is not there yet."""
    now = runtime.clock.now()
    if await find_account(tx, slug) is not None:
        speech.refuse("account_exists", slug=slug)
    brand = await choose_brand(tx, brand_slug, new=new_brand, speech=speech, now=now)
    word = "place_word_hall" if brand.kind is BrandKind.HALL else "place_word_restaurant"
    details = details_from(slug, {"place_word": speech.default(word), **values}, speech)
    try:
        account_id = await register_account(
            tx, brand_id=brand.id, details=details, seal=runtime.seal, now=now
        )
    except IntegrityError as error:
        _refuse_taken(error, speech)
        raise
    await note(
        tx,
        actor=SYSTEM,
        action="account.registered",
        at=now,
        subject=("account", account_id),
        appid=details.appid,
        mode=details.mode.value,
    )
    return details


async def set_account(
    tx: Tx, runtime: Runtime, *, slug: str, values: Mapping[str, str], speech: Speech
) -> None:
    """Change the given fields of an account; what refused callbacks said of it is forgotten."""
    now: datetime = runtime.clock.now()
    row = await find_account(tx, slug)
    if row is None:
        speech.refuse("account_unknown", slug=slug)
    kept = _kept_values(row, runtime, given=values, speech=speech)
    details = details_from(slug, {**kept, **values}, speech)
    try:
        await update_account(tx, account_id=row.id, details=details, seal=runtime.seal)
    except IntegrityError as error:
        _refuse_taken(error, speech)
        raise
    await forget_outcomes(tx, slug)
    await note(
        tx,
        actor=SYSTEM,
        action="account.changed",
        at=now,
        subject=("account", row.id),
        fields=sorted(values),
    )


def _kept_values(
    row: OfficialAccount, runtime: Runtime, *, given: Mapping[str, str], speech: Speech
) -> dict[str, str]:
    values = {
        "appid": row.appid,
        "original_id": row.original_id,
        "name": row.name,
        "place_word": row.place_word,
        "mode": row.mode.value,
    }
    try:
        values |= _opened_credentials(row, runtime)
    except SealBroken:
        wanted = [name for name in CREDENTIALS if row.aes_key_sealed or name != CREDENTIALS[-1]]
        if not set(wanted) <= set(given):
            speech.refuse("unreadable_credentials", fields=", ".join(wanted))
    return values


def _opened_credentials(row: OfficialAccount, runtime: Runtime) -> dict[str, str]:
    """Raises SealBroken."""
    account = open_account(row, runtime.seal)
    values = {"secret": account.secret, "token": account.keys.token}
    if account.keys.encoding_aes_key is not None:
        values["encoding_aes_key"] = account.keys.encoding_aes_key
    return values


def _refuse_taken(error: IntegrityError, speech: Speech) -> None:
    if violated_constraint(error) == APPID_UNIQUE:
        speech.refuse("appid_taken")
