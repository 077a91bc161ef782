"""What the pages about phone, name, cards and merges show: typed views, made in one place."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.crm.statuses import OfflineCardStatus, VerificationPurpose
from o2o.infra.database import Tx
from o2o.kernel.ids import RequestId, new_request_id
from o2o.kernel.text import mask_phone
from o2o.ledger.actions.top_up_stored_value import prepaid_limit_fen
from o2o.membership.queries import MemberView, get_member_view
from o2o.membership.queries.identity import find_own_phone
from o2o.membership.queries.merge_preview import (
    MergePreview,
    UndoableMerge,
    list_undoable_merges,
)
from o2o.membership.queries.offline_cards import OwnCard, list_offline_cards
from o2o.membership.queries.verifications import find_proof, find_waiting_code
from o2o.membership.rules.verification import TRIES_MAX
from o2o.membership.web.views import DinerFrame, grouped
from o2o.web.forms import Fault
from o2o.web.principals import Diner


class BoughtCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card bought over the counter."""

    id: UUID
    groups: tuple[str, ...]
    status: str
    is_usable: bool

    @classmethod
    def of(cls, card: OwnCard) -> "BoughtCard":
        """Show a card to its member."""
        usable = {OfflineCardStatus.UNBOUND, OfflineCardStatus.BOUND}
        return cls(
            id=card.id,
            groups=grouped(card.card_no),
            status=card.status.value,
            is_usable=card.status in usable,
        )


class BindPage(msgspec.Struct, frozen=True, kw_only=True):
    """Phone, name and cards of a diner, member or not. `told` is a key of `identity.told`."""

    is_member: bool
    name: str
    phone_masked: str
    is_verified: bool
    is_named: bool
    limit_fen: int
    named_limit_fen: int
    card_groups: tuple[str, ...]
    bought: list[BoughtCard]
    merges: list[UndoableMerge]
    sms_offered: bool
    terms_version: str
    told: str = ""
    fault: Fault | None = None
    # Which form the fault belongs to, and what was typed there.
    fault_in: str = ""
    typed: dict[str, str] = {}


async def load_bind_page(
    tx: Tx,
    diner: Diner,
    *,
    frame: DinerFrame,
    sms_offered: bool,
    now: datetime,
    told: str = "",
    fault: Fault | None = None,
    fault_in: str = "",
    typed: dict[str, str] | None = None,
) -> BindPage:
    """Read what the page shows."""
    member: MemberView | None = None
    bought: Sequence[OwnCard] = ()
    merges: list[UndoableMerge] = []
    is_verified = False
    if diner.member_id is not None:
        member = await get_member_view(tx, diner.member_id, brand_id=diner.brand_id)
        bought = await list_offline_cards(tx, diner.member_id)
        merges = await list_undoable_merges(tx, diner.member_id, now=now)
        is_verified = (await find_own_phone(tx, diner.member_id)).is_verified
    is_named = member is not None and member.is_named
    return BindPage(
        is_member=member is not None,
        name=(member.name or "") if member else "",
        phone_masked=(member.phone_masked or "") if member else "",
        is_verified=is_verified,
        is_named=is_named,
        limit_fen=prepaid_limit_fen(is_named=is_named),
        named_limit_fen=prepaid_limit_fen(is_named=True),
        card_groups=grouped(member.card_no) if member else (),
        bought=[BoughtCard.of(card) for card in bought],
        merges=merges,
        sms_offered=sms_offered,
        terms_version=frame.terms_version,
        told=told,
        fault=fault,
        fault_in=fault_in,
        typed=typed or {},
    )


class CodePage(msgspec.Struct, frozen=True, kw_only=True):
    """Where the six digits are typed. Without a phone there is nothing to wait for."""

    purpose: str
    phone_masked: str
    # Empty for a step up: the phone in force is not sent about again.
    phone: str
    # The terms agreed to when the code was asked for, so that asking again agrees to them again.
    terms_version: str
    tries_left: int
    fault: Fault | None = None


async def load_code_page(
    tx: Tx,
    diner: Diner,
    *,
    purpose: VerificationPurpose,
    now: datetime,
    fault: Fault | None = None,
) -> CodePage | None:
    """Read what waits for its digits; None when nothing does."""
    waiting = await find_waiting_code(tx, diner.fan_id, purpose=purpose, now=now)
    if waiting is None:
        return None
    return CodePage(
        purpose=purpose.value,
        phone_masked=mask_phone(waiting.phone) or "",
        phone=waiting.phone if purpose is VerificationPurpose.BIND else "",
        terms_version=waiting.terms_version or "",
        tries_left=TRIES_MAX - waiting.tries,
        fault=fault,
    )


class ConfirmPage(msgspec.Struct, frozen=True, kw_only=True):
    """Who becomes one with whom, and what the one will be."""

    preview: MergePreview
    # The others, as the form hands them back: what is agreed to is what was shown.
    members: str
    fault: Fault | None = None


class ChangePage(msgspec.Struct, frozen=True, kw_only=True):
    """Naming another phone: first the one in force is proved, by code or by pay PIN."""

    phone_masked: str
    has_pin: bool
    is_proved: bool
    sms_offered: bool
    fault: Fault | None = None


async def load_change_page(
    tx: Tx, diner: Diner, *, sms_offered: bool, now: datetime, fault: Fault | None = None
) -> ChangePage | None:
    """Read how a member may name another phone; None for one who has none in force."""
    if diner.member_id is None:
        return None
    own = await find_own_phone(tx, diner.member_id)
    if not own.is_verified or own.phone is None:
        return None
    proof = await find_proof(tx, diner.fan_id, purpose=VerificationPurpose.STEP_UP, now=now)
    return ChangePage(
        phone_masked=mask_phone(own.phone) or "",
        has_pin=own.has_pin,
        is_proved=proof is not None and proof.phone == own.phone,
        sms_offered=sms_offered,
        fault=fault,
    )


class LossPage(msgspec.Struct, frozen=True, kw_only=True):
    """Reporting the card lost; the intention gets its name here."""

    card_groups: tuple[str, ...]
    is_named: bool
    request_id: RequestId

    @classmethod
    def of(cls, member: MemberView) -> "LossPage":
        """Show the card that would be replaced."""
        return cls(
            card_groups=grouped(member.card_no),
            is_named=member.is_named,
            request_id=new_request_id(),
        )


class MergePage(msgspec.Struct, frozen=True, kw_only=True):
    """A merge that can be undone."""

    merge: UndoableMerge
    request_id: RequestId
