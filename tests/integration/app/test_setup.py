"""A real installation from nothing, by the command line: brand, account, store, staff, key."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from o2o.app.install.working import Speech, work
from o2o.app.runtime import Runtime, open_runtime
from o2o.crm.statuses import AccountKind, CallbackMode
from o2o.infra.database import Tx
from o2o.infra.passwords import is_secret_right
from o2o.infra.settings import read_settings
from o2o.ledger.verify import verify_ledger
from o2o.staff.queries import find_api_key, find_staff_by_login, list_roles
from o2o.stores.queries import find_account, find_brand, find_store_by_code, list_tiers
from o2o.wechat.official_account import open_account
from tests.integration.app.accounts import OTHER_AES_KEY, issue, toml_of
from tests.integration.app.programs import Installation, Serving

SECRET = "0123456789abcdef0123456789abcdef"
TOKEN = "CallbackToken2026"
CREDENTIALS = {
    "WECHAT_APP_SECRET": SECRET,
    "WECHAT_TOKEN": TOKEN,
    "WECHAT_ENCODING_AES_KEY": OTHER_AES_KEY,
}
ACCOUNT = (
    *("--appid", "wx0123456789abcdef", "--original-id", "gh_0123456789ab", "--name", "苇塘小灶"),
    *("--brand", "reed", "--brand-name", "苇塘小灶江南家常菜", "--brand-name-en", "Reed Pond"),
)
STORE = (
    *("--name", "愚园路店", "--city", "上海", "--address", "愚园路156弄2号"),
    *("--lat", "31.2239", "--lng", "121.4423", "--hours", "mon-fri 11:00-14:00,17:00-02:00"),
)
PASSWORD = "correct horse battery"
PIN = "602817"


def runtime_of(installation: Installation) -> Runtime:
    return open_runtime(read_settings(installation.environment()))


@pytest.fixture(scope="module")
def reed(installation: Installation) -> Installation:
    """The installation with everything entered once."""
    printed = installation.done("account", "add", "reed", *ACCOUNT, env=CREDENTIALS)
    assert f"{installation.settings['public_url']}/wechat/reed/callback" in printed
    for credential in CREDENTIALS.values():
        assert credential not in printed
    installation.done("store", "add", "sh-yuyuan", *STORE)
    installation.done(
        *("staff", "add", "linfan", "--name", "林帆", "--role", "manager", "--from", "-"),
        stdin=f'password = "{PASSWORD}"\npin = "914073"\n',
    )
    installation.done(
        *("staff", "add", "chenjie", "--name", "陈洁", "--role", "clerk", "--store", "sh-yuyuan"),
        env={"STAFF_PIN": PIN},
    )
    return installation


def test_brand_account_and_store_are_as_entered(reed: Installation) -> None:
    runtime = runtime_of(reed)

    async def look(tx: Tx) -> None:
        brand = await find_brand(tx, "reed")
        assert brand is not None
        assert (brand.name, brand.name_en) == ("苇塘小灶江南家常菜", "Reed Pond")
        tiers = [(t.code, t.spend_from_fen) for t in await list_tiers(tx, brand.id)]
        assert tiers == [("basic", 0)]
        row = await find_account(tx, "reed")
        assert row is not None
        account = open_account(row, runtime.seal)
        assert (account.secret, account.keys.token) == (SECRET, TOKEN)
        assert account.keys.encoding_aes_key == OTHER_AES_KEY
        assert row.mode is CallbackMode.SAFE
        assert account.place_word == "门店"
        store = await find_store_by_code(tx, brand_id=brand.id, code="sh-yuyuan")
        assert store is not None
        assert store.hours["fri"] == [["11:00", "14:00"], ["17:00", "02:00"]]
        assert store.hours["sat"] == []
        opened = await tx.connection()
        kinds = await opened.exec_driver_sql(
            f"SELECT kind FROM ledger_accounts WHERE owner_id = '{store.id}' ORDER BY kind"
        )
        assert [row.kind for row in kinds] == sorted(
            [
                AccountKind.STORE_BONUS,
                AccountKind.STORE_OPENING,
                AccountKind.STORE_SALES,
                AccountKind.STORE_TAKINGS,
            ]
        )

    work(runtime, Speech(), look)


def test_staff_sign_in_with_what_was_entered(reed: Installation) -> None:
    runtime = runtime_of(reed)

    async def look(tx: Tx) -> None:
        manager = await find_staff_by_login(tx, "linfan")
        clerk = await find_staff_by_login(tx, "chenjie")
        assert manager is not None
        assert clerk is not None
        assert is_secret_right(manager.password_hash, PASSWORD)
        assert is_secret_right(manager.pin_hash, "914073")
        assert is_secret_right(clerk.pin_hash, PIN)
        assert clerk.password_hash is None
        roles = await list_roles(tx, [manager.id, clerk.id])
        assert len(roles) == 2

    work(runtime, Speech(), look)


def test_a_key_is_printed_alone_and_dies_when_revoked(reed: Installation) -> None:
    token = reed.done(
        *("key", "issue", "--name", "POS", "--brand", "reed"),
        *("--scopes", "members:read, top_ups:write"),
    ).strip()
    runtime = runtime_of(reed)

    async def find(tx: Tx) -> tuple[UUID, frozenset[str]] | None:
        client = await find_api_key(tx, seal=runtime.seal, token=token)
        return None if client is None else (client.key_id, frozenset(client.scopes))

    found = work(runtime, Speech(), find)
    assert found is not None
    key_id, scopes = found
    assert scopes == {"members:read", "top_ups:write"}
    assert reed.run("key", "revoke", str(key_id)).returncode == 1, "it is the brand's, not ours"
    reed.done("key", "revoke", str(key_id), "--brand", "reed")
    assert work(runtime_of(reed), Speech(), find) is None


def test_twice_changes_nothing(reed: Installation) -> None:
    again = reed.run("account", "add", "reed", *ACCOUNT, env=CREDENTIALS)
    assert again.returncode == 1
    assert "o2o account set reed" in again.stderr
    assert "registered before" in reed.done("store", "add", "sh-yuyuan", *STORE)
    taken = reed.run(
        *("staff", "add", "LinFan", "--name", "x", "--role", "marketer", "--from", "-"),
        stdin=f'password = "{PASSWORD}"\n',
    )
    assert taken.returncode == 1
    assert "Traceback" not in taken.stderr


@pytest.mark.parametrize(
    "field,value",
    [
        ("appid", "0123456789abcdef"),
        ("secret", "short"),
        ("token", "has space"),
        ("encoding_aes_key", "tooshort"),
        ("original_id", "reedpond"),
        ("mode", "secure"),
    ],
)
def test_a_field_that_cannot_be_right_is_refused_and_not_shown(
    reed: Installation, field: str, value: str
) -> None:
    ended = reed.run("account", "set", "reed", "--from", "-", stdin=f'{field} = "{value}"\n')
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: ")
    assert "Traceback" not in ended.stderr
    assert value not in ended.stderr.replace("safe, compatible or plain", "")


def test_a_file_with_a_slip_is_not_quoted(reed: Installation) -> None:
    ended = reed.run("account", "set", "reed", "--from", "-", stdin=f"secret = {SECRET}x\n")
    assert ended.returncode == 1
    assert SECRET not in ended.stderr
    unknown = reed.run("account", "set", "reed", "--from", "-", stdin='secrt = "x"\n')
    assert "secrt" in unknown.stderr


def test_missing_credentials_are_named_with_where_to_give_them(reed: Installation) -> None:
    ended = reed.run("account", "add", "other", *ACCOUNT, env={"WECHAT_TOKEN": TOKEN})
    assert ended.returncode == 1
    assert "secret, encoding_aes_key" in ended.stderr
    assert "WECHAT_APP_SECRET, WECHAT_ENCODING_AES_KEY" in ended.stderr


def test_an_appid_belongs_to_one_account(reed: Installation) -> None:
    ended = reed.run("account", "add", "other", *ACCOUNT, env=CREDENTIALS)
    assert (ended.returncode, ended.stderr) == (1, "Error: Another account has this AppID.\n")


@pytest.mark.parametrize("secret", ["123456", "111111", "12345", "abcdef"])
def test_weak_pins_are_refused(reed: Installation, secret: str) -> None:
    ended = reed.run(
        *("staff", "add", "weak", "--name", "x", "--role", "clerk", "--store", "sh-yuyuan"),
        env={"STAFF_PIN": secret},
    )
    assert ended.returncode == 1
    assert secret not in ended.stderr


def test_credentials_typed_at_a_terminal_are_not_echoed(reed: Installation) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "o2o.app.cli", "account", "set", "reed", "--ask", "secret"],
        env=reed.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    is_answered = False
    while select.select([ours], [], [], 60)[0]:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        shown += piece
        if not is_answered and b"AppSecret" in shown and shown.rstrip().endswith(b":"):
            os.write(ours, b"f" * 32 + b"\n")
            is_answered = True
    os.close(ours)
    assert process.wait(30) == 0, shown.decode()
    assert is_answered
    assert b"ffff" not in shown
    runtime = runtime_of(reed)

    async def secret(tx: Tx) -> str:
        row = await find_account(tx, "reed")
        assert row is not None
        return open_account(row, runtime.seal).secret

    assert work(runtime, Speech(), secret) == "f" * 32


def test_the_first_guest_and_the_proof_of_the_domain(
    reed: Installation, sandbox: httpx.Client, tmp_path: Path
) -> None:
    callback = f"{reed.settings['public_url']}/wechat/fresh/callback"
    record = issue(sandbox, "fresh", callback=callback)
    reed.done("account", "add", "fresh", "--brand", "reed", "--from", "-", stdin=toml_of(record))
    proof = tmp_path / "MP_verify_2bDcxbd1qtzOmGRB.txt"
    proof.write_text("2bDcxbd1qtzOmGRB\n")
    stray = tmp_path / "index.html"
    stray.write_text("<script>")
    url = reed.done("account", "verify-file", str(proof)).split()[-1]
    assert reed.run("account", "verify-file", str(stray)).returncode == 1
    reed.done("account", "menu", "fresh")
    serving = Serving(reed, tmp_path / "serve.log")
    try:
        served = httpx.get(url, trust_env=False)
        assert (served.status_code, served.text) == (200, "2bDcxbd1qtzOmGRB\n")
        for name in ("MP_verify_aaaaaaaaaaaaaaaa.txt", "index.html", "..%2Fsecret_key"):
            missing = httpx.get(f"{reed.settings['public_url']}/{name}", trust_env=False)
            assert missing.status_code == 404, name
        shaken = sandbox.post("/_sandbox/accounts/fresh/verify").json()
        assert shaken["ok"] is True
    finally:
        serving.stop()
    menu = sandbox.get("/_sandbox/accounts/fresh/menu").json()["menu"]
    assert "/h5/fresh/card" in str(menu)


async def test_the_books_are_sound_from_the_start(reed: Installation) -> None:
    runtime = runtime_of(reed)
    verdict = await verify_ledger(runtime.sessions)
    await runtime.engine.dispose()
    assert verdict.is_sound
