"""Cards bought over the counter: bound once, by who has number and code; guesses lock."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from o2o.crm.statuses import OfflineCardStatus
from o2o.infra.audit import Actor
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_request_id
from o2o.membership.actions.bind_offline_card import (
    BindCard,
    CardBound,
    bind_card_at_pad,
    bind_offline_card,
)
from o2o.membership.actions.issue_member_code import issue_member_code
from o2o.membership.actions.unmerge_members import unmerge_members
from o2o.membership.errors import ConsentMissing, VisitNotYours
from o2o.membership.errors_identity import (
    CardAlreadyYours,
    CardCodeWrong,
    CardGuessLocked,
    CardOfSomebodyElse,
    CardReplaced,
    CardReportedLost,
    CardUnknown,
)
from o2o.membership.till import Till
from tests.factories.identity import (
    Someone,
    given_bought_card,
    given_someone,
    member_of,
    status_of,
)
from tests.factories.members import Counter, balance_of, count
from tests.fakes.clock import NOON, FakeClock

CARD_NO, CODE = "SV00012345", "AB01CD23"


class Cards:
    """Binds cards the way the page does."""

    def __init__(self, sessions: SessionFactory, seal: Seal, clock: FakeClock) -> None:
        self._sessions, self._seal, self._clock = sessions, seal, clock

    async def bind(
        self,
        someone: Someone,
        card_no: str = CARD_NO,
        code: str = CODE,
        *,
        address: str = "192.0.2.1",
        terms_version: str | None = "2026-01",
    ) -> CardBound | Fact:
        asked = BindCard(
            fan_id=someone.fan_id,
            account_id=someone.account_id,
            address=address,
            card_no=card_no,
            code=code,
            terms_version=terms_version,
        )
        async with transaction(self._sessions) as tx:
            return await bind_offline_card(tx, asked, seal=self._seal, now=self._clock.now())


@pytest.fixture
def cards(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> Cards:
    return Cards(sessions, seal, clock)


@pytest.fixture
async def holder(sessions: SessionFactory, counter: Counter) -> Someone:
    """The counter's member, with a phone in hand."""
    async with transaction(sessions) as tx:
        return await given_someone(tx, counter, member_id=counter.member_id)


@pytest.fixture
async def bought(sessions: SessionFactory, counter: Counter, seal: Seal) -> UUID:
    async with transaction(sessions) as tx:
        return await given_bought_card(tx, counter, seal=seal)


@pytest.mark.parametrize(
    "card_no,code",
    [(CARD_NO, CODE), ("sv 0001-2345", "abolcd23"), ("ＳＶ０００１２３４５", "ＡＢ０１　ＣＤ２３")],
)
async def test_a_card_becomes_one_with_the_members_however_it_is_typed(
    sessions: SessionFactory,
    counter: Counter,
    cards: Cards,
    holder: Someone,
    bought: UUID,
    card_no: str,
    code: str,
) -> None:
    bound = await cards.bind(holder, card_no, code)

    assert isinstance(bound, CardBound)
    assert (bound.member_id, bound.merged_member_id) == (counter.member_id, bought)
    assert await balance_of(sessions, counter.member_id) == 30_000
    assert await status_of(sessions, bought) == ("merged", counter.member_id)
    where = f"member_id = '{counter.member_id}' AND status = 'bound' AND bound_at IS NOT NULL"
    assert await count(sessions, "offline_cards", where) == 1
    with pytest.raises(CardAlreadyYours):
        await cards.bind(holder, card_no, code)


async def test_somebody_without_a_card_becomes_the_member_of_the_bought_one(
    sessions: SessionFactory, counter: Counter, cards: Cards, bought: UUID
) -> None:
    async with transaction(sessions) as tx:
        newcomer = await given_someone(tx, counter, is_member=False)
        other = await given_someone(tx, counter)
    with pytest.raises(ConsentMissing):
        await cards.bind(newcomer, terms_version=None)
    assert await member_of(sessions, newcomer.fan_id) is None

    bound = await cards.bind(newcomer)

    assert isinstance(bound, CardBound)
    assert (bound.member_id, bound.merged_member_id) == (bought, None)
    assert await member_of(sessions, newcomer.fan_id) == bought
    assert await count(sessions, "consents", f"member_id = '{bought}'") == 1
    # Whose it is, is said only to somebody who has number and code.
    with pytest.raises(CardOfSomebodyElse):
        await cards.bind(other)
    assert isinstance(await cards.bind(other, code="ZZZZ9999"), CardCodeWrong)


