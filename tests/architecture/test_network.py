"""No lock waits for the network: nothing is called outside while a transaction is open."""

import pytest

from tests.architecture.network_calls import mixes_both, network_in_transactions
from tests.architecture.sources import product_files, snippet

CLIENT = snippet(
    "import httpx\n"
    "class WeChat:\n"
    "    async def send(self) -> None:\n"
    "        await self.http.post('/cgi-bin')\n"
    "async def fetch_token(client: httpx.AsyncClient) -> str:\n"
    "    return (await client.get('/token')).text\n",
    path="src/o2o/wechat/client.py",
)
WRAPPER = snippet(
    "from o2o.wechat import client\n"
    "async def token(http: object) -> str:\n"
    "    return await client.fetch_token(http)\n",
    path="src/o2o/wechat/tokens.py",
)


def test_nothing_goes_out_while_a_transaction_is_open() -> None:
    assert network_in_transactions(product_files()) == []


def test_files_that_connect_work_without_transactions() -> None:
    assert [fault for file in product_files() for fault in mixes_both(file)] == []


@pytest.mark.parametrize(
    "text",
    [
        (
            "from o2o.wechat.client import fetch_token\n"
            "async def act(tx: Tx) -> None:\n"
            "    await fetch_token(1)\n"
        ),
        (
            "from o2o.wechat.tokens import token\n"
            "async def act(sessions) -> None:\n"
            "    async with transaction(sessions) as tx:\n"
            "        x = [await token(1)]\n"
        ),
        (
            "from o2o.wechat.client import WeChat\n"
            "async def act(tx: Tx, wechat: WeChat | None) -> None:\n"
            "    await wechat.send()\n"
        ),
        (
            "from o2o.wechat.client import WeChat\n"
            "class Sender:\n"
            "    def __init__(self, wechat: WeChat) -> None:\n"
            "        self._wechat = wechat\n"
            "    async def act(self, sessions) -> None:\n"
            "        async with transaction(sessions) as tx:\n"
            "            await self._wechat.send()\n"
        ),
        "import asyncio\nasync def act(tx: Tx) -> None:\n    await asyncio.to_thread(pay)\n",
        "import requests\ndef act(tx: Tx) -> None:\n    requests.post('x')\n",
        (
            "import httpx\n"
            "async def act(tx: Tx) -> None:\n"
            "    async with httpx.AsyncClient() as client:\n"
            "        pass\n"
        ),
    ],
)
def test_the_check_sees_calls_that_hold_a_transaction_open(text: str) -> None:
    bad = snippet(text, path="src/o2o/ordering/actions/place_order.py")
    faults = network_in_transactions((CLIENT, WRAPPER, bad))
    assert len(faults) == 1
    assert faults[0].startswith("src/o2o/ordering/actions/place_order.py:")


def test_calls_before_and_after_a_transaction_are_fine() -> None:
    fine = snippet(
        "from o2o.wechat.tokens import token\n"
        "async def act(sessions) -> None:\n"
        "    async with transaction(sessions) as tx:\n"
        "        plan = await read_plan(tx)\n"
        "    answer = await token(plan)\n"
        "    async with transaction(sessions) as tx:\n"
        "        await keep(tx, answer)\n",
        path="src/o2o/ordering/jobs.py",
    )
    assert network_in_transactions((CLIENT, WRAPPER, fine)) == []


def test_the_check_sees_a_file_that_does_both() -> None:
    bad = "import httpx\nasync def act(tx: Tx) -> None: ...\n"
    assert len(mixes_both(snippet(bad))) == 1
    assert mixes_both(CLIENT) == []
    crypto = "from wechatpy.crypto import WeChatCrypto\nasync def act(tx: Tx) -> None: ...\n"
    assert mixes_both(snippet(crypto)) == []
