"""Pay out a refund that a member asked for, or refuse it with a reason: by staff, never alone.

The member asked (with the pay PIN or a fresh sign-in), a person on our side pays: at a pad inside
the member's visit, or by bank transfer at the console.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from o2o.crm.privacy import RefundRequest
from o2o.crm.statuses import RefundPayout, RefundStatus, StaffRoleName, Tender, VisitVia
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.kernel.errors import Fact
from o2o.kernel.ids import (
    BrandId,
    MemberId,
    RequestId,
    StaffId,
    StoreId,
    TransferId,
    VisitId,
)
from o2o.kernel.text import without_controls
from o2o.ledger.actions.refund_stored_value import RefundStoredValue, refund_stored_value
from o2o.ledger.queries.transfers import find_transfers_of_request
from o2o.membership.actions.ask_refund import end_refund
from o2o.membership.actions.check_roles import check_brand_role
from o2o.membership.actions.check_visits import check_visits
from o2o.membership.errors_refunds import (
    RefundAmountChanged,
    RefundByRight,
    RefundEnded,
    RefundNeedsCode,
    RefundOverLimit,
    RefundRequestNotFound,
    RefundWrongPayout,
)
from o2o.membership.events import RefundDecided
from o2o.membership.queries.counter import lock_members
from o2o.membership.queries.refund_requests import find_refund_owner, lock_refund_request
from o2o.membership.scanners import AtPad
from o2o.staff.queries import list_covered

# What a clerk pays out without a manager, in fen (RELIABILITY, section 3.1).
CLERK_FEN_MAX = 20_000
IN_HAND = frozenset({Tender.CASH, Tender.BANK_CARD})
REFUSAL_CHARS_MAX = 200
PAID = "refund.paid"


class PaidRefund(msgspec.Struct, frozen=True, kw_only=True):
    """What left the card for good: `amount_fen` of principal."""

    transfer_id: TransferId
    amount_fen: int
    is_replay: bool


class _AtCounter(msgspec.Struct, frozen=True, kw_only=True):
    """The payout as the check of visits wants to see it."""

    request_id: RequestId
    member_id: UUID
    visit_id: UUID
    by: AtPad
    now: datetime
    code_hash: bytes | None = None


async def pay_refund_at_pad(
    tx: Tx,
    *,
    request_id: RequestId,
    refund_id: UUID,
    visit_id: UUID,
    expected_fen: int,
    tender: Tender,
    by: AtPad,
    now: datetime,
) -> PaidRefund:
    """Hand a refund over inside the member's visit; `expected_fen` is what the pad showed.

    Raises RefundRequestNotFound, RefundNeedsCode, RefundWrongPayout, RefundOverLimit, RefundEnded,
    RefundAmountChanged, what check_visits and refund_stored_value refuse. Publishes
    refund.decided.
    """
    member_id = await find_refund_owner(tx, refund_id)
    if member_id is None:
        raise RefundRequestNotFound
    [cleared] = await check_visits(
        tx,
        [_AtCounter(request_id=request_id, member_id=member_id, visit_id=visit_id, by=by, now=now)],
    )
    if cleared.refusal is not None:
        raise cleared.refusal
    if cleared.via is not VisitVia.CODE:
        # A card or a phone's tail says who somebody says to be; money is handed to the member.
        raise RefundNeedsCode
    wish = await _lock_of_member(tx, refund_id, member_id=member_id)
    if wish.payout is not RefundPayout.COUNTER or tender not in IN_HAND:
        raise RefundWrongPayout
    if expected_fen > CLERK_FEN_MAX and not await _is_manager(tx, by):
        raise RefundOverLimit(limit_fen=CLERK_FEN_MAX)
    return await _pay(
        tx,
        wish,
        request_id=request_id,
        expected_fen=expected_fen,
        tender=tender,
        store_id=by.store_id,
        visit_id=visit_id,
        staff_id=by.staff_id,
        now=now,
    )


async def pay_refund_by_bank(
    tx: Tx,
    *,
    request_id: RequestId,
    refund_id: UUID,
    brand_id: UUID,
    expected_fen: int,
    staff_id: UUID,
    now: datetime,
) -> PaidRefund:
    """Note that finance sent the money to the member's bank account.

    Raises RoleMissing (finance only), RefundRequestNotFound, RefundWrongPayout, RefundEnded,
    RefundAmountChanged, what refund_stored_value refuses. Publishes refund.decided.
    """
    wish = await _lock_of_brand(tx, refund_id, brand_id=brand_id)
    await check_brand_role(
        tx,
        staff_id=staff_id,
        brand_id=brand_id,
        roles={StaffRoleName.FINANCE},
        store_id=wish.store_id,
    )
    if wish.payout is not RefundPayout.BANK:
        raise RefundWrongPayout
    return await _pay(
        tx,
        wish,
        request_id=request_id,
        expected_fen=expected_fen,
        tender=Tender.TRANSFER,
        store_id=wish.store_id,
        visit_id=None,
        staff_id=staff_id,
        now=now,
    )


async def refuse_refund(
    tx: Tx, *, refund_id: UUID, brand_id: UUID, reason: str, staff_id: UUID, now: datetime
) -> None:
    """Refuse what is not the member's by right, with a reason that the member reads.

    Raises RoleMissing (managers and finance), RefundRequestNotFound, RefundByRight, RefundEnded.
    """
    wish = await _lock_of_brand(tx, refund_id, brand_id=brand_id)
    await check_brand_role(
        tx,
        staff_id=staff_id,
        brand_id=brand_id,
        roles={StaffRoleName.MANAGER, StaffRoleName.FINANCE},
        store_id=wish.store_id,
    )
    if wish.is_by_right:
        raise RefundByRight
    told = without_controls(reason)[:REFUSAL_CHARS_MAX] or "-"
    await end_refund(
        tx, wish, status=RefundStatus.REFUSED, refusal=told, staff_id=staff_id, now=now
    )
    await _tell(tx, wish, action="refund.refused", staff_id=staff_id, now=now)


async def _lock_of_brand(tx: Tx, refund_id: UUID, *, brand_id: UUID) -> RefundRequest:
    """Raises RefundRequestNotFound."""
    member_id = await find_refund_owner(tx, refund_id)
    if member_id is None:
        raise RefundRequestNotFound
    wish = await _lock_of_member(tx, refund_id, member_id=member_id)
    if wish.brand_id != brand_id:
        raise RefundRequestNotFound
    return wish


async def _lock_of_member(tx: Tx, refund_id: UUID, *, member_id: UUID) -> RefundRequest:
    """Members before their wishes, as everybody locks them. Raises RefundRequestNotFound."""
    await lock_members(tx, {member_id})
    wish = await lock_refund_request(tx, refund_id)
    # It went along with its member, who became another meanwhile.
    if wish.member_id != member_id:
        raise RefundRequestNotFound
    return wish


async def _is_manager(tx: Tx, by: AtPad) -> bool:
    return bool(
        await list_covered(
            tx, [(by.staff_id, by.store_id)], roles=frozenset({StaffRoleName.MANAGER})
        )
    )


async def _pay(
    tx: Tx,
    wish: RefundRequest,
    *,
    request_id: RequestId,
    expected_fen: int,
    tender: Tender,
    store_id: UUID,
    visit_id: UUID | None,
    staff_id: UUID,
    now: datetime,
) -> PaidRefund:
    if wish.status is not RefundStatus.ASKED:
        # Only the very same payout is answered again.
        paid = {transfer.id for transfer in await find_transfers_of_request(tx, request_id)}
        if wish.transfer_id not in paid:
            raise RefundEnded
    [done] = await refund_stored_value(
        tx,
        [
            RefundStoredValue(
                request_id=request_id,
                member_id=MemberId(wish.member_id),
                store_id=StoreId(store_id),
                top_up_id=TransferId(wish.top_up_id) if wish.top_up_id else None,
                tender=tender,
                within_days=None,
                visit_id=VisitId(visit_id) if visit_id else None,
                staff_id=StaffId(staff_id),
                now=now,
            )
        ],
    )
    if isinstance(done, Fact):
        raise done
    if done.principal_fen != expected_fen:
        # Undone with the transaction: whoever pays out has to see the right amount first.
        raise RefundAmountChanged(refund_fen=done.principal_fen)
    if not done.is_replay:
        await end_refund(
            tx,
            wish,
            status=RefundStatus.PAID,
            transfer_id=done.transfer_id,
            staff_id=staff_id,
            now=now,
        )
        await _tell(
            tx,
            wish,
            action=PAID,
            staff_id=staff_id,
            now=now,
            amount_fen=done.principal_fen,
            tender=tender.value,
        )
    return PaidRefund(
        transfer_id=done.transfer_id, amount_fen=done.principal_fen, is_replay=done.is_replay
    )


async def _tell(
    tx: Tx, wish: RefundRequest, *, action: str, staff_id: UUID, now: datetime, **detail: int | str
) -> None:
    await note(
        tx,
        actor=Actor("staff", staff_id),
        action=action,
        at=now,
        subject=("member", wish.member_id),
        store_id=wish.store_id,
        refund_id=str(wish.id),
        **detail,
    )
    await publish(
        tx,
        RefundDecided(
            refund_id=wish.id,
            member_id=MemberId(wish.member_id),
            brand_id=BrandId(wish.brand_id),
            is_paid=action == PAID,
            amount_fen=int(detail.get("amount_fen", 0)),
            tender=str(detail.get("tender", "")),
            at=now,
        ),
        now=now,
    )