@pytest.mark.parametrize(
    "status,refusal",
    [(OfflineCardStatus.LOST, CardReportedLost), (OfflineCardStatus.REPLACED, CardReplaced)],
)
async def test_a_lost_or_replaced_card_is_refused_and_nothing_moves(
    sessions: SessionFactory,
    counter: Counter,
    cards: Cards,
    holder: Someone,
    seal: Seal,
    status: OfflineCardStatus,
    refusal: type[Fact],
) -> None:
    async with transaction(sessions) as tx:
        await given_bought_card(tx, counter, seal=seal, status=status)
    with pytest.raises(refusal):
        await cards.bind(holder)
    assert await balance_of(sessions, counter.member_id) == 10_000


async def test_unknown_card_and_wrong_code_are_one_refusal_and_the_fifth_locks(
    cards: Cards, holder: Someone, bought: UUID, clock: FakeClock
) -> None:
    typed = [("NOSUCHCARD", CODE), (CARD_NO, "WR0NG"), ("?", ""), ("1" * 64, "x"), ("AAAA", "0")]
    outcomes = [await cards.bind(holder, card_no, code) for card_no, code in typed]
    assert [type(fact) for fact in outcomes] == [CardCodeWrong] * 4 + [CardGuessLocked]
    assert len({str(f.detail) for f in outcomes[:4] if isinstance(f, Fact)}) == 1
    locked = await cards.bind(holder)
    assert isinstance(locked, CardGuessLocked)
    assert (locked.detail["minutes"], locked.status) == (60, 429)
    clock.advance(seconds=3601)
    assert isinstance(await cards.bind(holder), CardBound)
    assert bought is not None


async def test_guesses_at_one_card_by_many_people_lock_the_card(
    sessions: SessionFactory, counter: Counter, cards: Cards, holder: Someone, bought: UUID
) -> None:
    async with transaction(sessions) as tx:
        people = [await given_someone(tx, counter, is_member=False) for _ in range(5)]
    for number, person in enumerate(people):
        await cards.bind(person, code="WR0NG", address=f"192.0.2.{number}")
    assert isinstance(await cards.bind(holder, address="192.0.2.99"), CardGuessLocked)
    assert await status_of(sessions, bought) == ("active", None)


async def test_guesses_from_one_address_lock_the_address_at_the_twentieth(
    sessions: SessionFactory, counter: Counter, cards: Cards, holder: Someone, bought: UUID
) -> None:
    async with transaction(sessions) as tx:
        people = [await given_someone(tx, counter, is_member=False) for _ in range(20)]
    outcomes = [
        await cards.bind(person, card_no=f"N0SUCH{number:04d}")
        for number, person in enumerate(people)
    ]
    assert [type(fact) for fact in outcomes] == [CardCodeWrong] * 19 + [CardGuessLocked]
    assert isinstance(await cards.bind(holder), CardGuessLocked)
    assert isinstance(await cards.bind(holder, address="192.0.2.2"), CardBound)


async def test_bound_taken_apart_and_bound_again(
    sessions: SessionFactory,
    counter: Counter,
    cards: Cards,
    holder: Someone,
    bought: UUID,
    clock: FakeClock,
) -> None:
    await cards.bind(holder)
    async with transaction(sessions) as tx:
        merge_id = await tx.scalar(text("SELECT id FROM member_merges"))
        await unmerge_members(
            tx,
            request_id=new_request_id(),
            merge_id=merge_id,
            by=Actor("member", counter.member_id),
            now=clock.now(),
        )
    assert await balance_of(sessions, bought) == 20_000
    clock.advance(seconds=1)

    again = await cards.bind(holder)

    assert isinstance(again, CardBound)
    assert await balance_of(sessions, counter.member_id) == 30_000


async def test_a_clerk_binds_a_card_in_hand_to_the_member_at_the_counter(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock, bought: UUID
) -> None:
    till = Till(sessions=sessions, seal=seal, clock=clock)
    async with transaction(sessions) as tx:
        shown = await issue_member_code(tx, seal=seal, member_id=counter.member_id, now=NOON)
    visit = await till.open_visit(shown.code, by=counter.pad)

    async def bind(card_no: str, by: object = counter.pad) -> CardBound:
        async with transaction(sessions) as tx:
            return await bind_card_at_pad(
                tx,
                visit_id=visit.visit_id,
                by=by,  # type: ignore[arg-type]  # a pad of the counter
                card_no=card_no,
                now=NOON + timedelta(seconds=5),
            )

    with pytest.raises(CardUnknown):
        await bind("NOSUCHCARD")
    with pytest.raises(VisitNotYours):
        await bind(CARD_NO, counter.near_pad)
    bound = await bind("sv00012345")
    assert (bound.member_id, bound.merged_member_id) == (counter.member_id, bought)
    assert await balance_of(sessions, counter.member_id) == 30_000
    audit = f"action = 'card.bound' AND actor_id = '{counter.pad.staff_id}'"
    assert await count(sessions, "audit_entries", audit) == 1
