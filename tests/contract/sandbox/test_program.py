"""The program itself: the command line, the control token, and what survives its death."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.sandbox.conftest import SOURCE, Program, Shop, open_shop
from tests.contract.sandbox.product import Product
from tests.contract.sandbox.test_templates import SEND, add, message
from wechat_sandbox.cli import main


def client(program: Program, **more: Any) -> httpx.Client:
    return httpx.Client(base_url=program.url, trust_env=False, timeout=20, **more)


def run(*options: str) -> subprocess.CompletedProcess[str]:
    """The program to its end, for calls that should end at once."""
    return subprocess.run(
        [sys.executable, "-m", "wechat_sandbox", *options],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={"PYTHONPATH": str(SOURCE)},
    )


def test_everything_survives_a_kill(tmp_path: Path) -> None:
    with Product() as product:
        first = Program(tmp_path)
        with client(first) as http:
            shop = open_shop(http, product)
            shop.follow(scene="door")
            shop.send(type="text", content="在吗")
            token, template_id = shop.token(), add(shop)
            sent = shop.call(SEND, message(shop, template_id, client_msg_id="once"))
            http.post("/_sandbox/clock", json={"advance_seconds": 100})
            http.put("/_sandbox/faults", json={"rules": [{"match": "/sns/*", "errcode": -1}]})
            chat, books = shop.chat(), http.get("/_sandbox/books").json()
        first.kill()
        second = Program(tmp_path)
        with client(second) as http:
            again = Shop(http, shop.slug, shop.record, product, shop.person, shop.openid)
            assert again.chat() == chat
            after = http.get("/_sandbox/books").json()
            assert after["messages"] == books["messages"]
            assert after["tokens"] == books["tokens"]
            assert http.get("/_sandbox/clock").json()["offset_seconds"] == 100
            assert len(http.get("/_sandbox/faults").json()["rules"]) == 1
            assert again.token() == token
            repeat = again.call(SEND, message(again, template_id, client_msg_id="once"))
            assert repeat["msgid"] == sent["msgid"]
            assert [m["kind"] for m in again.chat()].count("template") == 1
            assert shop.record in http.get("/_sandbox/accounts").json()
        assert second.stop() == 0


def test_an_owed_event_is_pushed_after_the_restart(tmp_path: Path) -> None:
    with Product() as product:
        first = Program(tmp_path)
        with client(first) as http:
            shop = open_shop(http, product)
            shop.follow()
            slow = {"match": "callback", "delay_ms": 60_000, "times": 1}
            http.put("/_sandbox/faults", json={"rules": [slow]})
            shop.call(SEND, message(shop, add(shop)))
            while http.get("/_sandbox/faults").json()["rules"][0]["times_left"]:
                time.sleep(0.01)
        first.kill()
        assert [one.message.get("Event") for one in product.received] == ["subscribe"]
        second = Program(tmp_path)
        assert len(product.wait_for(1, event="TEMPLATESENDJOBFINISH")) == 1
        assert second.stop() == 0


def test_the_control_token(tmp_path: Path) -> None:
    program = Program(tmp_path, "--control-token", "let-me-in")
    with client(program) as http:
        assert http.get("/_sandbox/people").status_code == 401
        wrong = http.get("/_sandbox/people", headers={"X-Sandbox-Token": "x"})
        assert wrong.status_code == 401
        right = http.get("/_sandbox/people", headers={"X-Sandbox-Token": "let-me-in"})
        assert right.status_code == 200
        assert http.get("/cgi-bin/token").json()["errcode"] == 40002
        assert http.get("/").status_code == 401
        assert http.get("/", params={"token": "x"}).status_code == 401
        entered = http.get("/", params={"token": "let-me-in"})
        assert (entered.status_code, entered.headers["location"]) == (302, "/")
        assert http.get("/_sandbox/people").status_code == 200
    assert program.stop() == 0


def test_it_stops_with_streams_open(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with client(program) as http, http.stream("GET", "/_sandbox/stream") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 1000"
        program.process.terminate()
        rest = list(lines)
        assert rest[0] == 'data: {"kind": "hello"}'
    assert program.stop() == 0


@pytest.mark.parametrize(
    "options,said",
    [
        (["serve"], "--data-dir"),
        (["serve", "--data-dir", "x", "--host", "192.0.2.1"], "--control-token"),
        (["serve", "--data-dir", "x", "--host", "example.com"], "--control-token"),
        (["serve", "--data-dir", "x", "--port", "70000"], "--port"),
        (["serve", "--data-dir", "x", "--public-url", "a"], "--public-url"),
        ([], "command"),
    ],
)
def test_options_that_cannot_be(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_taken_port_is_said_plainly(tmp_path: Path, program: Program) -> None:
    taken = program.url.rsplit(":", 1)[1]
    tried = run("serve", "--data-dir", str(tmp_path), "--port", taken)
    assert tried.returncode == 1
    assert "cannot listen" in tried.stderr
    assert "Traceback" not in tried.stderr


def test_two_programs_do_not_share_one_memory(tmp_path: Path) -> None:
    first = Program(tmp_path)
    tried = run("serve", "--data-dir", str(tmp_path), "--port", "0")
    assert (tried.returncode, "in use" in tried.stderr) == (1, True)
    assert first.stop() == 0
    second = Program(tmp_path)
    assert second.stop() == 0


def test_help_does_not_load_the_server() -> None:
    code = (
        "import sys, wechat_sandbox.cli as c\n"
        "try: c.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print({'litestar', 'granian', 'httpx', 'PIL'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(SOURCE)},
    )
    assert done.stdout.endswith("set()\n")
