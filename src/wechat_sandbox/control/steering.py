"""Control API: faults, expiry, time and quotas - what makes WeChat misbehave or run out."""

from typing import Annotated, Any

import msgspec
from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK

from wechat_sandbox import faults, quotas
from wechat_sandbox.api.registry import ENDPOINTS
from wechat_sandbox.api.tokens import expire_tokens
from wechat_sandbox.clock import iso
from wechat_sandbox.control.access import Refused, get_account
from wechat_sandbox.faults import FaultRule
from wechat_sandbox.sandbox import Sandbox

RULES_MAX = 100
YEAR_SECONDS = 366 * 86_400


class ReplaceFaults(msgspec.Struct, forbid_unknown_fields=True):
    rules: Annotated[list[FaultRule], msgspec.Meta(max_length=RULES_MAX)]


class ExpireTokens(msgspec.Struct, forbid_unknown_fields=True):
    account: str | None = None


class MoveClock(msgspec.Struct, forbid_unknown_fields=True):
    advance_seconds: Annotated[float, msgspec.Meta(ge=0, le=YEAR_SECONDS)]


class LimitQuota(msgspec.Struct, forbid_unknown_fields=True):
    account: str
    api: str
    daily_limit: Annotated[int, msgspec.Meta(ge=0)]


def _faults(sandbox: Sandbox) -> dict[str, Any]:
    with sandbox.database.transaction() as tx:
        return {"rules": faults.list_rules(tx)}


@get("/faults")
async def show_faults(sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    return _faults(sandbox)


@put("/faults")
async def replace_faults(data: ReplaceFaults, sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    with sandbox.database.transaction() as tx:
        faults.replace_rules(tx, data.rules)
    return _faults(sandbox)


@delete("/faults", status_code=HTTP_200_OK)
async def clear_faults(sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    with sandbox.database.transaction() as tx:
        faults.replace_rules(tx, [])
    return _faults(sandbox)


@post("/faults/expire-tokens", status_code=HTTP_200_OK)
async def expire_all_tokens(
    sandbox: NamedDependency[Sandbox], data: ExpireTokens | None = None
) -> dict[str, int]:
    """Every live token and ticket ends now; the next call with one gets 42001."""
    with sandbox.database.transaction() as tx:
        account = None if data is None else data.account
        if account is not None:
            get_account(tx, account)
        return {"expired": expire_tokens(tx, account=account)}


@get("/clock")
async def show_clock(sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    return {"now": iso(sandbox.clock.now()), "offset_seconds": sandbox.clock.offset_seconds}


@post("/clock", status_code=HTTP_200_OK)
async def move_clock(data: MoveClock, sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    """Let time pass at once: tokens age, message windows close, codes expire, quotas turn over."""
    sandbox.move_clock(data.advance_seconds)
    return {"now": iso(sandbox.clock.now()), "offset_seconds": sandbox.clock.offset_seconds}


@put("/quotas")
async def limit_quota(data: LimitQuota, sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    """Give an account another daily limit for one API."""
    if data.api not in ENDPOINTS:
        raise Refused(422, "quota.unknown_api", f"there is no API {data.api!r}")
    with sandbox.database.transaction() as tx:
        get_account(tx, data.account)
        quotas.set_limit(tx, account=data.account, api=data.api, daily_limit=data.daily_limit)
    return msgspec.structs.asdict(data)


ROUTES = (
    show_faults,
    replace_faults,
    clear_faults,
    expire_all_tokens,
    show_clock,
    move_clock,
    limit_quota,
)
