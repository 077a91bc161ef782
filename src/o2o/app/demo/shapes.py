"""The pieces the demo's world is written in: brands, accounts, stores, staff, people, habits."""

from datetime import date, time
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,31}$")]
Text = Annotated[str, Meta(min_length=1, max_length=64)]
# WeChat's `thing` fields hold twenty characters, and a store's name is sent in one.
StoreName = Annotated[str, Meta(min_length=2, max_length=20)]
Percent = Annotated[int, Meta(ge=0, le=100)]
Natural = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
BasisPoints = Annotated[int, Meta(ge=0, le=10_000)]
Weekday = Annotated[int, Meta(ge=1, le=7)]
Weight = Annotated[int, Meta(ge=1)]

BrandKind = Literal["restaurant", "hall"]
StaffRole = Literal[
    "clerk", "kitchen", "manager", "marketer", "service", "finance", "auditor", "sysadmin"
]
Ending = Literal["ordinary", "never_topped_up", "spent_out", "full"]

MINUTES_PER_DAY = 1440
# In ISO order.
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A piece of the world; a misspelt key in the TOML is refused rather than ignored."""


class Group(Written, frozen=True):
    """The owner of the deployment."""

    name: Text
    name_en: Text


class Limits(Written, frozen=True):
    """The most a single-purpose prepaid card may hold, in fen, verified and anonymous."""

    named_fen_max: Positive
    unnamed_fen_max: Positive

    def fen_max(self, *, is_named: bool) -> int:
        """Return the limit of one card, in fen."""
        return self.named_fen_max if is_named else self.unnamed_fen_max


class Generation(Written, frozen=True):
    """What the generated people depend on besides the day."""

    seed: Text
    months: Positive
    named_percent: Percent


class Tier(Written, frozen=True):
    """A level: reached by spending over twelve months; 10,000 basis points are the whole."""

    code: Code
    name: Text
    spend_from_fen: Natural
    discount_bp: BasisPoints
    points_multiplier_bp: Positive
    birthday_points: Natural = 0
    visits_from: Positive | None = None


class Reward(Written, frozen=True):
    """Something points are spent on."""

    points: Positive
    name: Text


class PointsRule(Written, frozen=True):
    """Points per whole yuan paid, before the tier's multiplier, and how long they live."""

    points_per_yuan: Positive
    valid_months: Positive
    rewards: tuple[Reward, ...]
    joining_points: Natural = 0


class TopUpPackage(Written, frozen=True):
    """Money in (principal) and what the house adds to it: bonus in fen, and points."""

    principal_fen: Positive
    bonus_fen: Natural
    name: Text
    bonus_points: Natural = 0


class Brand(Written, frozen=True):
    """A member programme; `hue` carries white text and stands on white with AA contrast."""

    slug: Code
    kind: BrandKind
    name: Text
    name_en: Text
    short_name: Text
    slogan: Text
    hue: Annotated[str, Meta(pattern=r"^#[0-9a-f]{6}$")]
    terms_version: Text
    card_prefix: Annotated[str, Meta(pattern=r"^[0-9]{6}$")]
    member_count: Positive
    salutation: Annotated[str, Meta(pattern=r"\{family_name\}")]
    tiers: Annotated[tuple[Tier, ...], Meta(min_length=1)]
    points: PointsRule
    top_ups: Annotated[tuple[TopUpPackage, ...], Meta(min_length=1)]

    def tier_at(self, spent_fen: int) -> Tier:
        """Return the highest tier that so much spending over twelve months has reached."""
        return [tier for tier in self.tiers if tier.spend_from_fen <= spent_fen][-1]


class OfficialAccount(Written, frozen=True):
    """A brand's official account, and its word for the places it speaks of."""

    slug: Code
    brand: Code
    name: Text
    description: Annotated[str, Meta(min_length=1, max_length=120)]
    place_word: Text


def minutes_between(starts: time, ends: time) -> tuple[int, int]:
    """Return a span as minutes from midnight; an end at or before the start is the next day's."""
    first, last = starts.hour * 60 + starts.minute, ends.hour * 60 + ends.minute
    return first, last if last > first else last + MINUTES_PER_DAY


class OpeningSpan(Written, frozen=True):
    """Hours kept on some ISO weekdays; past midnight they belong to the day they began on."""

    weekdays: Annotated[tuple[Weekday, ...], Meta(min_length=1)]
    opens: time
    closes: time

    def minutes(self) -> tuple[int, int]:
        """Return opening and closing as minutes from the day's midnight."""
        return minutes_between(self.opens, self.closes)

    def as_text(self) -> list[str]:
        """Return opening and closing as stores keep them; round the clock ends at 24:00."""
        is_whole_day = self.opens == self.closes == time.min
        return [f"{self.opens:%H:%M}", "24:00" if is_whole_day else f"{self.closes:%H:%M}"]


