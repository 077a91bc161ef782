"""What the diner's pages show: typed views, amounts in fen, texts ready where templates count."""

from datetime import datetime
from typing import Any

import msgspec

from o2o.crm.organisation import Store
from o2o.ledger.actions.top_up_stored_value import prepaid_limit_fen
from o2o.ledger.queries import StatementLine
from o2o.membership.actions.issue_member_code import IssuedCode
from o2o.membership.queries import HeldVisit, MemberView, TierProgress

# The pages of membership know their frame by this file.
from o2o.web.diner_frame import DinerFrame as DinerFrame  # noqa: PLC0414 - passed on
from o2o.web.diner_frame import frame_of as frame_of  # noqa: PLC0414 - passed on
from o2o.web.qr import qr_svg

DIGITS_PER_GROUP = 4
# A true minus, as wide as the plus.
MINUS = "\u2212"


class JoinPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page before the card. `fault` is a key of `diner.join`, or empty."""

    terms_version: str
    first_tier: str
    last_tier: str
    tier_count: int
    fault: str = ""
    wants_marketing: bool = False


class NextTier(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is to the tier above."""

    name: str
    spent_fen: int
    goal_fen: int
    missing_fen: int

    @classmethod
    def of(cls, progress: TierProgress) -> "NextTier | None":
        """Return the way to the next tier, or None at the top."""
        if progress.next_name is None or progress.missing_fen is None:
            return None
        return cls(
            name=progress.next_name,
            spent_fen=progress.spent_fen,
            goal_fen=progress.spent_fen + progress.missing_fen,
            missing_fen=progress.missing_fen,
        )


class CardPage(msgspec.Struct, frozen=True, kw_only=True):
    """The member's card. `told` is a key of `diner.card` for a short notice, or empty."""

    name: str
    tier_name: str
    card_groups: tuple[str, ...]
    balance_fen: int
    principal_fen: int
    bonus_fen: int
    points_text: str
    next_tier: NextTier | None
    held: list[HeldVisit]
    told: str = ""

    @classmethod
    def of(
        cls,
        member: MemberView,
        progress: TierProgress,
        *,
        held: list[HeldVisit],
        told: str = "",
    ) -> "CardPage":
        """Show a member's own card."""
        return cls(
            name=member.name or "",
            tier_name=member.tier.name,
            card_groups=grouped(member.card_no),
            balance_fen=member.balance_fen,
            principal_fen=member.principal_fen,
            bonus_fen=member.bonus_fen,
            points_text=f"{member.points:,}",
            next_tier=NextTier.of(progress),
            held=held,
            told=told,
        )


class CodeView(msgspec.Struct, frozen=True, kw_only=True):
    """A member code as the phone shows it; also the JSON answer to the page's script."""

    digits: str
    qr_svg: str
    expires_at: datetime
    seconds_left: int

    @classmethod
    def of(cls, issued: IssuedCode, *, label: str) -> "CodeView":
        """Draw a code that was just issued."""
        return cls(
            digits=issued.code,
            qr_svg=qr_svg(issued.code, label=label),
            expires_at=issued.expires_at,
            seconds_left=issued.lasts_seconds,
        )

    @property
    def groups(self) -> tuple[str, ...]:
        """The digits as people read them."""
        return grouped(self.digits)

    @property
    def spoken(self) -> str:
        """The digits one by one, for reading aloud."""
        return " ".join(self.digits)


class StatementRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a statement; amounts are signed."""

    kind: str
    amount: int
    amount_text: str
    principal_fen: int
    bonus_fen: int
    balance_after: int
    balance_after_text: str
    store_name: str
    timezone: str
    tender: str
    at: datetime

    @classmethod
    def of(cls, line: StatementLine, store: Store | None) -> "StatementRow":
        """Show a line with the place where it happened."""
        return cls(
            kind=line.kind.value,
            amount=line.amount,
            amount_text=f"{'+' if line.amount > 0 else MINUS}{abs(line.amount):,}",
            principal_fen=line.principal_fen,
            bonus_fen=line.bonus_fen,
            balance_after=line.balance_after,
            balance_after_text=f"{line.balance_after:,}",
            store_name=store.name if store else "",
            timezone=store.timezone if store else "Asia/Shanghai",
            tender=line.tender.value if line.tender else "",
            at=line.at,
        )


class StatementPart(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines of a statement, newest first. `unit` is `fen` or `points`."""

    rows: list[StatementRow]
    unit: str
    # Ask with this for what came before; None at the end.
    next_before: int | None
    is_continued: bool


class WalletPage(StatementPart, frozen=True, kw_only=True):
    """The balance and what moved it."""

    balance_fen: int
    principal_fen: int
    bonus_fen: int


class PointsPage(StatementPart, frozen=True, kw_only=True):
    """The points and what moved them."""

    points_text: str


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """The member on the page about themselves."""

    name: str
    initial: str
    tier_name: str
    card_groups: tuple[str, ...]
    phone_masked: str
    is_named: bool
    # How much the card may hold.
    balance_fen_max: int
    wants_marketing: bool

    @classmethod
    def of(cls, member: MemberView, *, brand_name: str, wants_marketing: bool) -> "PersonView":
        """Show a member to themselves."""
        name = member.name or ""
        return cls(
            name=name,
            initial=(name or brand_name)[:1].upper(),
            tier_name=member.tier.name,
            card_groups=grouped(member.card_no),
            phone_masked=member.phone_masked or "",
            is_named=member.is_named,
            balance_fen_max=prepaid_limit_fen(is_named=member.is_named),
            wants_marketing=wants_marketing,
        )


class MePage(msgspec.Struct, frozen=True, kw_only=True):
    """The page about oneself; `member` is None for somebody without a card."""

    member: PersonView | None
    languages: tuple[str, ...]
    is_saved: bool


class TermsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The membership terms and privacy notice, names filled in."""

    version: str
    summary_title: str
    summary: list[str]
    sections: list[dict[str, Any]]

    @classmethod
    def of(cls, copy: dict[str, Any], *, frame: DinerFrame) -> "TermsPage":
        """Fill the text of `privacy.toml` in for one brand and account."""

        def filled(text: str) -> str:
            return text.replace("{brand}", frame.brand_name).replace(
                "{account}", frame.account_name
            )

        return cls(
            version=frame.terms_version,
            summary_title=copy["summary_title"],
            summary=[filled(point) for point in copy["summary"]],
            sections=[
                {
                    "title": section["title"],
                    "paragraphs": [filled(paragraph) for paragraph in section["paragraphs"]],
                }
                for section in copy["sections"]
            ],
        )


def grouped(digits: str) -> tuple[str, ...]:
    """Cut digits into groups of four."""
    return tuple(
        digits[start : start + DIGITS_PER_GROUP]
        for start in range(0, len(digits), DIGITS_PER_GROUP)
    )
