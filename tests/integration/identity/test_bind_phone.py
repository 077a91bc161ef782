"""A proved phone leads to one member, whoever proves it; nothing becomes one without a yes."""

from uuid import UUID

import pytest

from o2o.crm.members import Member
from o2o.crm.statuses import VerificationPurpose
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import MemberId
from o2o.membership.actions.bind_phone import PhoneBound, PhoneHasOwners, bind_phone
from o2o.membership.actions.enter_real_name import enter_real_name
from o2o.membership.actions.pay_pin import set_pay_pin
from o2o.membership.actions.verify_phone import (
    AskPhoneCode,
    ask_phone_code,
    check_phone_code,
    prove_by_pin,
)
from o2o.membership.errors import ConsentMissing
from o2o.membership.errors_identity import (
    CandidatesChanged,
    NameFixed,
    NameInvalid,
    OtherPinNeeded,
    PhoneNotProved,
    StepUpNeeded,
)
from o2o.membership.queries import get_member_view
from tests.factories.identity import (
    PHONE,
    Someone,
    given_bought_card,
    given_phone,
    given_someone,
    last_code,
    member_of,
    status_of,
)
from tests.factories.members import Counter, balance_of, count, given_member
from tests.factories.organisation import given_account, given_brand
from tests.fakes.clock import FakeClock

OTHER_PHONE = "13800010002"


class Phones:
    """Proves phones the way pages do."""

    def __init__(self, sessions: SessionFactory, seal: Seal, clock: FakeClock) -> None:
        self._sessions, self._seal, self._clock = sessions, seal, clock

    async def prove(
        self,
        someone: Someone,
        phone: str = PHONE,
        *,
        purpose: VerificationPurpose = VerificationPurpose.BIND,
        terms_version: str | None = "2026-01",
    ) -> None:
        self._clock.advance(seconds=60)
        asked = AskPhoneCode(
            fan_id=someone.fan_id,
            phone=phone,
            address="192.0.2.1",
            purpose=purpose,
            terms_version=terms_version,
        )
        async with transaction(self._sessions) as tx:
            await ask_phone_code(tx, asked, seal=self._seal, now=self._clock.now())
        code = (await last_code(self._sessions, self._seal)).message.code
        async with transaction(self._sessions) as tx:
            await check_phone_code(
                tx,
                fan_id=someone.fan_id,
                code=code,
                seal=self._seal,
                now=self._clock.now(),
                purpose=purpose,
            )

    async def bind(
        self, someone: Someone, agreed: list[UUID] | None = None, *, pin_of: tuple[UUID, ...] = ()
    ) -> PhoneBound | PhoneHasOwners:
        async with transaction(self._sessions) as tx:
            return await bind_phone(
                tx,
                fan_id=someone.fan_id,
                account_id=someone.account_id,
                now=self._clock.now(),
                agreed=agreed,
                pin_proved=pin_of,
            )

    async def bound(self, someone: Someone, agreed: list[UUID] | None = None) -> PhoneBound:
        outcome = await self.bind(someone, agreed)
        assert isinstance(outcome, PhoneBound)
        return outcome


