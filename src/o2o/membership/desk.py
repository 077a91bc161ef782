"""The desk: what systems with a key do beside charging, committed in batches per process.

The way in for the API; a refusal is raised after what it changed is committed.
"""

from datetime import timedelta
from typing import Literal
from uuid import UUID

from o2o.infra.coalescer import Coalescer
from o2o.infra.database import SessionFactory
from o2o.infra.seal import Seal
from o2o.kernel.clock import Clock
from o2o.kernel.ids import MemberId, RequestId
from o2o.ledger.actions.end_holds import Transferred
from o2o.ledger.actions.grant_points import PointsMoved
from o2o.ledger.actions.hold_stored_value import Held
from o2o.membership.actions.end_holds_by_key import (
    EndHold,
    post_holds_by_key,
    void_holds_by_key,
)
from o2o.membership.actions.hold_at_counter import HoldAtCounter, hold_at_counter
from o2o.membership.actions.issue_member_code import code_hash
from o2o.membership.actions.move_points_by_key import (
    MovePoints,
    grant_points_by_key,
    spend_points_by_key,
)
from o2o.membership.actions.recognise_codes import RecogniseCode, recognise_codes
from o2o.membership.actions.reverse_by_key import (
    ReverseByKey,
    reverse_debits_by_key,
    reverse_top_ups_by_key,
)
from o2o.membership.scanners import ByKey
from o2o.membership.till import member_code_of

__all__ = ["Desk", "Held", "PointsMoved", "Transferred"]


class Desk:
    """Look-ups, holds, reversals and points of one process."""

    def __init__(
        self, *, sessions: SessionFactory, seal: Seal, clock: Clock, public_url: str = ""
    ) -> None:
        """Start the queues; they run only when something is in them."""
        self._seal = seal
        self._clock = clock
        self._public_url = public_url
        self._codes = Coalescer(recognise_codes, sessions=sessions)
        self._holds = Coalescer(hold_at_counter, sessions=sessions)
        self._posts = Coalescer(post_holds_by_key, sessions=sessions)
        self._voids = Coalescer(void_holds_by_key, sessions=sessions)
        self._debits = Coalescer(reverse_debits_by_key, sessions=sessions)
        self._top_ups = Coalescer(reverse_top_ups_by_key, sessions=sessions)
        self._grants = Coalescer(grant_points_by_key, sessions=sessions)
        self._spends = Coalescer(spend_points_by_key, sessions=sessions)

    async def recognise(self, text: str, *, key_id: UUID, brand_id: UUID | None) -> MemberId:
        """Return whose live code that is, without spending it.

        Raises what member_code_of and recognise_codes raise.
        """
        return await self._codes.submit(
            RecogniseCode(
                code_hash=self._hash(text), key_id=key_id, brand_id=brand_id, now=self._clock.now()
            )
        )

    async def hold(
        self,
        *,
        request_id: UUID,
        member_id: UUID,
        amount_fen: int,
        lasting: timedelta,
        by: ByKey,
        reason: str | None = None,
        visit_id: UUID | None = None,
        member_code: str | None = None,
    ) -> Held:
        """Set an amount aside. Raises the facts of hold_at_counter and of member_code_of."""
        now = self._clock.now()
        return await self._holds.submit(
            HoldAtCounter(
                request_id=RequestId(request_id),
                member_id=member_id,
                amount_fen=amount_fen,
                expires_at=now + lasting,
                by=by,
                reason=reason,
                visit_id=visit_id,
                code_hash=self._hash(member_code) if member_code is not None else None,
                now=now,
            )
        )

    async def post_hold(
        self,
        *,
        request_id: UUID,
        hold_id: UUID,
        amount_fen: int | None,
        key_id: UUID,
        brand_id: UUID | None,
    ) -> Transferred:
        """Sell for a hold, in whole or in part. Raises the facts of post_holds_by_key."""
        return await self._posts.submit(
            EndHold(
                request_id=RequestId(request_id),
                hold_id=hold_id,
                amount_fen=amount_fen,
                key_id=key_id,
                brand_id=brand_id,
                now=self._clock.now(),
            )
        )

    async def void_hold(
        self, *, request_id: UUID, hold_id: UUID, key_id: UUID, brand_id: UUID | None
    ) -> Transferred:
        """Give a hold back. Raises the facts of void_holds_by_key."""
        return await self._voids.submit(
            EndHold(
                request_id=RequestId(request_id),
                hold_id=hold_id,
                key_id=key_id,
                brand_id=brand_id,
                now=self._clock.now(),
            )
        )

    async def reverse(
        self,
        what: Literal["debit", "top_up"],
        *,
        request_id: UUID,
        transfer_id: UUID,
        amount_fen: int | None,
        reason: str,
        key_id: UUID,
        brand_id: UUID | None,
    ) -> Transferred:
        """Take a transfer back, in whole or in part.

        Raises the facts of reverse_debits_by_key or reverse_top_ups_by_key.
        """
        command = ReverseByKey(
            request_id=RequestId(request_id),
            transfer_id=transfer_id,
            amount_fen=amount_fen,
            reason=reason,
            key_id=key_id,
            brand_id=brand_id,
            now=self._clock.now(),
        )
        return await (self._debits if what == "debit" else self._top_ups).submit(command)

    async def move_points(
        self,
        *,
        request_id: UUID,
        member_id: UUID,
        delta: int,
        store_id: UUID | None,
        reason: str,
        key_id: UUID,
        brand_id: UUID | None,
    ) -> PointsMoved:
        """Grant (delta > 0) or spend (delta < 0) points; in no store, in the member's own.

        Raises the facts of grant_points_by_key or spend_points_by_key.
        """
        command = MovePoints(
            request_id=RequestId(request_id),
            member_id=member_id,
            points=abs(delta),
            store_id=store_id,
            reason=reason,
            key_id=key_id,
            brand_id=brand_id,
            now=self._clock.now(),
        )
        return await (self._grants if delta > 0 else self._spends).submit(command)

    async def drain(self) -> None:
        """Wait until everything submitted so far is answered (for a clean shutdown)."""
        for queue in (
            self._codes,
            self._holds,
            self._posts,
            self._voids,
            self._debits,
            self._top_ups,
            self._grants,
            self._spends,
        ):
            await queue.drain()

    def _hash(self, text: str) -> bytes:
        return code_hash(self._seal, member_code_of(text, public_url=self._public_url))
