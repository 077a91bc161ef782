"""The doctor on what WeChat sends: which console field the last refused callbacks speak of."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from o2o.app.doctor.report import Remark, fail, ok, warn
from o2o.crm.statuses import CallbackMode
from o2o.wechat.outcomes import Outcome

# Their signature was right, so WeChat sent them; the others anybody may send.
AUTHENTIC = frozenset(
    {Outcome.MODE_IS_NOT_PLAIN, Outcome.AES_KEY, Outcome.APPID, Outcome.ORIGINAL_ID}
)
# A handshake that went well proves these two; what is inside messages it does not prove.
SETTLED_BY_HANDSHAKE = frozenset({Outcome.TOKEN, Outcome.CLOCK})


class Seen(msgspec.Struct, frozen=True):
    """One outcome of callbacks: how often and when last."""

    outcome: Outcome
    count: int
    last_at: datetime


def judge_pushes(
    account: str,
    *,
    mode: CallbackMode,
    seen: Sequence[Seen],
    message_at: datetime | None,
    url: str,
) -> list[Remark]:
    """Name the field that is wrong, or say that messages come in, or that none has come yet.

    A refusal counts while nothing has gone well since: a message that was taken in proves every
    field, a handshake only the Token and the clock.
    """
    shaken_at = max((one.last_at for one in seen if one.outcome is Outcome.HANDSHAKE), default=None)
    open_faults = [
        one
        for one in seen
        if one.outcome is not Outcome.HANDSHAKE
        and _is_after(one.last_at, message_at)
        and not (one.outcome in SETTLED_BY_HANDSHAKE and not _is_after(one.last_at, shaken_at))
    ]
    authentic = _latest([one for one in open_faults if one.outcome in AUTHENTIC])
    anybodys = _latest([one for one in open_faults if one.outcome not in AUTHENTIC])
    if authentic and anybodys and not _is_after(anybodys.last_at, authentic.last_at):
        anybodys = None
    told = [one for one in (authentic, anybodys) if one is not None]
    if told:
        return [
            fail(
                f"push.{one.outcome.value}",
                account,
                at=_local(one.last_at),
                count=str(one.count),
                mode=mode.value,
                url=url,
            )
            for one in told
        ]
    if message_at is not None:
        return [ok("push.good", account, at=_local(message_at))]
    if shaken_at is not None:
        return [warn("push.handshake_only", account, at=_local(shaken_at))]
    return [warn("push.silent", account, url=url)]


def judge_unknown_names(
    seen: Sequence[Seen], *, slugs: Sequence[str], public_url: str
) -> list[Remark]:
    """Say that somebody called an address of no account: the console may have a slip in its URL."""
    return [
        warn(
            "push.unknown_name",
            at=_local(one.last_at),
            count=str(one.count),
            urls=" ".join(f"{public_url}/wechat/{slug}/callback" for slug in slugs),
        )
        for one in seen
        if one.outcome is Outcome.UNKNOWN_NAME
    ]


def _latest(seen: Sequence[Seen]) -> Seen | None:
    return max(seen, key=lambda one: one.last_at, default=None)


def _is_after(moment: datetime, other: datetime | None) -> bool:
    return other is None or moment > other


def _local(moment: datetime) -> str:
    """Return a moment in this machine's zone, as whoever reads the terminal has on the wrist."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
