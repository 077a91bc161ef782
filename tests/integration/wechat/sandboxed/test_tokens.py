"""Tokens: one renewal however many ask, in however many processes; refused ones likewise."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.clock import SystemClock
from o2o.wechat.api import STABLE_TOKEN, TICKET, TOKENS_MAX, WeChatAPI
from o2o.wechat.errors import WeChatAway, WeChatRefused
from o2o.wechat.gateway import Gateway
from o2o.wechat.tokens import Tokens
from tests.fakes.clock import FakeClock
from tests.integration.wechat.sandboxed.conftest import Stage

IPS = "/cgi-bin/get_api_domain_ip"


@pytest.fixture
def other_process(
    stage: Stage, sandbox_url: str, sessions: SessionFactory, seal: Seal
) -> WeChatAPI:
    """The API as another process has it: nothing cached, only the database is shared."""
    tokens = Tokens(sessions=sessions, seal=seal, clock=SystemClock())
    return WeChatAPI(gateway=Gateway(api_url=sandbox_url), tokens=tokens)


async def test_fifty_tasks_in_two_processes_cause_one_fetch(
    stage: Stage, other_process: WeChatAPI
) -> None:
    apis = [stage.services.api, other_process] * 25
    await asyncio.gather(*(api.get(stage.account, IPS) for api in apis))
    assert await stage.calls(STABLE_TOKEN) == 1
    assert await stage.rows("SELECT version, renewing_until FROM access_tokens") == [(1, None)]


async def test_the_token_is_not_readable_in_the_database(stage: Stage) -> None:
    token = await stage.services.api.access_token(stage.account)
    [(sealed,)] = await stage.rows("SELECT value_sealed FROM access_tokens")
    assert token.value.encode() not in bytes(sealed)
    assert token.value not in repr(token)


async def test_a_refused_token_is_renewed_once_for_everybody(
    stage: Stage, other_process: WeChatAPI
) -> None:
    await stage.services.api.get(stage.account, IPS)
    await other_process.get(stage.account, IPS)
    await stage.call("POST", "/_sandbox/faults/expire-tokens", account=stage.account.slug)
    apis = [stage.services.api, other_process] * 25
    answers = await asyncio.gather(*(api.get(stage.account, IPS) for api in apis))
    assert all("ip_list" in answer for answer in answers)
    assert await stage.calls(STABLE_TOKEN) == 2
    assert await stage.rows("SELECT version FROM access_tokens") == [(2,)]


async def test_when_wechat_repeats_the_refused_token_a_new_one_is_forced(stage: Stage) -> None:
    api = stage.services.api
    first = await api.access_token(stage.account)
    await stage.call("POST", "/_sandbox/clock", advance_seconds=31)
    await stage.fail(IPS, errcode=40001, times=1)
    assert "ip_list" in await api.get(stage.account, IPS)
    second = await api.access_token(stage.account)
    assert (second.version, second.value != first.value) == (first.version + 1, True)
    # The first, the one that repeated it, and the forced one.
    assert await stage.calls(STABLE_TOKEN) == 3


async def test_a_token_that_stays_refused_is_not_fetched_without_end(stage: Stage) -> None:
    await stage.services.api.get(stage.account, IPS)
    await stage.fail(IPS, errcode=40001)
    with pytest.raises(WeChatRefused) as refused:
        await stage.services.api.get(stage.account, IPS)
    assert refused.value.errcode == 40001
    assert await stage.calls(STABLE_TOKEN) <= 3
    assert await stage.calls(IPS) == 3


class EndingGateway(Gateway):
    """WeChat's API where somebody ends every token just before each of the next calls."""

    def __init__(self, stage: Stage, *, api_url: str, ends: int) -> None:
        """End tokens before so many calls with one."""
        super().__init__(api_url=api_url)
        self._stage, self._ends = stage, ends

    async def get(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """End the tokens, then call."""
        if self._ends > 0:
            self._ends -= 1
            slug = self._stage.account.slug
            await self._stage.call("POST", "/_sandbox/faults/expire-tokens", account=slug)
        return await super().get(path, params)


async def test_a_new_token_that_is_ended_again_is_renewed_again(
    stage: Stage, sandbox_url: str, sessions: SessionFactory, seal: Seal
) -> None:
    tokens = Tokens(sessions=sessions, seal=seal, clock=SystemClock())
    gateway = EndingGateway(stage, api_url=sandbox_url, ends=TOKENS_MAX - 1)
    api = WeChatAPI(gateway=gateway, tokens=tokens)
    assert "ip_list" in await api.get(stage.account, IPS)
    assert await stage.calls(IPS) == TOKENS_MAX
    assert await stage.calls(STABLE_TOKEN) == TOKENS_MAX
    assert await stage.rows("SELECT version FROM access_tokens") == [(TOKENS_MAX,)]


class RepeatingGateway(EndingGateway):
    """WeChat's API where the token after an ended one is refused once more, and given again."""

    async def get(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Refuse the second call."""
        if self._ends == 0:
            self._ends = -1
            # A forced token is given no sooner.
            await self._stage.call("POST", "/_sandbox/clock", advance_seconds=31)
            await self._stage.fail(path, errcode=40001, times=1)
        return await super().get(path, params)


async def test_a_second_refusal_may_force_a_token_where_the_first_had_not_to(
    stage: Stage, sandbox_url: str, sessions: SessionFactory, seal: Seal
) -> None:
    tokens = Tokens(sessions=sessions, seal=seal, clock=SystemClock())
    gateway = RepeatingGateway(stage, api_url=sandbox_url, ends=1)
    assert "ip_list" in await WeChatAPI(gateway=gateway, tokens=tokens).get(stage.account, IPS)
    # The first, the one after it, that one again, and the forced one.
    assert await stage.calls(STABLE_TOKEN) == 4
    assert await stage.calls(IPS) == 3


async def test_tokens_that_are_ended_without_end_are_not_renewed_without_end(
    stage: Stage, sandbox_url: str, sessions: SessionFactory, seal: Seal
) -> None:
    tokens = Tokens(sessions=sessions, seal=seal, clock=SystemClock())
    gateway = EndingGateway(stage, api_url=sandbox_url, ends=TOKENS_MAX)
    with pytest.raises(WeChatRefused) as refused:
        await WeChatAPI(gateway=gateway, tokens=tokens).get(stage.account, IPS)
    assert refused.value.errcode == 42001
    assert await stage.calls(IPS) == TOKENS_MAX


async def test_a_token_is_renewed_ahead_of_its_expiry(
    stage: Stage, sandbox_url: str, sessions: SessionFactory, seal: Seal
) -> None:
    clock = FakeClock(SystemClock().now())
    tokens = Tokens(sessions=sessions, seal=seal, clock=clock)
    api = WeChatAPI(gateway=Gateway(api_url=sandbox_url), tokens=tokens)
    first = await api.access_token(stage.account)
    clock.advance(seconds=7200 - 241)
    assert await api.access_token(stage.account) == first
    clock.advance(seconds=2)
    await stage.call("POST", "/_sandbox/clock", advance_seconds=7200 - 200)
    second = await api.access_token(stage.account)
    assert second.version == 2
    assert second.value != first.value


async def test_a_failed_fetch_gives_the_lease_back(stage: Stage) -> None:
    await stage.fail(STABLE_TOKEN, status=502, times=1)
    with pytest.raises(WeChatAway):
        await stage.services.api.access_token(stage.account)
    assert await stage.rows("SELECT version, renewing_until FROM access_tokens") == [(0, None)]
    assert (await stage.services.api.access_token(stage.account)).version == 1


async def test_a_dead_holder_of_the_lease_is_replaced(
    stage: Stage, sessions: SessionFactory
) -> None:
    await stage.services.api.access_token(stage.account)
    async with transaction(sessions) as tx:
        await tx.execute(
            text("UPDATE access_tokens SET value_sealed = NULL, renewing_until = :until"),
            {"until": SystemClock().now() + timedelta(seconds=0.5)},
        )
    stage.services.api._tokens._cached.clear()
    assert (await stage.services.api.access_token(stage.account)).version == 2


async def test_tickets_are_shared_like_tokens(stage: Stage, other_process: WeChatAPI) -> None:
    tickets = await asyncio.gather(
        *(api.jsapi_ticket(stage.account) for api in [stage.services.api, other_process] * 10)
    )
    assert len(set(tickets)) == 1
    assert await stage.calls(TICKET) == 1


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 302}, {"drop": True}])
async def test_what_is_no_answer_is_away(stage: Stage, fault: dict[str, object]) -> None:
    await stage.services.api.get(stage.account, IPS)
    await stage.fail(IPS, times=1, **fault)
    with pytest.raises(WeChatAway):
        await stage.services.api.get(stage.account, IPS)
    assert "ip_list" in await stage.services.api.get(stage.account, IPS)


async def test_nobody_there_is_away(stage: Stage) -> None:
    gateway = Gateway(api_url="http://127.0.0.1:9")
    with pytest.raises(WeChatAway):
        await gateway.get(IPS, {"access_token": "x"})
    gateway.close()
