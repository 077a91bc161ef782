"""What is offered and why: own habits first, never what cannot be eaten, reasons that hold."""

from datetime import timedelta

import pytest

from o2o.membership.rules.recommend import (
    Affinity,
    Item,
    Known,
    Reason,
    Selling,
    is_fit,
    recommend_items,
)
from o2o.membership.rules.taste import Bill, ItemOnBill
from tests.fakes.clock import NOON

NAMES = {
    "A": "东坡肉",
    "B": "宫保虾球",
    "C": "清炒鸡毛菜",
    "D": "桂花糖藕",
}
CONTAINS = {"A": ("猪肉",), "B": ("虾", "花生"), "C": (), "D": None}
ITEMS = {
    code: Item(item_code=code, name=name, contains=CONTAINS[code]) for code, name in NAMES.items()
}


def bill(days_ago: int, *codes: str) -> Bill:
    at = NOON - timedelta(days=days_ago)
    items = tuple(
        ItemOnBill(item_code=code, item_name=NAMES[code], bought_at=at, is_telling=True)
        for code in codes
    )
    return Bill(store_id=None, total_fen=10_000, bought_at=at, items=items)


def sells(code: str, share_bp: int) -> Selling:
    return Selling(item_code=code, share_bp=share_bp, bills=share_bp // 100)


def known(
    *bills: Bill,
    selling: tuple[Selling, ...] = (),
    affinities: tuple[Affinity, ...] = (),
    allergies: tuple[str, ...] = (),
    dislikes: tuple[str, ...] = (),
    likes: tuple[str, ...] = (),
) -> Known:
    return Known(
        bills=bills,
        items=ITEMS,
        affinities=affinities,
        selling=selling,
        allergies=allergies,
        dislikes=dislikes,
        likes=likes,
    )


def offered(what: Known, limit: int = 3) -> list[tuple[str, Reason]]:
    made = recommend_items(what, now=NOON, limit=limit)
    return [(offer.item_code, offer.reason_code) for offer in made]


def test_the_usual_comes_before_what_sells() -> None:
    made = known(bill(3, "A"), bill(10, "A"), bill(20, "A", "C"), selling=(sells("B", 6000),))
    assert offered(made)[0] == ("A", Reason.USUAL)
    [usual, *_] = recommend_items(made, now=NOON, limit=3)
    assert usual.reason_values == {"count": 3}


def test_what_was_had_lately_says_more_than_what_was_had_long_ago() -> None:
    made = known(bill(300, "A"), bill(310, "A"), bill(2, "C"), bill(9, "C"))
    assert [code for code, _ in offered(made, limit=2)] == ["C", "A"]


def test_a_stranger_is_offered_what_sells_here() -> None:
    made = known(selling=(sells("C", 5000), sells("A", 2000)))
    assert offered(made) == [("C", Reason.POPULAR), ("A", Reason.POPULAR)]
    assert recommend_items(made, now=NOON, limit=1)[0].reason_values == {"count": 50}


def test_members_alike_have_a_say_and_are_named_as_the_reason() -> None:
    alike = Affinity(item_code="A", other_code="D", affinity_bp=2000, members_both=12)
    made = known(bill(3, "A"), affinities=(alike,), selling=(sells("C", 1000),))
    assert offered(made) == [
        ("A", Reason.LAST_TIME),
        ("D", Reason.ALIKE),
        ("C", Reason.POPULAR),
    ]
    assert recommend_items(made, now=NOON, limit=2)[1].reason_values == {"because": "东坡肉"}


def test_who_has_an_allergy_is_offered_only_what_is_known_to_be_fine() -> None:
    selling = tuple(sells(code, 3000) for code in NAMES)
    made = known(bill(1, "B"), bill(2, "B"), selling=selling, allergies=("花生",))
    # Not B, which has it, however often it was had; not D, of which nobody said what is in it.
    assert [code for code, _ in offered(made, limit=9)] == ["A", "C"]


def test_a_dislike_rules_out_names_and_contents() -> None:
    selling = tuple(sells(code, 3000) for code in NAMES)
    assert [c for c, _ in offered(known(selling=selling, dislikes=("虾",)), limit=9)] == [
        "A",
        "C",
        "D",
    ]
    assert [c for c, _ in offered(known(selling=selling, dislikes=("糖藕",)), limit=9)] == [
        "A",
        "B",
        "C",
    ]


def test_a_liking_that_was_told_counts() -> None:
    selling = (sells("A", 3000), sells("C", 2000))
    assert offered(known(selling=selling, likes=("鸡毛菜",)))[0] == ("C", Reason.LIKED)


@pytest.mark.parametrize(
    "avoided, fits",
    [("花生", False), ("Peanuts", True), ("河虾", False), ("虾球", False), ("猪肉", True)],
)
def test_words_meet_either_way_round(avoided: str, fits: bool) -> None:
    assert is_fit(ITEMS["B"], allergies=(avoided,), dislikes=()) is fits


def test_nothing_known_is_nothing_offered() -> None:
    assert offered(known()) == []


def test_kin_of_what_is_disliked_may_be_offered() -> None:
    assert is_fit(ITEMS["B"], allergies=(), dislikes=("河虾",))
