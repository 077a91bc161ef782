"""What the pad shows: the counter's frame, the visit, today's visits, the receipt."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.crm.statuses import TransferKind, VisitVia
from o2o.infra.database import Tx
from o2o.kernel.business_day import day_began
from o2o.kernel.ids import BrandId, StoreId, new_request_id
from o2o.kernel.money import format_yuan
from o2o.kernel.text import mask_name
from o2o.ledger.actions.top_up_stored_value import prepaid_limit_fen
from o2o.membership.queries import LiveVisit, get_member_view
from o2o.membership.queries.pad_day import PadVisit, Receipt, list_visits_of_pad
from o2o.membership.queries.programmes import PackageOffer, list_packages
from o2o.membership.rules.limits import VISIT_LASTS
from o2o.stores.queries import get_brand, get_store
from o2o.web.principals import Clerk

SHORT_NUMBER_CHARS = 8


class PadFrame(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds every page of a signed-in pad."""

    brand_slug: str
    brand_name: str
    store_name: str
    clerk_name: str
    timezone: str


class TodayMove(msgspec.Struct, frozen=True, kw_only=True):
    """A charge or top-up of today; what left the card is negative."""

    transfer_id: UUID
    is_charge: bool
    amount_fen: int


class TodayLine(msgspec.Struct, frozen=True, kw_only=True):
    """A visit of today in the pad's list."""

    visit_id: UUID
    # Masked; None where the member has no name.
    who: str | None
    at: datetime
    is_live: bool
    moves: list[TodayMove]


class TopUpOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A package at a tap; one that the card has no room for is shown but cannot be chosen."""

    package_id: UUID
    name: str
    # As a clerk would type it.
    principal_yuan: str
    bonus_fen: int
    bonus_points: int
    gets_fen: int
    fits: bool


class VisitPage(msgspec.Struct, frozen=True, kw_only=True):
    """The member at the counter and what can be done for them."""

    visit_id: UUID
    member_id: UUID
    who: str | None
    phone_masked: str | None
    tier_name: str
    card_tail: str
    is_named: bool
    balance_fen: int
    principal_fen: int
    bonus_fen: int
    points: int
    # Only known by phone tail or printed card: what the card holds is not shown.
    is_identified_only: bool
    # How much the card may hold, and how much of that is free.
    limit_fen: int
    room_fen: int
    expires_at: datetime
    seconds_left: int
    # The same as people read it, and of the five minutes in a hundred.
    time_left: str
    percent_left: int
    offers: list[TopUpOffer]
    # One intention each time the page is shown; the browser keeps it until it is answered.
    charge_request_id: UUID
    top_up_request_id: UUID


class PadVisitContext(msgspec.Struct, frozen=True, kw_only=True):
    """What panels in the slot `pad.visit` are given."""

    visit_id: UUID
    member_id: UUID
    store_id: UUID
    brand_id: UUID
    now: datetime


class ReceiptPage(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt: on the screen right after, and on paper."""

    receipt: Receipt
    who: str | None
    card_tail: str
    short_number: str
    # Whether this pad may go on serving the member.
    can_continue: bool


async def pad_frame(tx: Tx, clerk: Clerk) -> PadFrame:
    """Return the frame of a clerk's pages."""
    brand = await get_brand(tx, clerk.brand_id)
    store = await get_store(tx, clerk.store_id)
    return PadFrame(
        brand_slug=brand.slug,
        brand_name=brand.name,
        store_name=store.name,
        clerk_name=clerk.name,
        timezone=store.timezone,
    )


async def today_of(tx: Tx, clerk: Clerk, *, now: datetime) -> list[TodayLine]:
    """Return this pad's latest visits of the store's business day."""
    store = await get_store(tx, clerk.store_id)
    since = day_began(now, hours=store.hours, timezone=store.timezone)
    visits = await list_visits_of_pad(tx, clerk.pad_id, since=since, now=now, limit=12)
    return [_line(visit) for visit in visits]


def _line(visit: PadVisit) -> TodayLine:
    return TodayLine(
        visit_id=visit.visit_id,
        who=mask_name(visit.member_name),
        at=visit.opened_at,
        is_live=visit.is_live,
        moves=[
            TodayMove(
                transfer_id=move.transfer_id,
                is_charge=move.kind is TransferKind.DEBIT,
                amount_fen=-move.amount_fen if move.kind is TransferKind.DEBIT else move.amount_fen,
            )
            for move in visit.moves
        ],
    )


async def visit_page(tx: Tx, visit: LiveVisit, *, brand_id: UUID, now: datetime) -> VisitPage:
    """Return what a live visit shows."""
    member = await get_member_view(tx, visit.member_id, brand_id=brand_id)
    limit_fen = prepaid_limit_fen(is_named=member.is_named)
    room_fen = max(0, limit_fen - member.balance_fen)
    packages = await list_packages(tx, BrandId(brand_id), store_id=StoreId(visit.store_id), now=now)
    seconds_left = max(0, int((visit.expires_at - now).total_seconds()))
    return VisitPage(
        visit_id=visit.visit_id,
        member_id=member.id,
        who=mask_name(member.name),
        phone_masked=member.phone_masked,
        tier_name=member.tier.name,
        card_tail=member.card_no[-4:],
        is_named=member.is_named,
        balance_fen=member.balance_fen,
        principal_fen=member.principal_fen,
        bonus_fen=member.bonus_fen,
        points=member.points,
        limit_fen=limit_fen,
        room_fen=room_fen,
        expires_at=visit.expires_at,
        seconds_left=seconds_left,
        time_left=f"{seconds_left // 60}:{seconds_left % 60:02d}",
        percent_left=seconds_left * 100 // int(VISIT_LASTS.total_seconds()),
        is_identified_only=visit.via is not VisitVia.CODE,
        offers=_offers(packages, limit_fen=limit_fen, room_fen=room_fen),
        charge_request_id=new_request_id(),
        top_up_request_id=new_request_id(),
    )


def _offers(packages: Sequence[PackageOffer], *, limit_fen: int, room_fen: int) -> list[TopUpOffer]:
    return [
        TopUpOffer(
            package_id=package.id,
            name=package.name,
            principal_yuan=_yuan(package.principal_fen),
            bonus_fen=package.bonus_fen,
            bonus_points=package.bonus_points,
            gets_fen=package.principal_fen + package.bonus_fen,
            fits=package.principal_fen + package.bonus_fen <= room_fen,
        )
        for package in packages
        # What not even an empty card of this kind may hold is no offer.
        if package.principal_fen + package.bonus_fen <= limit_fen
    ]


def _yuan(amount_fen: int) -> str:
    return format_yuan(amount_fen).replace(",", "").removesuffix(".00")


def receipt_page(receipt: Receipt, *, pad_id: UUID) -> ReceiptPage:
    """Return what a receipt shows."""
    return ReceiptPage(
        receipt=receipt,
        who=mask_name(receipt.member_name),
        card_tail=receipt.card_no[-4:],
        short_number=receipt.transfer_id.hex[-SHORT_NUMBER_CHARS:].upper(),
        can_continue=receipt.is_visit_live and receipt.pad_id == pad_id,
    )
