"""Signing in: device and PIN, login and password; wrong tries are counted though refused."""

import asyncio

import pytest
from sqlalchemy import text

from o2o.crm.statuses import StaffRoleName
from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.staff.actions.create_staff import create_staff
from o2o.staff.actions.revoke_pad import revoke_pad
from o2o.staff.actions.unlock_staff import unlock_staff
from o2o.staff.errors import (
    LoginTaken,
    NoRole,
    PadNotFound,
    PINLocked,
    SignInLocked,
    SignInRefused,
    StaffNotFound,
    WrongStore,
)
from o2o.staff.front_door import FrontDoor
from o2o.web.visitors import Visitors
from tests.factories.members import count
from tests.factories.staff import PASSWORD, PIN, given_staff, hashed
from tests.fakes.clock import NOON, FakeClock
from tests.integration.staff.conftest import House


async def test_a_clerk_signs_in_on_the_pad_of_the_store(
    sessions: SessionFactory, seal: Seal, house: House, door: FrontDoor, clock: FakeClock
) -> None:
    signed_in = await door.sign_in_at_pad(pad_id=house.pad.pad_id, login=" ChenJie ", pin=PIN)
    assert (signed_in.staff_id, signed_in.name) == (house.clerk_id, "陈洁")
    visitors = Visitors(sessions, seal=seal, clock=clock)
    clerk = await visitors.find_clerk_at(house.pad.secret, token=signed_in.session_token)
    assert clerk is not None
    assert (clerk.staff_id, clerk.pad_id) == (house.clerk_id, house.pad.pad_id)
    assert await visitors.find_console_staff(signed_in.session_token) is None
    assert await count(sessions, "audit_entries", "action = 'staff.signed_in'") == 1


async def test_unknown_login_and_wrong_pin_are_refused_alike(
    sessions: SessionFactory, house: House, door: FrontDoor
) -> None:
    refusals = []
    for login, pin in (
        ("nobody", PIN),
        ("chenjie", "602818"),
        ("chenjie", ""),
        ("", PIN),
        ("\x00", "\ud800"),
    ):
        with pytest.raises(SignInRefused) as refused:
            await door.sign_in_at_pad(pad_id=house.pad.pad_id, login=login, pin=pin)
        refusals.append((refused.value.code, refused.value.status, refused.value.detail))
    assert set(map(str, refusals)) == {"('staff.sign_in_refused', 401, {})"}
    assert await count(sessions, "web_sessions") == 0


async def test_five_wrong_pins_lock_until_a_manager_unlocks(
    sessions: SessionFactory, house: House, door: FrontDoor, clock: FakeClock
) -> None:
    for _ in range(4):
        with pytest.raises(SignInRefused):
            await door.sign_in_at_pad(pad_id=house.pad.pad_id, login="chenjie", pin="999990")
    for pin in ("999990", PIN, PIN):
        with pytest.raises(PINLocked):
            await door.sign_in_at_pad(pad_id=house.pad.pad_id, login="chenjie", pin=pin)
    clock.advance(days=3)
    with pytest.raises(PINLocked):
        await door.sign_in_at_pad(pad_id=house.pad.pad_id, login="chenjie", pin=PIN)
    assert await count(sessions, "web_sessions") == 0

    async with transaction(sessions) as tx:
        await unlock_staff(tx, staff_id=house.clerk_id, by=house.manager_id, now=clock.now())
    await door.sign_in_at_pad(pad_id=house.pad.pad_id, login="chenjie", pin=PIN)
    assert await count(sessions, "audit_entries", "action = 'staff.unlocked'") == 1


async def test_a_right_pin_gives_all_tries_back(house: House, door: FrontDoor) -> None:
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(SignInRefused):
                await door.sign_in_at_pad(pad_id=house.pad.pad_id, login="chenjie", pin="0")
        await door.sign_in_at_pad(pad_id=house.pad.pad_id, login="chenjie", pin=PIN)


async def test_guesses_at_once_get_no_sixth_try(
    sessions: SessionFactory, house: House, door: FrontDoor
) -> None:
    outcomes = await asyncio.gather(
        *(
            door.sign_in_at_pad(pad_id=house.pad.pad_id, login="chenjie", pin=f"{n:06d}")
            for n in range(12)
        ),
        return_exceptions=True,
    )
    assert {type(outcome) for outcome in outcomes} <= {SignInRefused, PINLocked}
    async with sessions() as tx:
        failures = await tx.scalar(
            text("SELECT pin_failures FROM staff_members WHERE login = 'chenjie'")
        )
    assert failures == 5


async def test_the_role_must_cover_the_pads_store(
    sessions: SessionFactory, house: House, door: FrontDoor, clock: FakeClock
) -> None:
    with pytest.raises(WrongStore) as refused:
        await door.sign_in_at_pad(pad_id=house.other_pad.pad_id, login="chenjie", pin=PIN)
    assert refused.value.status == 403
    async with transaction(sessions) as tx:
        await given_staff(tx, house.brand, role=StaffRoleName.MARKETER, login="tangyi")
        await given_staff(tx, house.brand, role=StaffRoleName.MANAGER, login="lujia")
    with pytest.raises(WrongStore):  # A marketer has no work at a pad.
        await door.sign_in_at_pad(pad_id=house.pad.pad_id, login="tangyi", pin=PIN)
    assert await count(sessions, "web_sessions") == 0
    await door.sign_in_at_pad(pad_id=house.other_pad.pad_id, login="lujia", pin=PIN)


