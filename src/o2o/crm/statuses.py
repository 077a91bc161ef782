"""Every status and kind that a column may hold."""

from enum import StrEnum


class BrandKind(StrEnum):
    """What a brand's places are."""

    RESTAURANT = "restaurant"
    HALL = "hall"


class CallbackMode(StrEnum):
    """How WeChat encrypts the message push of an official account."""

    PLAIN = "plain"
    COMPATIBLE = "compatible"
    SAFE = "safe"


class IdentityKind(StrEnum):
    """By what a member can be recognised."""

    OPENID = "openid"
    UNIONID = "unionid"
    PHONE = "phone"


class MemberStatus(StrEnum):
    """Whether a member may act."""

    ACTIVE = "active"
    DELETED = "deleted"


class CardStatus(StrEnum):
    """Whether a card may be used."""

    ACTIVE = "active"
    LOST = "lost"
    REPLACED = "replaced"


class ConsentPurpose(StrEnum):
    """What a person said yes to."""

    MEMBERSHIP = "membership"
    MARKETING = "marketing"


class StaffRoleName(StrEnum):
    """What a staff member may do, see the role table of the security model."""

    CLERK = "clerk"
    KITCHEN = "kitchen"
    MANAGER = "manager"
    MARKETER = "marketer"
    SERVICE = "service"
    FINANCE = "finance"
    AUDITOR = "auditor"
    SYSADMIN = "sysadmin"


class Audience(StrEnum):
    """For whom a web session was opened; a session never serves another audience."""

    DINER = "diner"
    PAD = "pad"
    CONSOLE = "console"


class Asset(StrEnum):
    """What a ledger account counts. Sums are zero per asset."""

    CNY_FEN = "cny_fen"
    POINTS = "points"


class AccountKind(StrEnum):
    """Whose pocket a ledger account is.

    The first two belong to members and may not go below zero. The others are the other side of
    the books; they keep no balance row, so that nobody queues for it.
    """

    MEMBER_STORED_VALUE = "member_stored_value"
    MEMBER_POINTS = "member_points"
    STORE_TAKINGS = "store_takings"
    STORE_BONUS = "store_bonus"
    STORE_SALES = "store_sales"
    BRAND_POINTS_ISSUED = "brand_points_issued"
    BRAND_POINTS_SPENT = "brand_points_spent"


class TransferKind(StrEnum):
    """Why an amount moved."""

    TOP_UP = "top_up"
    TOP_UP_BONUS = "top_up_bonus"
    DEBIT = "debit"
    POINTS_EARNED = "points_earned"
    POINTS_SPENT = "points_spent"


class LotKind(StrEnum):
    """Where the value in a lot comes from."""

    PRINCIPAL = "principal"
    BONUS = "bonus"
    POINTS = "points"


class Tender(StrEnum):
    """How money came in."""

    CASH = "cash"
    BANK_CARD = "bank_card"
    TRANSFER = "transfer"


class AnsweredVia(StrEnum):
    """How an inbound message was answered."""

    NOTHING = "nothing"
    PASSIVE = "passive"
    CUSTOM = "custom"


class DeliveryChannel(StrEnum):
    """Through which of WeChat's forms a notification leaves."""

    TEMPLATE = "template"
    CUSTOM = "custom"


class DeliveryStatus(StrEnum):
    """How far one WeChat message came."""

    QUEUED = "queued"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    REFUSED = "refused"
