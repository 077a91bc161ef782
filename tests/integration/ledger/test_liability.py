"""What stores owe: summed up by sealing, the unsealed rest added, always what the cards hold."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text

from o2o.crm.statuses import Asset, LotKind, Tender
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.kernel.ids import TransferId, new_request_id
from o2o.ledger.actions.adjust_balance import AdjustBalance, adjust_balance
from o2o.ledger.actions.debit_stored_value import debit_stored_value
from o2o.ledger.actions.end_holds import PostHold, VoidHold, post_holds, void_holds
from o2o.ledger.actions.hold_stored_value import HoldStoredValue, hold_stored_value
from o2o.ledger.actions.merge_wallets import merge_wallets
from o2o.ledger.actions.pass_on_stored_value import PassOnStoredValue, pass_on_stored_value
from o2o.ledger.actions.refund_stored_value import RefundStoredValue, refund_stored_value
from o2o.ledger.actions.reverse_transfers import ReverseTransfer, reverse_debits
from o2o.ledger.actions.top_up_stored_value import top_up_stored_value
from o2o.ledger.queries.liability import list_liability, sum_held_by_members
from o2o.ledger.verify import verify_ledger
from o2o.ledger.verify_seals import DAYS
from tests.factories.ledger import LIMIT_FEN, Books, debit, given_books, top_up
from tests.factories.seals import damage, sealed
from tests.fakes.clock import NOON

TODAY = date(2026, 11, 20)
TOMORROW = NOON + timedelta(days=1)
FAR = date(2030, 1, 1)


def some(kind: Any, books: Books, **fields: Any) -> Any:
    """A command of the first member in the first store, unless said otherwise."""
    common = {
        "request_id": new_request_id(),
        "member_id": books.member_id,
        "store_id": books.store_id,
        "now": NOON,
    }
    return kind(**(common | fields))


def done(results: Sequence[Any]) -> Any:
    [result] = results
    assert not isinstance(result, Exception), result
    return result


async def given_everything(sessions: SessionFactory) -> Books:
    """Each way in which stored value moves, in two stores and over two days."""
    async with transaction(sessions) as tx:
        books = await given_books(tx)
        first = await given_trade(tx, books)
        await given_holds(tx, books)
        await given_transfers(tx, books, top_up_id=first)
    return books


async def given_trade(tx: Tx, books: Books) -> TransferId:
    """Top-ups in both stores, a debit that is taken back in part; return the first top-up."""
    first = done(
        await top_up_stored_value(tx, [top_up(books, principal_fen=50_000, bonus_fen=5_000)])
    )
    done(
        await top_up_stored_value(
            tx,
            [top_up(books, principal_fen=7_000, store_id=books.other_store_id, now=TOMORROW)],
        )
    )
    spent = done(await debit_stored_value(tx, [debit(books, 8_800, now=TOMORROW)]))
    done(
        await reverse_debits(
            tx,
            [
                some(
                    ReverseTransfer,
                    books,
                    store_id=None,
                    transfer_id=spent.transfer_id,
                    amount=800,
                    now=TOMORROW,
                )
            ],
        )
    )
    return TransferId(first.transfer_id)


async def given_holds(tx: Tx, books: Books) -> None:
    """One posted in part, one given back, one still open."""
    holds = [
        done(
            await hold_stored_value(
                tx,
                [
                    some(
                        HoldStoredValue,
                        books,
                        amount_fen=amount,
                        expires_at=NOON + timedelta(hours=1),
                    )
                ],
            )
        ).hold_id
        for amount in (3_000, 2_000, 1_000)
    ]
    done(
        await post_holds(
            tx, [some(PostHold, books, store_id=None, hold_id=holds[0], amount_fen=2_500)]
        )
    )
    done(await void_holds(tx, [some(VoidHold, books, store_id=None, hold_id=holds[1])]))


async def given_transfers(tx: Tx, books: Books, *, top_up_id: TransferId) -> None:
    """Value passed on and spent there, a refund, a correction."""
    passing = some(
        PassOnStoredValue,
        books,
        store_id=None,
        to_member_id=books.other_member_id,
        amount_fen=6_000,
        balance_fen_max=LIMIT_FEN,
    )
    done(await pass_on_stored_value(tx, [passing]))
    other = debit(books, 1_000, member_id=books.other_member_id, now=TOMORROW)
    done(await debit_stored_value(tx, [other]))
    refund = some(
        RefundStoredValue,
        books,
        top_up_id=top_up_id,
        tender=Tender.CASH,
        within_days=None,
    )
    done(await refund_stored_value(tx, [refund]))
    adjustment = some(
        AdjustBalance,
        books,
        store_id=None,
        asset=Asset.CNY_FEN,
        delta=300,
        lot_kind=LotKind.BONUS,
    )
    done(await adjust_balance(tx, [adjustment]))


async def owed(
    sessions: SessionFactory, books: Books, *, from_day: date = FAR, until_day: date = FAR
) -> dict[str, int]:
    """Sums of a report, by whom it is owed and as what."""
    names = {books.store_id: "first", books.other_store_id: "other", books.brand_id: "none"}
    async with transaction(sessions) as tx:
        lines = await list_liability(
            tx,
            brand_id=books.brand_id,
            from_day=from_day,
            until_day=until_day,
            owner_ids=None,
        )
    sums: dict[str, int] = {}
    for line in lines:
        key = f"{names[line.owner_id]} {line.lot_kind.value}"
        sums[key] = sums.get(key, 0) + line.amount_fen
    return {key: amount for key, amount in sums.items() if amount}


async def cards_hold(sessions: SessionFactory) -> int:
    """What may be spent from all cards."""
    async with transaction(sessions) as tx:
        return int(
            await tx.scalar(
                text(
                    "SELECT sum(balance)::bigint FROM ledger_accounts"
                    " WHERE kind = 'member_stored_value'"
                )
            )
            or 0
        )


async def test_the_report_is_what_cards_hold_sealed_or_not(sessions: SessionFactory) -> None:
    books = await given_everything(sessions)
    async with transaction(sessions) as tx:
        held = await sum_held_by_members(tx, books.brand_id)

    unsealed = await owed(sessions, books)
    assert sum(unsealed.values()) == held
    # What is set aside is still owed.
    assert held == await cards_hold(sessions) + 1_000
    seals = await sealed(sessions, entries_max=3)
    assert len(seals) > 5
    assert await owed(sessions, books) == unsealed
    assert (await verify_ledger(sessions)).history.fault_counts[DAYS] == 0

    async with transaction(sessions) as tx:
        done(await debit_stored_value(tx, [debit(books, 500)]))
    assert sum((await owed(sessions, books)).values()) == held - 500


async def test_value_belongs_to_the_store_that_sold_it(sessions: SessionFactory) -> None:
    async with transaction(sessions) as tx:
        books = await given_books(tx)
        done(await top_up_stored_value(tx, [top_up(books, principal_fen=10_000, bonus_fen=1_000)]))
        # Spent in the other store, and by somebody else.
        done(await debit_stored_value(tx, [debit(books, 2_200, store_id=books.other_store_id)]))
        passing = some(
            PassOnStoredValue,
            books,
            store_id=None,
            to_member_id=books.other_member_id,
            amount_fen=4_400,
            balance_fen_max=LIMIT_FEN,
        )
        done(await pass_on_stored_value(tx, [passing]))
        other = debit(books, 1_100, store_id=books.other_store_id, member_id=books.other_member_id)
        done(await debit_stored_value(tx, [other]))
        await merge_wallets(
            tx,
            request_id=new_request_id(),
            from_member_id=books.other_member_id,
            into_member_id=books.member_id,
            now=NOON,
        )
    expected = {"first principal": 7_000, "first bonus": 700}
    assert await owed(sessions, books) == expected
    await sealed(sessions, entries_max=1)
    assert await owed(sessions, books) == expected


async def test_days_are_the_stores_and_sums_before_are_the_opening(
    sessions: SessionFactory,
) -> None:
    late = datetime.fromisoformat("2026-11-20T15:59:59+00:00")
    async with transaction(sessions) as tx:
        books = await given_books(tx)
        for at, amount in ((late, 1_000), (late + timedelta(seconds=1), 200)):
            done(await top_up_stored_value(tx, [top_up(books, principal_fen=amount, now=at)]))
    await sealed(sessions)
    tomorrow = TODAY + timedelta(days=1)
    async with transaction(sessions) as tx:
        lines = await list_liability(
            tx,
            brand_id=books.brand_id,
            from_day=tomorrow,
            until_day=tomorrow + timedelta(days=1),
            owner_ids=[books.store_id],
        )
        assert [(line.day, line.amount_fen) for line in lines] == [(None, 1_000), (tomorrow, 200)]
        others = await list_liability(
            tx,
            brand_id=books.brand_id,
            from_day=TODAY,
            until_day=FAR,
            owner_ids=[books.other_store_id],
        )
    assert others == []


async def test_a_day_that_was_written_by_hand_is_found(sessions: SessionFactory) -> None:
    books = await given_everything(sessions)
    await sealed(sessions)

    await damage(
        sessions, "UPDATE ledger_liability_days SET amount = amount + 1 WHERE kind = 'debit'"
    )

    verdict = await verify_ledger(sessions)
    faults = [fault for fault in verdict.history.faults if fault.check == DAYS]
    async with transaction(sessions) as tx:
        changed = await tx.scalar(
            text("SELECT count(*) FROM ledger_liability_days WHERE kind = 'debit'")
        )
    assert len(faults) == changed
    assert str(books.store_id) in faults[0].subject
    assert not verdict.is_sound