async def test_a_revoked_pad_and_a_disabled_person_are_out(
    sessions: SessionFactory, house: House, door: FrontDoor, clock: FakeClock
) -> None:
    await door.sign_in_at_pad(pad_id=house.pad.pad_id, login="chenjie", pin=PIN)
    async with transaction(sessions) as tx:
        await revoke_pad(tx, pad_id=house.pad.pad_id, by=house.manager_id, now=clock.now())
        await revoke_pad(tx, pad_id=house.pad.pad_id, by=house.manager_id, now=clock.now())
    assert await count(sessions, "web_sessions", "ended_at IS NULL") == 0
    assert await count(sessions, "audit_entries", "action = 'pad.revoked'") == 1
    with pytest.raises(PadNotFound):
        await door.sign_in_at_pad(pad_id=house.pad.pad_id, login="chenjie", pin=PIN)
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE staff_members SET disabled_at = now()"))
    with pytest.raises(SignInRefused):
        await door.sign_in_at_pad(pad_id=house.other_pad.pad_id, login="chenjie", pin=PIN)
    with pytest.raises(SignInRefused):
        await door.sign_in_to_console(login="linfan", password=PASSWORD)


async def test_only_a_manager_of_the_store_revokes_and_unlocks(
    sessions: SessionFactory, house: House, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        with pytest.raises(PadNotFound):
            await revoke_pad(
                tx, pad_id=house.other_pad.pad_id, by=house.manager_id, now=clock.now()
            )
        with pytest.raises(PadNotFound):
            await revoke_pad(tx, pad_id=house.pad.pad_id, by=house.clerk_id, now=clock.now())
        elsewhere = await given_staff(tx, house.brand, store_id=house.other_store.id)
        for staff_id, by in (
            (elsewhere, house.manager_id),
            (house.manager_id, house.manager_id),
            (house.manager_id, house.clerk_id),
        ):
            with pytest.raises(StaffNotFound):
                await unlock_staff(tx, staff_id=staff_id, by=by, now=clock.now())
    assert await count(sessions, "pads", "revoked_at IS NOT NULL") == 0


async def test_the_console_takes_login_and_password(
    sessions: SessionFactory, seal: Seal, house: House, door: FrontDoor, clock: FakeClock
) -> None:
    signed_in = await door.sign_in_to_console(login="LINFAN", password=PASSWORD)
    visitors = Visitors(sessions, seal=seal, clock=clock)
    person = await visitors.find_console_staff(signed_in.session_token)
    assert person is not None
    assert person.staff_id == house.manager_id
    assert await visitors.find_clerk_at(house.pad.secret, token=signed_in.session_token) is None


async def test_known_and_unknown_logins_are_refused_and_locked_alike(
    sessions: SessionFactory, house: House, door: FrontDoor, clock: FakeClock
) -> None:
    seen: dict[str, list[tuple[str, object]]] = {}
    for login in ("linfan", "nobody"):
        seen[login] = []
        for _ in range(7):
            with pytest.raises((SignInRefused, SignInLocked)) as refused:
                await door.sign_in_to_console(login=login, password="wrong password")
            seen[login].append((refused.value.code, refused.value.detail))
    assert seen["linfan"] == seen["nobody"]
    assert (
        seen["linfan"]
        == [("staff.sign_in_refused", {})] * 5
        + [("staff.sign_in_locked", {"retry_after_seconds": 300})] * 2
    )
    with pytest.raises(SignInLocked):  # The right one too.
        await door.sign_in_to_console(login="linfan", password=PASSWORD)
    assert await count(sessions, "web_sessions") == 0
    clock.advance(minutes=5)
    await door.sign_in_to_console(login="linfan", password=PASSWORD)


async def test_somebody_without_a_role_has_nothing_at_the_console(
    sessions: SessionFactory, house: House, door: FrontDoor
) -> None:
    async with transaction(sessions) as tx:
        await create_staff(
            tx,
            brand_id=house.brand.id,
            login="nowhere",
            name="无岗",
            roles=[],
            password_hash=hashed(PASSWORD),
            pin_hash=None,
            actor=SYSTEM,
            now=NOON,
        )
    with pytest.raises(NoRole):
        await door.sign_in_to_console(login="nowhere", password=PASSWORD)
    with pytest.raises(SignInRefused):  # No PIN is not an empty PIN.
        await door.sign_in_at_pad(pad_id=house.pad.pad_id, login="nowhere", pin="")


async def test_a_login_is_taken_once(sessions: SessionFactory, house: House) -> None:
    with pytest.raises(LoginTaken):
        async with transaction(sessions) as tx:
            await given_staff(tx, house.brand, login="ChenJie ")
    assert await count(sessions, "staff_members") == 2
