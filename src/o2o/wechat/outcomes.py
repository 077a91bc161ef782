"""Outcomes of callbacks that reached no inbox, named by the console field they speak of.

WeChat tells nobody why it went unanswered; whoever sets the account up sees only the console.
What was refused is therefore counted per account, so that `o2o doctor` can name the field.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.logging import get_logger
from o2o.wechat.actions.note_outcomes import note_outcomes
from o2o.wechat.codec.errors import CallbackRefused, RefusalCode

log = get_logger(__name__)

# Refusals can be had by anybody for the asking: they are written this often and no oftener.
PAUSE_SECONDS = 5.0
# The doctor's own handshakes begin so; they say nothing of what the console has.
DOCTOR_ECHO = "doctor"
NO_ACCOUNT = ""


class Outcome(StrEnum):
    """What a callback says about the account's settings."""

    HANDSHAKE = "handshake"
    # Anybody can bring these about: they count only while nothing right has come since.
    TOKEN = "token"  # noqa: S105 - the name of a console field
    MODE_IS_PLAIN = "mode_is_plain"
    JSON = "json"
    CLOCK = "clock"
    UNKNOWN_NAME = "unknown_name"
    UNREADABLE = "unreadable"
    # These came after a right signature, so WeChat itself sent them.
    MODE_IS_NOT_PLAIN = "mode_is_not_plain"
    AES_KEY = "aes_key"
    APPID = "appid"
    ORIGINAL_ID = "original_id"


_OUTCOMES = {
    (RefusalCode.SIGNATURE_INVALID, ""): Outcome.TOKEN,
    (RefusalCode.MESSAGE_SIGNATURE_INVALID, ""): Outcome.TOKEN,
    (RefusalCode.MESSAGE_SIGNATURE_INVALID, "not encrypted"): Outcome.MODE_IS_PLAIN,
    (
        RefusalCode.DECRYPT_FAILED,
        "encrypted, but the account's mode is plain",
    ): Outcome.MODE_IS_NOT_PLAIN,
    (RefusalCode.REPLAYED, "timestamp"): Outcome.CLOCK,
    (RefusalCode.ACCOUNT_UNKNOWN, "ToUserName"): Outcome.ORIGINAL_ID,
    (RefusalCode.ACCOUNT_UNKNOWN, "no such account"): Outcome.UNKNOWN_NAME,
}
_BY_CODE = {
    RefusalCode.DECRYPT_FAILED: Outcome.AES_KEY,
    RefusalCode.LENGTH_ILLEGAL: Outcome.AES_KEY,
    RefusalCode.APPID_MISMATCH: Outcome.APPID,
    RefusalCode.JSON_UNSUPPORTED: Outcome.JSON,
    RefusalCode.XML_BROKEN: Outcome.UNREADABLE,
    RefusalCode.ENCODING_INVALID: Outcome.UNREADABLE,
}


def outcome_of(refusal: CallbackRefused) -> Outcome | None:
    """Return what a refusal says about the account's settings; None if nothing."""
    return _OUTCOMES.get((refusal.code, refusal.reason)) or _BY_CODE.get(refusal.code)


class Outcomes:
    """Counts outcomes in the process and writes them down beside the requests."""

    def __init__(self, *, sessions: SessionFactory, now: Callable[[], datetime]) -> None:
        """Start with nothing counted."""
        self._sessions = sessions
        self._now = now
        self._counts: dict[tuple[str, str], tuple[int, datetime]] = {}
        self._writing: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def note_refusal(self, account: str | None, refusal: CallbackRefused) -> None:
        """Count a refusal; `account` is None when the address names none of ours."""
        outcome = outcome_of(refusal)
        if outcome is not None:
            self._count(NO_ACCOUNT if account is None else account, outcome)

    def note_handshake(self, account: str, echo: str) -> None:
        """Count a handshake, unless the doctor shook hands with us."""
        if not echo.startswith(DOCTOR_ECHO):
            self._count(account, Outcome.HANDSHAKE)

    async def close(self) -> None:
        """Write what is counted and count no more."""
        self._stopping.set()
        if self._writing is not None:
            await self._writing

    def _count(self, account: str, outcome: Outcome) -> None:
        count, _ = self._counts.get((account, outcome.value), (0, None))
        self._counts[account, outcome.value] = (count + 1, self._now())
        if self._writing is None and not self._stopping.is_set():
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._counts:
                counts, self._counts = self._counts, {}
                try:
                    async with transaction(self._sessions) as tx:
                        await note_outcomes(tx, counts)
                except Exception as error:  # noqa: BLE001 - a note is not worth a callback
                    log.warning("wechat.outcomes_not_noted", error=repr(error))
                try:
                    await asyncio.wait_for(self._stopping.wait(), PAUSE_SECONDS)
                except TimeoutError:
                    continue
        finally:
            self._writing = None
