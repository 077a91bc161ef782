"""The doctor at the callback: what stands between WeChat and the product, by its own code."""

import ssl
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from o2o.app.doctor.accounts import examine_accounts
from o2o.app.doctor.report import tell
from o2o.app.runtime import Runtime, open_runtime
from o2o.infra.settings import read_settings
from o2o.web.copy import Words
from tests.integration.app.accounts import issue, register
from tests.integration.app.programs import Installation, free_port

WORDS = Words()


class Door(BaseHTTPRequestHandler):
    """A reverse proxy, or whatever else stands there, that answers one thing."""

    answers: ClassVar[dict[str, tuple[int, bytes]]] = {
        "redirected": (301, b""),
        "rewritten": (200, b"Welcome to our site"),
        "refused": (403, b""),
        "not_routed": (404, b"no such page"),
        "not_serving": (502, b"Bad Gateway"),
        "failed": (418, b""),
    }

    def do_GET(self) -> None:
        status, body = self.answers[self.server.kind]  # type: ignore[attr-defined]  # set by `door`
        self.send_response(status)
        if status == 301:
            self.send_header("Location", f"https://www.example.com{self.path}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def door(kind: str, *, certificate: Path | None = None) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.kind = kind  # type: ignore[attr-defined]  # for the class above
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients hang up on it
        scheme = "https"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module", autouse=True)
def _account(installation: Installation, sandbox: httpx.Client) -> None:
    register(installation, [(issue(sandbox, "reed", callback="http://127.0.0.1:9/"), {})])


@asynccontextmanager
async def runtime_at(installation: Installation, url: str) -> AsyncGenerator[Runtime, None]:
    settings = read_settings(installation.environment())
    runtime = open_runtime(msgspec.structs.replace(settings, public_url=url))
    yield runtime
    await runtime.engine.dispose()


async def found_at(installation: Installation, url: str) -> dict[str, str]:
    """Codes about the account with that public address; each can be told in both languages."""
    async with runtime_at(installation, url) as runtime:
        remarks = await examine_accounts(runtime, WORDS)
    for remark in remarks:
        for language in ("zh_CN", "en"):
            line = tell(remark, WORDS, language).line()
            assert "{" not in line
            assert "\n" not in line
    return {remark.code: remark.level.value for remark in remarks}


@pytest.mark.parametrize("kind", sorted(Door.answers))
async def test_what_answers_instead_of_the_product_is_named(
    installation: Installation, kind: str
) -> None:
    with door(kind) as url:
        found = await found_at(installation, url)
    assert {code: level for code, level in found.items() if code.startswith("callback.")} == {
        f"callback.{kind}": "fail"
    }


async def test_nobody_there(installation: Installation) -> None:
    found = await found_at(installation, f"http://127.0.0.1:{free_port()}")
    assert found["callback.unreachable"] == "fail"
    assert found["account.credentials_good"] == "ok"


async def test_a_certificate_nobody_trusts(installation: Installation, tmp_path: Path) -> None:
    with door("refused", certificate=_self_signed(tmp_path / "self.pem")) as url:
        found = await found_at(installation, url)
    assert found["callback.certificate"] == "fail"


@contextmanager
def refusing(sandbox: httpx.Client, **answer: Any) -> Iterator[None]:
    """WeChat gives no token meanwhile."""
    rule = {"match": "/cgi-bin/stable_token", **answer}
    sandbox.put("/_sandbox/faults", json={"rules": [rule]}).raise_for_status()
    yield
    sandbox.delete("/_sandbox/faults").raise_for_status()


@pytest.mark.parametrize(
    "errcode,errmsg,code",
    [
        (
            40164,
            "invalid ip 47.94.148.108 ipv6 ::ffff:47.94.148.108, not in whitelist",
            "account.ip_not_listed",
        ),
        (40243, "invalid appsecret, appsecret is frozen", "account.secret_frozen"),
        (50002, "user limited", "account.refused"),
    ],
)
async def test_what_wechat_says_of_the_credentials_is_named(
    installation: Installation, sandbox: httpx.Client, errcode: int, errmsg: str, code: str
) -> None:
    with refusing(sandbox, errcode=errcode, errmsg=errmsg):
        async with runtime_at(installation, "http://127.0.0.1:9") as runtime:
            remarks = await examine_accounts(runtime, WORDS)
    credentials = next(remark for remark in remarks if remark.code.startswith("account."))
    assert (credentials.code, credentials.level.value) == (code, "fail")
    assert errmsg in tell(credentials, WORDS, "zh_CN").what
    # Without a token nothing is said of templates and menu.
    assert not {r.code for r in remarks} & {"template.missing", "menu.missing"}


async def test_a_held_token_does_not_hide_a_changed_secret(
    installation: Installation, sandbox: httpx.Client
) -> None:
    assert (await found_at(installation, "http://127.0.0.1:9"))["menu.missing"] == "warn"
    installation.done("account", "set", "reed", "--from", "-", stdin=f'secret = "{"1" * 32}"\n')
    found = await found_at(installation, "http://127.0.0.1:9")
    assert found["account.secret_wrong"] == "fail"
    record = issue(sandbox, "reed", callback="http://127.0.0.1:9/")
    installation.done(
        *("account", "set", "reed", "--ask", "secret"), env={"WECHAT_APP_SECRET": record["secret"]}
    )
    found = await found_at(installation, "http://127.0.0.1:9")
    assert found["account.credentials_good"] == "ok"


async def test_wechat_out_of_reach(installation: Installation) -> None:
    away = installation.but(wechat_api_url=f"http://127.0.0.1:{free_port()}")
    assert (await found_at(away, "http://127.0.0.1:9"))["wechat.away"] == "fail"


async def test_another_secret_key_opens_no_credentials(installation: Installation) -> None:
    other = installation.but(secret_key="another key for tests, long enough too")
    assert await found_at(other, "http://127.0.0.1:9") == {"account.unreadable": "fail"}
    ended = other.run("account", "set", "reed", "--name", "新名字")
    assert ended.returncode == 1
    assert "secret, token, encoding_aes_key" in ended.stderr


def _self_signed(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    return path
