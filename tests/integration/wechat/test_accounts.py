"""Accounts: registered with sealed credentials, cached, and usable while the database is away."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from o2o.crm.statuses import CallbackMode
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.wechat.accounts import Accounts, AccountsUnavailable
from o2o.wechat.actions.register_account import AccountDetails, register_account, update_account
from o2o.wechat.errors import AccountKeysInvalid, AccountNotFound
from tests.factories.organisation import AES_KEY, given_account, given_brand
from tests.factories.wechat import Pusher, running_services, text_fields
from tests.fakes.clock import NOON, FakeClock

DETAILS = AccountDetails(
    slug="xiaozao",
    appid="wx0123456789abcdef",
    original_id="gh_0123456789ab",
    name="江南小灶",
    place_word="门店",
    secret="0123456789abcdef0123456789abcdef",
    token="callbacktoken",
    encoding_aes_key=AES_KEY,
    mode=CallbackMode.SAFE,
)


class Ticks:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_credentials_are_sealed_and_open_again(tx: Tx, seal: Seal) -> None:
    brand = await given_brand(tx)
    await register_account(tx, brand_id=brand.id, details=DETAILS, seal=seal, now=NOON)
    row = (await tx.execute(text("SELECT * FROM official_accounts"))).one()
    stored = b"".join(bytes(value) for value in row if isinstance(value, bytes))
    for secret in (DETAILS.secret, DETAILS.token, AES_KEY):
        assert secret.encode() not in stored
        assert secret not in repr(DETAILS)


async def test_registering_again_changes_the_same_account(
    sessions: SessionFactory, seal: Seal
) -> None:
    async with transaction(sessions) as tx:
        brand = await given_brand(tx)
        first = await register_account(tx, brand_id=brand.id, details=DETAILS, seal=seal, now=NOON)
        changed = msgspec.structs.replace(DETAILS, name="小灶", token="anothertoken")
        second = await register_account(tx, brand_id=brand.id, details=changed, seal=seal, now=NOON)
    assert first == second
    accounts = Accounts(sessions=sessions, seal=seal)
    account = await accounts.get("xiaozao")
    assert (account.name, account.keys.token, account.id) == ("小灶", "anothertoken", first)
    assert DETAILS.secret not in repr(account)


@pytest.mark.parametrize(
    "change, field",
    [
        ({"slug": "X"}, "slug"),
        ({"appid": "wx123"}, "appid"),
        ({"original_id": "abc"}, "original_id"),
        ({"secret": "short"}, "secret"),
        ({"token": "a b"}, "token"),
        ({"encoding_aes_key": "short"}, "encoding_aes_key"),
        ({"encoding_aes_key": None}, "encoding_aes_key"),
        ({"name": " "}, "name"),
    ],
)
async def test_details_that_cannot_be_right_are_refused(
    tx: Tx, seal: Seal, change: dict[str, Any], field: str
) -> None:
    brand = await given_brand(tx)
    details = msgspec.structs.replace(DETAILS, **change)
    with pytest.raises(AccountKeysInvalid) as refused:
        await register_account(tx, brand_id=brand.id, details=details, seal=seal, now=NOON)
    assert refused.value.field == field
    assert (await tx.execute(text("SELECT 1 FROM official_accounts"))).first() is None


async def test_an_update_needs_an_account(tx: Tx, seal: Seal) -> None:
    brand = await given_brand(tx)
    with pytest.raises(AccountNotFound):
        await update_account(tx, account_id=brand.id, details=DETAILS, seal=seal)
    account_id = await register_account(tx, brand_id=brand.id, details=DETAILS, seal=seal, now=NOON)
    plain = msgspec.structs.replace(DETAILS, mode=CallbackMode.PLAIN, encoding_aes_key=None)
    await update_account(tx, account_id=account_id, details=plain, seal=seal)
    row = (await tx.execute(text("SELECT mode, aes_key_sealed FROM official_accounts"))).one()
    assert tuple(row) == ("plain", None)


async def test_an_unknown_name_is_looked_up_at_most_every_five_seconds(
    sessions: SessionFactory, seal: Seal
) -> None:
    ticks = Ticks()
    accounts = Accounts(sessions=sessions, seal=seal, ticks=ticks)
    assert await accounts.find("xiaozao") is None
    async with transaction(sessions) as tx:
        brand = await given_brand(tx)
        await register_account(tx, brand_id=brand.id, details=DETAILS, seal=seal, now=NOON)
    ticks.now += 4.9
    assert await accounts.find("xiaozao") is None
    ticks.now += 0.2
    assert await accounts.find("xiaozao") is not None


async def test_one_account_with_a_broken_seal_does_not_silence_the_others(
    sessions: SessionFactory, seal: Seal
) -> None:
    async with transaction(sessions) as tx:
        brand = await given_brand(tx)
        await given_account(tx, brand, seal=seal, slug="good")
        await given_account(tx, brand, seal=Seal("another key that is long enough too"), slug="bad")
    accounts = Accounts(sessions=sessions, seal=seal)
    assert await accounts.find("good") is not None
    assert await accounts.find("bad") is None


async def test_accounts_that_were_read_stay_usable_without_a_database(
    sessions: SessionFactory, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with transaction(sessions) as tx:
        brand = await given_brand(tx)
        await given_account(tx, brand, seal=seal, slug="good")
    ticks = Ticks()
    accounts = Accounts(sessions=sessions, seal=seal, ticks=ticks)
    first = await accounts.get("good")

    def refuse(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("sqlalchemy.ext.asyncio.async_sessionmaker.begin", refuse)
    ticks.now += 31
    assert accounts.peek("good") is first
    await asyncio.sleep(0.05)
    assert accounts.peek("good") is first


async def test_a_start_without_a_database_acknowledges_nothing(
    sessions: SessionFactory,
    seal: Seal,
    clock: FakeClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with transaction(sessions) as tx:
        brand = await given_brand(tx)
        await given_account(tx, brand, seal=seal, slug="good")
    reader = Accounts(sessions=sessions, seal=seal)
    account = await reader.get("good")

    def refuse(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("sqlalchemy.ext.asyncio.async_sessionmaker.begin", refuse)
    async with running_services(
        sessions=sessions, seal=seal, clock=clock, data_dir=tmp_path
    ) as services:
        pusher = Pusher(services, account, clock)
        with pytest.raises(AccountsUnavailable):
            await services.accounts.get("good")
        answered = await pusher.push(text_fields(account))
        assert (answered.status, answered.body) == (503, b"")
        monkeypatch.undo()
        assert (await pusher.push(text_fields(account))).status == 200