class Store(Written, frozen=True):
    """One place that serves; coordinates are GCJ-02 degrees."""

    brand: Code
    code: Code
    name: StoreName
    city: Text
    district: Text
    address: Text
    lat: Annotated[float, Meta(ge=-90, le=90)]
    lng: Annotated[float, Meta(ge=-180, le=180)]
    phone: Annotated[str, Meta(pattern=r"^0\d{2,3}-\d{8}$")]
    seats: Positive
    timezone: Text
    hours: Annotated[tuple[OpeningSpan, ...], Meta(min_length=1)]

    def weekly_hours(self) -> dict[str, list[list[str]]]:
        """Return `{"mon": [["11:00", "14:00"], …], …}`, a closed day empty, as stores keep it."""
        return {
            weekday: [
                span.as_text()
                for span in sorted(self.hours, key=lambda span: span.opens)
                if number in span.weekdays
            ]
            for number, weekday in enumerate(WEEKDAYS, start=1)
        }

    def spans_on(self, day: date) -> list[tuple[int, int]]:
        """Return the spans that begin on this day, as minutes from its midnight, in order."""
        weekday = day.isoweekday()
        return sorted(span.minutes() for span in self.hours if weekday in span.weekdays)


class StaffMember(Written, frozen=True):
    """Somebody who signs in; no stores named is every store of the brand."""

    login: Annotated[str, Meta(pattern=r"^[a-z]{3,24}$")]
    name: Text
    role: StaffRole
    brand: Code
    stores: tuple[Code, ...] = ()
    pin: Annotated[str, Meta(pattern=r"^[0-9]{6}$")] | None = None
    password: Annotated[str, Meta(min_length=12)] | None = None

    def covers(self, store: Store) -> bool:
        """Whether this person's scope reaches the store."""
        return self.brand == store.brand and (not self.stores or store.code in self.stores)


class Weighted(Written, frozen=True):
    """A number and how often it is drawn, relative to its neighbours."""

    value: Positive
    weight: Weight


class Daypart(Written, frozen=True):
    """A stretch of the day when people come, and what one bill costs then, in whole yuan."""

    name: Text
    starts: time
    ends: time
    weekday_weight: Weight
    weekend_weight: Weight
    yuan_min: Positive
    yuan_max: Positive


class Habits(Written, frozen=True):
    """How people come and pay at one kind of place."""

    weekday_weights: Annotated[tuple[Weight, ...], Meta(min_length=7, max_length=7)]
    home_store_percent: Percent
    same_city_percent: Percent
    weekend_amount_percent: Positive
    other_tender_percent: Percent
    top_up_on_joining_percent: Percent
    declines_top_up_percent: Percent
    points_spend_percent: Percent
    price_endings_fen: Annotated[tuple[Annotated[int, Meta(ge=0, le=99)], ...], Meta(min_length=1)]
    visits_per_30_days: Annotated[tuple[Weighted, ...], Meta(min_length=1)]
    party_percent: Annotated[tuple[Weighted, ...], Meta(min_length=1)]
    top_up_weights: Annotated[tuple[Weight, ...], Meta(min_length=1)]
    dayparts: Annotated[tuple[Daypart, ...], Meta(min_length=1)]


class PeopleParts(Written, frozen=True):
    """What names, telephone numbers and birthdays are made of."""

    phone_prefix: Annotated[str, Meta(pattern=r"^1[0-9]{6}$")]
    birth_year_min: Positive
    birth_year_max: Positive
    two_character_percent: Percent
    common_percent: Percent
    compound_percent: Percent
    family_names_common: Annotated[tuple[Text, ...], Meta(min_length=1)]
    family_names_other: Annotated[tuple[Text, ...], Meta(min_length=1)]
    family_names_compound: Annotated[tuple[Text, ...], Meta(min_length=1)]
    given_first: Annotated[tuple[Text, ...], Meta(min_length=1)]
    given_second: Annotated[tuple[Text, ...], Meta(min_length=1)]
    given_single: Annotated[tuple[Text, ...], Meta(min_length=1)]


class CastMember(Written, frozen=True):
    """A person who is there for a reason; what is not said about them is drawn."""

    brand: Code
    name: Text
    is_named: bool
    ending: Ending = "ordinary"
    joined_days_ago: Positive | None = None
    birthday: date | None = None
    home_store: Code | None = None
    visits_per_30_days: Positive | None = None
