"""The program beside a hall's machine: reads, signs, goes on through a bad line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from o2o.app.bridge.program import BridgeProgram, Setting
from o2o.app.bridge.sources import SourceUnreadable, read_state
from o2o.queueing.rules.bridge_signatures import HEADER, is_signed, read_signature

KEY = "a key for tests"
STORE = "0198c0de-0000-7000-8000-000000000001"
PATH = f"/api/v1/bridge/{STORE}/state"
HEARD = {
    "seq": 1,
    "is_replay": False,
    "unknown_lines": [],
    "refused": [],
    "tickets": [],
    "ended": [],
}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "machine.csv"
    path.write_text("line,waiting,called,desk\nA,12,19,3\nb,0,,\n")
    return path


def program(
    state: Path, answer: Callable[[httpx.Request], httpx.Response], said: list[str] | None = None
) -> BridgeProgram:
    setting = Setting(
        product_url="http://127.0.0.1:1/",
        store_id=STORE,
        key=KEY,
        source=str(state),
        numbers_path=state.parent / "numbers.json",
        every_seconds=0.01,
    )
    client = httpx.Client(transport=httpx.MockTransport(answer))
    return BridgeProgram(setting, say=(said if said is not None else []).append, client=client)


def test_tables_and_documents_say_the_same(state: Path, tmp_path: Path) -> None:
    lines = [
        {"code": "A", "waiting": 12, "called": 19, "desk": "3"},
        {"code": "B", "waiting": 0},
    ]
    assert read_state(str(state)) == {"lines": lines, "tickets": []}
    document = tmp_path / "machine.json"
    document.write_text(json.dumps({"lines": lines, "other": 1}))
    assert read_state(str(document)) == {"lines": lines, "tickets": []}


@pytest.mark.parametrize(
    "name, content",
    [
        ("half.json", '{"lines": [{"co'),
        ("list.json", "[]"),
        ("else.json", "{}"),
        ("words.csv", "line,waiting\nA,many\n"),
        ("other.csv", "a,b\n1,2\n"),
        ("gbk.csv", "line,waiting\nA,1,\xb2\xe2"),
    ],
)
def test_what_is_half_written_is_read_later(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_bytes(content.encode("latin-1"))
    with pytest.raises(SourceUnreadable):
        read_state(str(tmp_path / name))
    with pytest.raises(SourceUnreadable):
        read_state(str(tmp_path / "nowhere.json"))


def test_a_state_is_signed_numbered_and_the_answer_kept(state: Path) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json=HEARD | {"tickets": [{"code": "A001"}], "ended": ["x"]})

    bridge = program(state, answer)
    bridge.send_once()
    bridge.send_once()

    seqs = [json.loads(request.content)["seq"] for request in sent]
    assert seqs[1] == seqs[0] + 1
    signature = read_signature(sent[0].headers[HEADER])
    assert signature is not None
    assert is_signed(signature, KEY, method="PUT", path=PATH, body=sent[0].content)
    assert not is_signed(signature, KEY, method="PUT", path=PATH, body=sent[1].content)
    kept = json.loads((state.parent / "numbers.json").read_text())
    assert kept == {"tickets": [{"code": "A001"}], "ended": ["x"]}


def test_a_program_that_fell_behind_goes_on_above_what_was_heard(state: Path) -> None:
    ahead = 9_000_000_000_000
    seqs: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seqs.append(json.loads(request.content)["seq"])
        if seqs[-1] <= ahead:
            refusal = {"code": "bridge.out_of_order", "detail": {"last_seq": ahead}}
            return httpx.Response(409, json=refusal)
        return httpx.Response(200, json=HEARD)

    program(state, answer).send_once()

    assert seqs[1:] == [ahead + 1]


def test_a_bad_line_is_waited_out_and_only_the_newest_state_is_sent(state: Path) -> None:
    waiting: list[int] = []
    said: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        lines: list[dict[str, Any]] = json.loads(request.content)["lines"]
        waiting.append(lines[0]["waiting"])
        # By the time the line is back the machine has gone on.
        state.write_text(f"line,waiting\nA,{len(waiting)}\n")
        if len(waiting) == 1:
            raise httpx.ConnectError("no way")
        if len(waiting) == 2:
            return httpx.Response(502, text="bad gateway")
        bridge.stop()
        return httpx.Response(200, json=HEARD)

    bridge = program(state, answer, said)
    bridge.run()

    assert waiting == [12, 1, 2]
    assert [line.split(":")[0] for line in said] == [
        "ConnectError",
        "HTTPStatusError",
        "in step again",
    ]
