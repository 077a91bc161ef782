"""Daily quotas per account and API, turning over at midnight in China."""

from typing import Any

from wechat_sandbox.clock import china_day
from wechat_sandbox.database import Transaction


def used_today(tx: Transaction, *, account: str, api: str) -> int:
    return tx.number(
        "SELECT used FROM quotas WHERE account = :account AND api = :api AND day = :day",
        account=account,
        api=api,
        day=china_day(tx.now),
    )


def limit_of(tx: Transaction, *, account: str, api: str, default: int) -> int:
    """The account's own limit where one was set, else WeChat's for a new certified account."""
    row = tx.row(
        "SELECT daily_limit FROM quota_limits WHERE account = :account AND api = :api",
        account=account,
        api=api,
    )
    return default if row is None else int(row["daily_limit"])


def set_limit(tx: Transaction, *, account: str, api: str, daily_limit: int) -> None:
    tx.run(
        "INSERT INTO quota_limits (account, api, daily_limit) VALUES (:account, :api, :daily_limit)"
        " ON CONFLICT (account, api) DO UPDATE SET daily_limit = excluded.daily_limit",
        account=account,
        api=api,
        daily_limit=daily_limit,
    )


def count_call(tx: Transaction, *, account: str, api: str) -> None:
    tx.run(
        "INSERT INTO quotas (account, api, day, used) VALUES (:account, :api, :day, 1)"
        " ON CONFLICT (account, api, day) DO UPDATE SET used = used + 1",
        account=account,
        api=api,
        day=china_day(tx.now),
    )


def clear(tx: Transaction, *, account: str) -> None:
    """Forget today's use of everything except the clearing itself, which has a monthly limit."""
    tx.run(
        "DELETE FROM quotas WHERE account = :account AND day = :day"
        " AND api NOT LIKE '%clear_quota'",
        account=account,
        day=china_day(tx.now),
    )


def used_since(tx: Transaction, *, account: str, api: str, first_day: int) -> int:
    return tx.number(
        "SELECT sum(used) FROM quotas WHERE account = :account AND api = :api AND day >= :day",
        account=account,
        api=api,
        day=first_day,
    )


def list_quotas(tx: Transaction) -> list[dict[str, Any]]:
    today = china_day(tx.now)
    rows = tx.rows("SELECT account, api, day, used FROM quotas ORDER BY day DESC, account, api")
    return [dict(row) | {"is_today": row["day"] == today} for row in rows]
