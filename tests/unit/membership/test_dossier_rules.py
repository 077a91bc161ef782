"""Tastes read from bills, searches understood, words as they are kept, the score of the word."""

from datetime import timedelta

import pytest

from o2o.membership.rules.dossier import one_word, readable
from o2o.membership.rules.kol import Spreading, kol_score
from o2o.membership.rules.search import Search, SearchKind, end_of_prefix, read_search
from o2o.membership.rules.taste import (
    Bill,
    ItemOnBill,
    days_between_visits,
    favourites,
    usual_spend_fen,
)
from tests.fakes.clock import NOON


def bill(days_ago: float, total_fen: int = 100, *codes: str) -> Bill:
    at = NOON - timedelta(days=days_ago)
    items = tuple(
        ItemOnBill(
            item_code=code, item_name=f"dish {code}", bought_at=at, is_telling=code != "rice"
        )
        for code in codes
    )
    return Bill(store_id=None, total_fen=total_fen, bought_at=at, items=items)


def test_favourites_were_had_twice_and_say_their_share() -> None:
    bills = [bill(1, 1, "a", "rice"), bill(5, 1, "a", "b", "rice"), bill(9, 1, "c", "rice")]
    [only] = favourites(bills, now=NOON)
    assert (only.item_code, only.bills, only.share_percent) == ("a", 2, 66)
    assert only.last_at == NOON - timedelta(days=1)


def test_twice_on_one_bill_is_once() -> None:
    assert favourites([bill(1, 1, "a", "a")], now=NOON) == []


def test_the_usual_spend_is_the_median_and_was_really_paid() -> None:
    assert usual_spend_fen([]) is None
    assert usual_spend_fen([bill(n, fen) for n, fen in enumerate([900, 100, 500, 300])]) == 300
    # One banquet of long ago changes nothing.
    lately = [bill(n, 100) for n in range(20)]
    assert usual_spend_fen([*lately, *[bill(99, 9_999)] * 30]) == 100


def test_rhythm_is_the_median_gap_and_needs_three_visits() -> None:
    assert days_between_visits([bill(0), bill(7)]) is None
    assert days_between_visits([bill(0), bill(0.2), bill(7), bill(14), bill(60)]) == 7


@pytest.mark.parametrize(
    "typed, kind, value",
    [
        ("", SearchKind.LATEST, ""),
        (" \u200b ", SearchKind.LATEST, ""),
        ("8765", SearchKind.NUMBER, "8765"),
        ("138-0013 8765", SearchKind.NUMBER, "13800138765"),
        ("+86 13800138765", SearchKind.NUMBER, "13800138765"),
        ("９８０１１６", SearchKind.NUMBER, "980116"),
        ("123", SearchKind.NAME, "123"),
        ("vip 00123", SearchKind.CARD, "VIP00123"),
        ("王", SearchKind.NAME_START, "王"),
        ("Anna", SearchKind.NAME, "Anna"),
        ("a\x00b", SearchKind.NAME, "ab"),
    ],
)
def test_what_was_typed_is_understood(typed: str, kind: SearchKind, value: str) -> None:
    assert read_search(typed) == Search(kind=kind, value=value)


@pytest.mark.parametrize(
    "prefix, end",
    [("4321", "4322"), ("王", "\u738c"), ("a\U0010ffff", "b"), ("\ud7ff", "\ue000")],
)
def test_a_prefix_ends_where_the_next_one_begins(prefix: str, end: str) -> None:
    assert end_of_prefix(prefix) == end


def test_words_are_kept_without_what_cannot_be_seen() -> None:
    assert one_word("  常带\u200b  孩子\x00 ", chars_max=20) == "常带 孩子"
    assert one_word("长" * 21, chars_max=20) is None
    assert one_word(" \u200b ", chars_max=20) is None
    assert readable("一\r\n二", chars_max=1000) == "一\n二"
    assert readable("长" * 1001, chars_max=1000) is None


def test_the_score_can_be_done_again_by_hand() -> None:
    scored = kol_score(Spreading(brought=2, stayed=1, second_hand=1, given_to=1))
    assert (scored.score, scored.is_missionary) == (2 * 10 + 5 + 3 + 2, True)
    assert not kol_score(Spreading(brought=1, stayed=1, second_hand=0, given_to=0)).is_missionary
