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
    # Became one with another member, `merged_into_id`; may come apart again for seven days.
    MERGED = "merged"
    DELETED = "deleted"


class OfflineCardStatus(StrEnum):
    """How far a card that was bought over the counter has come."""

    # Printed and paid, nobody in WeChat yet.
    UNBOUND = "unbound"
    BOUND = "bound"
    LOST = "lost"
    REPLACED = "replaced"


class CardStatus(StrEnum):
    """Whether a card may be used."""

    ACTIVE = "active"
    LOST = "lost"
    REPLACED = "replaced"


class ConsentPurpose(StrEnum):
    """What a person said yes to."""

    MEMBERSHIP = "membership"
    MARKETING = "marketing"


class VerificationPurpose(StrEnum):
    """What six digits sent to a phone are to prove."""

    # The phone is the fan's; it may become the member's.
    BIND = "bind"
    # The fan still holds the phone that the member has; a new one may be named.
    STEP_UP = "step_up"


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

    The first three belong to members and may not go below zero. The others are the other side of
    the books; they keep no balance row, so that nobody queues for it.
    """

    MEMBER_STORED_VALUE = "member_stored_value"
    MEMBER_POINTS = "member_points"
    # What is set aside for holds: it left the card and has not been sold for yet.
    MEMBER_HELD = "member_held"
    STORE_TAKINGS = "store_takings"
    STORE_BONUS = "store_bonus"
    STORE_SALES = "store_sales"
    # What cards held before this ledger began.
    STORE_OPENING = "store_opening"
    # The other side of corrections that two people agreed on.
    BRAND_ADJUSTMENTS = "brand_adjustments"
    BRAND_POINTS_ISSUED = "brand_points_issued"
    BRAND_POINTS_SPENT = "brand_points_spent"
    BRAND_POINTS_EXPIRED = "brand_points_expired"
    BRAND_POINTS_DONATED = "brand_points_donated"


class TransferKind(StrEnum):
    """Why an amount moved."""

    TOP_UP = "top_up"
    TOP_UP_BONUS = "top_up_bonus"
    DEBIT = "debit"
    DEBIT_REVERSED = "debit_reversed"
    TOP_UP_REVERSED = "top_up_reversed"
    TOP_UP_BONUS_REVERSED = "top_up_bonus_reversed"
    HELD = "held"
    HOLD_POSTED = "hold_posted"
    HOLD_RELEASED = "hold_released"
    # Money back to the member, and the bonus that goes with it back to the house.
    REFUND = "refund"
    BONUS_FORFEITED = "bonus_forfeited"
    PASSED_ON = "passed_on"
    MERGED = "merged"
    UNMERGED = "unmerged"
    ADJUSTED_UP = "adjusted_up"
    ADJUSTED_DOWN = "adjusted_down"
    OPENING_PRINCIPAL = "opening_principal"
    OPENING_BONUS = "opening_bonus"
    OPENING_POINTS = "opening_points"
    POINTS_EARNED = "points_earned"
    POINTS_SPENT = "points_spent"
    POINTS_EARNED_REVERSED = "points_earned_reversed"
    POINTS_SPENT_REVERSED = "points_spent_reversed"
    POINTS_EXPIRED = "points_expired"
    POINTS_DONATED = "points_donated"


class HoldStatus(StrEnum):
    """How a hold stands."""

    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


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


class VisitVia(StrEnum):
    """By what a member was recognised at the counter. Only a live code may pay by itself."""

    CODE = "code"
    PHONE_TAIL = "phone_tail"
    CARD_NO = "card_no"


class ShiftStatus(StrEnum):
    """How far a shift at a till has come."""

    OPEN = "open"
    # Counted and handed over; the next clerk has not looked yet.
    COUNTED = "counted"
    CONFIRMED = "confirmed"


class ChargeAnswerStatus(StrEnum):
    """What the member says to a charge."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class ChargeAnswerVia(StrEnum):
    """How the member said it: on the phone, or with the pay PIN on the pad."""

    PHONE = "phone"
    PAY_PIN = "pay_pin"


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
    # What it tells was over before it could be sent.
    WITHDRAWN = "withdrawn"


class ProposalStatus(StrEnum):
    """How far something stands that one person proposes and another decides."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class TierMoveReason(StrEnum):
    """Why a member's tier changed."""

    SPEND = "spend"
    VISITS = "visits"
    PAID = "paid"
    BY_HAND = "by_hand"
    RENEWED = "renewed"
    # The time was over and the last twelve months justify less.
    LAPSED = "lapsed"
    # What had led there was reversed.
    TAKEN_BACK = "taken_back"


class ImportKind(StrEnum):
    """What a file brings in."""

    CARDS = "cards"
    PURCHASES = "purchases"


class ImportStatus(StrEnum):
    """How far a file has come."""

    UPLOADED = "uploaded"
    # Read to its end; what it would do is known.
    CHECKED = "checked"
    UNREADABLE = "unreadable"
    # A second person named its totals; its rows are being carried over.
    CONFIRMED = "confirmed"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class RefundStatus(StrEnum):
    """How a member's wish to have principal back stands."""

    ASKED = "asked"
    PAID = "paid"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"


class RefundPayout(StrEnum):
    """How a member wants a refund: in hand in a store, or on a bank account."""

    COUNTER = "counter"
    BANK = "bank"


class PassOnStatus(StrEnum):
    """How an offer of stored value to another member stands."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    # Nobody took it in time.
    RETURNED = "returned"


class ExportStatus(StrEnum):
    """How a copy of a member's data stands."""

    REQUESTED = "requested"
    READY = "ready"
    FETCHED = "fetched"
    EXPIRED = "expired"


class RelationKind(StrEnum):
    """What one member is to another."""

    # The first brought the second to the programme.
    BROUGHT = "brought"
    FAMILY = "family"


class TasteKind(StrEnum):
    """What a member says of an ingredient or a dish."""

    ALLERGY = "allergy"
    DISLIKE = "dislike"
    LIKE = "like"


class QueueKind(StrEnum):
    """What a queue is for."""

    TABLE_CLASS = "table_class"
    SERVICE_LINE = "service_line"


class QueueStatus(StrEnum):
    """Whether a queue gives numbers."""

    OPEN = "open"
    # No new numbers for now; those who wait are called.
    PAUSED = "paused"
    CLOSED = "closed"


class TicketStatus(StrEnum):
    """How a ticket stands."""

    WAITING = "waiting"
    CALLED = "called"
    # Called and not there; may come back once.
    SKIPPED = "skipped"
    SEATED = "seated"
    CANCELLED = "cancelled"
    # Goes on as a ticket of another queue.
    MOVED = "moved"
    # Its business day ended.
    EXPIRED = "expired"


class TicketPriority(StrEnum):
    """Whose turn comes earlier, and why."""

    ORDINARY = "ordinary"
    MEMBER = "member"
    BOOKED = "booked"


class TicketSource(StrEnum):
    """Where a number was taken."""

    PAD = "pad"
    DOOR = "door"
    PAGE = "page"
    LOCATION = "location"
    CHAT = "chat"
    API = "api"
    BRIDGE = "bridge"
    BOOKING = "booking"


class CallKind(StrEnum):
    """Whether a ticket was called for the first time or again."""

    CALL = "call"
    RECALL = "recall"


class TicketNoticeKind(StrEnum):
    """What the party of a ticket is told in WeChat."""

    SOON = "soon"
    CALLED = "called"
    RECALLED = "recalled"
    CANCELLED_BY_STORE = "cancelled_by_store"
    PROMISE_MISSED = "promise_missed"
