"""What WeChat's error codes mean for us: try again, never again, or a setting somebody must change.

The words for people are in `wechat_errors.toml`. Codes: WECHAT.md §2 of the platform facts.
"""

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """What to do with a call that was refused."""

    LATER = "later"
    NEVER = "never"
    CONFIGURATION = "configuration"


class Advice(msgspec.Struct, frozen=True):
    """A verdict and, where WeChat gives a reason to, after how many seconds to try again."""

    verdict: Verdict
    after_seconds: float | None = None


CONFIGURATION_SECONDS = 300.0
QUOTA_SECONDS = 3600.0

_LATER = {
    -1: None,  # system busy
    45009: QUOTA_SECONDS,  # daily quota used up
    45011: 60.0,  # too frequent
    61450: None,  # system error
    9001002: None,  # remote service unavailable
}
_CONFIGURATION = frozenset(
    {
        40001,  # invalid credential
        40013,  # invalid appid
        40014,  # invalid access_token
        40037,  # template deleted on the platform
        40125,  # wrong secret
        40164,  # our address is not on the whitelist
        40243,  # secret frozen
        41001,
        41002,
        41004,
        42001,  # token expired, again after renewal
        48001,  # API not authorised
        48004,  # API banned
        50002,  # account restricted
    }
)
# Codes of these families tell what is wrong with this very request; the rest may pass.
_REQUEST_FAULTS = range(40_000, 49_000)


def advice_for(errcode: int) -> Advice:
    """Return what to do about an error code; unknown ones by their family."""
    if errcode in _LATER:
        return Advice(Verdict.LATER, _LATER[errcode])
    if errcode in _CONFIGURATION:
        return Advice(Verdict.CONFIGURATION, CONFIGURATION_SECONDS)
    if errcode in _REQUEST_FAULTS or errcode in {50_005, 70_000}:
        return Advice(Verdict.NEVER)
    return Advice(Verdict.LATER)


def advice_key(errcode: int) -> str:
    """Return the copy key under which the words for a code stand, if there are any."""
    return f"wechat_errors.{errcode}"