@pytest.fixture
def phones(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> Phones:
    return Phones(sessions, seal, clock)


async def test_a_free_phone_becomes_the_members_and_with_a_name_the_member_is_named(
    sessions: SessionFactory, counter: Counter, phones: Phones, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        someone = await given_someone(tx, counter, member_id=counter.member_id)
    await phones.prove(someone)

    bound = await phones.bound(someone)

    assert (bound.member_id, bound.merged, bound.is_new) == (counter.member_id, [], False)
    async with transaction(sessions) as tx:
        await enter_real_name(tx, member_id=counter.member_id, name=" 买买提・江 ", now=clock.now())
        view = await get_member_view(tx, counter.member_id, brand_id=counter.brand.id)
        assert (view.is_named, view.name, view.phone_masked) == (
            True,
            "买买提·江",
            "138****0001",
        )
    with pytest.raises(NameFixed):
        async with transaction(sessions) as tx:
            await enter_real_name(tx, member_id=counter.member_id, name="王小明", now=clock.now())
    with pytest.raises(NameInvalid):
        async with transaction(sessions) as tx:
            await enter_real_name(tx, member_id=counter.member_id, name="王1", now=clock.now())
    with pytest.raises(PhoneNotProved):
        await phones.bind(someone)


async def test_following_a_second_account_and_proving_the_phone_leads_to_the_same_member(
    sessions: SessionFactory, counter: Counter, phones: Phones, seal: Seal
) -> None:
    async with transaction(sessions) as tx:
        await given_phone(tx, counter.brand, counter.member_id, PHONE)
        account = await given_account(tx, counter.brand, seal=seal)
        newcomer = await given_someone(tx, counter, account=account, is_member=False)
    await phones.prove(newcomer)

    asked = await phones.bind(newcomer)
    assert isinstance(asked, PhoneHasOwners)
    assert (asked.own_id, asked.owners) == (None, [counter.member_id])
    assert await member_of(sessions, newcomer.fan_id) is None
    bound = await phones.bound(newcomer, [counter.member_id])

    assert (bound.member_id, bound.is_new) == (counter.member_id, False)
    assert await member_of(sessions, newcomer.fan_id) == counter.member_id
    assert await count(sessions, "members") == 1


async def test_somebody_without_a_card_gets_one_by_a_free_phone_if_they_agreed(
    sessions: SessionFactory, counter: Counter, phones: Phones
) -> None:
    async with transaction(sessions) as tx:
        newcomer = await given_someone(tx, counter, is_member=False)
    await phones.prove(newcomer, terms_version=None)
    with pytest.raises(ConsentMissing):
        await phones.bind(newcomer)
    assert await member_of(sessions, newcomer.fan_id) is None
    await phones.prove(newcomer)

    bound = await phones.bound(newcomer)

    assert bound.is_new
    where = f"member_id = '{bound.member_id}'"
    assert await count(sessions, "consents", where) == 1
    assert await count(sessions, "member_identities", f"{where} AND value = '{PHONE}'") == 1


async def test_the_one_who_joined_first_stays_and_the_other_becomes_one_with_it(
    sessions: SessionFactory, counter: Counter, phones: Phones
) -> None:
    async with transaction(sessions) as tx:
        younger = await given_someone(tx, counter, balance_fen=5_000)
        await given_phone(tx, counter.brand, counter.member_id, PHONE)
    assert younger.member_id is not None
    await phones.prove(younger)
    with pytest.raises(CandidatesChanged):
        await phones.bind(younger, [younger.member_id])
    assert await status_of(sessions, younger.member_id) == ("active", None)

    bound = await phones.bound(younger, [counter.member_id])

    assert (bound.member_id, bound.merged) == (counter.member_id, [younger.member_id])
    assert await balance_of(sessions, counter.member_id) == 15_000
    assert await member_of(sessions, younger.fan_id) == counter.member_id


async def test_bought_cards_with_the_phone_are_offered_but_not_a_stranger_merely_noted_with_it(
    sessions: SessionFactory, counter: Counter, phones: Phones, seal: Seal
) -> None:
    async with transaction(sessions) as tx:
        bought = await given_bought_card(tx, counter, seal=seal, phone=PHONE)
        stranger = await given_someone(tx, counter, balance_fen=7_000)
        assert stranger.member_id is not None
        await given_phone(tx, counter.brand, stranger.member_id, PHONE, is_verified=False)
        someone = await given_someone(tx, counter, member_id=counter.member_id)
    await phones.prove(someone)

    asked = await phones.bind(someone)
    assert isinstance(asked, PhoneHasOwners)
    assert asked.owners == [bought]
    await phones.bound(someone, [bought])

    assert await balance_of(sessions, counter.member_id) == 30_000
    assert await balance_of(sessions, stranger.member_id) == 7_000
    async with sessions() as tx:
        # The number is the one's who proved it.
        assert (await tx.get_one(Member, stranger.member_id)).phone is None
        assert (await tx.get_one(Member, counter.member_id)).phone == PHONE


@pytest.mark.parametrize("by_pin", [False, True])
async def test_another_phone_is_named_only_after_proving_the_one_in_force(
    sessions: SessionFactory, counter: Counter, phones: Phones, clock: FakeClock, by_pin: bool
) -> None:
    async with transaction(sessions) as tx:
        await given_phone(tx, counter.brand, counter.member_id, PHONE)
        someone = await given_someone(tx, counter, member_id=counter.member_id)
    await phones.prove(someone, OTHER_PHONE)
    with pytest.raises(StepUpNeeded):
        await phones.bind(someone)
    # A step up with some other number is none.
    await phones.prove(someone, "13800010009", purpose=VerificationPurpose.STEP_UP)
    with pytest.raises(StepUpNeeded):
        await phones.bind(someone)
    if by_pin:
        async with transaction(sessions) as tx:
            await prove_by_pin(tx, fan_id=someone.fan_id, phone=PHONE, now=clock.now())
    else:
        await phones.prove(someone, purpose=VerificationPurpose.STEP_UP)

    await phones.bound(someone)

    async with sessions() as tx:
        assert (await tx.get_one(Member, counter.member_id)).phone == OTHER_PHONE
    where = f"member_id = '{counter.member_id}' AND kind = 'phone'"
    assert await count(sessions, "member_identities", where) == 1
    # Used up: the next change asks again.
    await phones.prove(someone, "13800010003")
    with pytest.raises(StepUpNeeded):
        await phones.bind(someone)


async def test_another_brands_member_with_the_phone_is_not_ours(
    sessions: SessionFactory, counter: Counter, phones: Phones
) -> None:
    async with transaction(sessions) as tx:
        elsewhere = await given_brand(tx)
        theirs = await given_member(tx, elsewhere)
        await given_phone(tx, elsewhere, theirs, PHONE)
        someone = await given_someone(tx, counter, member_id=counter.member_id)
    await phones.prove(someone)

    bound = await phones.bound(someone)

    assert bound.merged == []
    assert await status_of(sessions, theirs) == ("active", None)
    async with sessions() as tx:
        assert (await tx.get_one(Member, MemberId(theirs))).phone == PHONE


async def test_a_guarded_member_is_joined_only_by_whoever_knows_its_pay_pin(
    sessions: SessionFactory, counter: Counter, phones: Phones, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        await given_phone(tx, counter.brand, counter.member_id, PHONE)
        await set_pay_pin(tx, member_id=counter.member_id, pin="730914", now=clock.now())
        someone = await given_someone(tx, counter, balance_fen=2_000)
    await phones.prove(someone)

    with pytest.raises(OtherPinNeeded):
        await phones.bind(someone, [counter.member_id])

    assert await count(sessions, "member_merges") == 0
    assert await balance_of(sessions, counter.member_id) == 10_000
    # The phone is still proved: the PIN may be typed now.
    bound = await phones.bind(someone, [counter.member_id], pin_of=(counter.member_id,))
    assert isinstance(bound, PhoneBound)
    assert await balance_of(sessions, bound.member_id) == 12_000
