"""Enrolling pads with one-time codes, and keys of other systems."""

import asyncio

import pytest

from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.staff.actions.count_guess import sweep_guesses
from o2o.staff.actions.create_pad_enrolment import create_pad_enrolment
from o2o.staff.actions.enrol_pad import EnrolledPad
from o2o.staff.actions.issue_api_key import issue_api_key
from o2o.staff.actions.revoke_api_key import revoke_api_key
from o2o.staff.errors import (
    APIKeyNotFound,
    PadEnrolmentInvalid,
    PadEnrolmentLocked,
    ScopeUnknown,
)
from o2o.staff.front_door import FrontDoor
from o2o.staff.queries import find_api_key, list_api_keys, list_pads, list_staff
from o2o.web.errors import RoleMissing
from o2o.web.queries.principals import find_pad
from tests.factories.members import count
from tests.factories.organisation import given_account, given_brand, given_store
from tests.fakes.clock import FakeClock
from tests.integration.staff.conftest import House


async def enrolment(sessions: SessionFactory, seal: Seal, house: House, clock: FakeClock) -> str:
    async with transaction(sessions) as tx:
        return await create_pad_enrolment(
            tx, seal=seal, store_id=house.store.id, by=house.manager_id, now=clock.now()
        )


async def test_a_managers_code_makes_one_pad(
    sessions: SessionFactory, seal: Seal, house: House, door: FrontDoor, clock: FakeClock
) -> None:
    code = await enrolment(sessions, seal, house, clock)
    assert len(code) == 8
    assert code.isdigit()
    pad = await door.enrol_pad(code=f" {code[:4]} {code[4:]} ", name="收银台 1", client="a")
    async with sessions() as tx:
        found = await find_pad(tx, seal.hash_of(pad.secret, use="pad"))
        names = [view.name for view in await list_pads(tx, store_ids=[house.store.id])]
    assert found is not None
    assert (found.pad_id, found.store_id, found.name) == (pad.pad_id, house.store.id, "收银台 1")
    assert sorted(names) == ["前台", "收银台 1"]
    with pytest.raises(PadEnrolmentInvalid):
        await door.enrol_pad(code=code, name="another", client="a")
    assert await count(sessions, "pads") == 3


async def test_a_code_dies_after_ten_minutes(
    sessions: SessionFactory, seal: Seal, house: House, door: FrontDoor, clock: FakeClock
) -> None:
    code = await enrolment(sessions, seal, house, clock)
    clock.advance(minutes=10)
    with pytest.raises(PadEnrolmentInvalid):
        await door.enrol_pad(code=code, name="late", client="a")
    assert await count(sessions, "pads") == 2


async def test_one_code_used_by_many_browsers_at_once_makes_one_pad(
    sessions: SessionFactory, seal: Seal, house: House, door: FrontDoor, clock: FakeClock
) -> None:
    for round_number in range(8):
        clock.advance(minutes=2)
        code = await enrolment(sessions, seal, house, clock)
        outcomes = await asyncio.gather(
            *(door.enrol_pad(code=code, name="pad", client=f"{n}") for n in range(5)),
            return_exceptions=True,
        )
        kinds = sorted(type(outcome).__name__ for outcome in outcomes)
        assert kinds == ["EnrolledPad", *["PadEnrolmentInvalid"] * 4]
        pads = [outcome for outcome in outcomes if isinstance(outcome, EnrolledPad)]
        assert pads[0].store_id == house.store.id
        assert await count(sessions, "pads") == 3 + round_number


async def test_wrong_codes_lock_their_address_and_not_the_others(
    sessions: SessionFactory, seal: Seal, house: House, door: FrontDoor, clock: FakeClock
) -> None:
    for _ in range(5):
        with pytest.raises(PadEnrolmentInvalid):
            await door.enrol_pad(code="00000000", name="x", client="10.0.0.9")
    code = await enrolment(sessions, seal, house, clock)
    with pytest.raises(PadEnrolmentLocked) as refused:
        await door.enrol_pad(code=code, name="x", client="10.0.0.9")
    assert refused.value.detail == {"retry_after_seconds": 60}
    await door.enrol_pad(code=code, name="x", client="10.0.0.8")
    async with transaction(sessions) as tx:
        await sweep_guesses(tx, clock.advance(days=2))
    assert await count(sessions, "guess_counts") == 0


async def test_only_a_manager_of_that_store_makes_codes(
    sessions: SessionFactory, seal: Seal, house: House, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        other = await given_brand(tx)
        foreign = await given_store(tx, other, await given_account(tx, other, seal=seal))
    for store_id, by in (
        (house.other_store.id, house.manager_id),
        (house.store.id, house.clerk_id),
        (foreign.id, house.manager_id),
        (new_id(), house.manager_id),
    ):
        with pytest.raises(RoleMissing):
            async with transaction(sessions) as tx:
                await create_pad_enrolment(tx, seal=seal, store_id=store_id, by=by, now=clock.now())
    assert await count(sessions, "pad_enrolments") == 0


async def test_a_key_is_told_once_and_found_by_itself(
    sessions: SessionFactory, seal: Seal, house: House, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        issued = await issue_api_key(
            tx,
            seal=seal,
            brand_id=house.brand.id,
            name="till",
            scopes=["debits:write", "members:read", "debits:write"],
            unattended_debit_fen_max=500,
            actor=SYSTEM,
            now=clock.now(),
        )
    assert issued.token.startswith("o2o_")
    async with transaction(sessions) as tx:
        client = await find_api_key(tx, seal=seal, token=issued.token)
        assert client is not None
        assert client.scopes == frozenset({"debits:write", "members:read"})
        assert (client.key_id, client.brand_id) == (issued.key_id, house.brand.id)
        assert client.unattended_debit_fen_max == 500
        assert await find_api_key(tx, seal=seal, token=issued.token + "x") is None
        [kept] = await list_api_keys(tx, brand_id=house.brand.id)
        assert issued.token.encode() not in kept.key_hash
        with pytest.raises(APIKeyNotFound):
            await revoke_api_key(
                tx, key_id=issued.key_id, brand_id=None, actor=SYSTEM, now=clock.now()
            )
        for _ in range(2):
            await revoke_api_key(
                tx, key_id=issued.key_id, brand_id=house.brand.id, actor=SYSTEM, now=clock.now()
            )
    async with sessions() as tx:
        assert await find_api_key(tx, seal=seal, token=issued.token) is None
    assert await count(sessions, "audit_entries", "action = 'api_key.revoked'") == 1
    assert await count(sessions, "audit_entries", f"detail::text LIKE '%{issued.token}%'") == 0


async def test_an_unknown_scope_makes_no_key(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    with pytest.raises(ScopeUnknown):
        async with transaction(sessions) as tx:
            await issue_api_key(
                tx,
                seal=seal,
                brand_id=None,
                name="till",
                scopes=["everything"],
                unattended_debit_fen_max=0,
                actor=SYSTEM,
                now=clock.now(),
            )
    assert await count(sessions, "api_keys") == 0


async def test_staff_are_listed_with_their_roles(sessions: SessionFactory, house: House) -> None:
    async with sessions() as tx:
        people = await list_staff(tx, brand_id=house.brand.id)
    assert [(person.login, person.is_pin_locked) for person in people] == [
        ("chenjie", False),
        ("linfan", False),
    ]
    assert {role.value: stores for role, stores in people[1].roles.items()} == {
        "manager": frozenset({house.store.id})
    }
