"""Enter the demo's members with their cards, and replay their months in the books."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from o2o.app.demo.history import DemoHistory, DemoMovement
from o2o.app.demo.seeding import Places
from o2o.app.demo.world import World
from o2o.crm.statuses import Tender
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId, RequestId
from o2o.ledger.actions.debit_stored_value import DebitStoredValue, debit_stored_value
from o2o.ledger.actions.grant_points import GrantPoints, grant_points
from o2o.ledger.actions.spend_points import SpendPoints, spend_points
from o2o.ledger.actions.top_up_stored_value import TopUpStoredValue, top_up_stored_value
from o2o.membership.actions.enter_members import KnownMember, enter_members

# Every third top-up was paid by card; the history itself does not say.
_TENDERS = (Tender.CASH, Tender.BANK_CARD, Tender.CASH)
_MONTH = timedelta(days=30)


async def seed_members(
    tx: Tx, world: World, *, history: DemoHistory, places: Places, now: datetime
) -> dict[str, MemberId]:
    """Enter all members; return them by the demo's reference."""
    entered: dict[str, MemberId] = {}
    for brand in world.brands:
        members = [member for member in history.members if member.brand == brand.slug]
        by_card = await enter_members(
            tx,
            brand_id=places.brands[brand.slug],
            members=[
                KnownMember(
                    card_no=member.card_no,
                    name=member.name,
                    phone=member.phone,
                    is_named=member.is_named,
                    birthday=member.birthday,
                    tier_code=member.tier,
                    home_store_id=places.stores[member.home_store],
                    joined_at=member.joined_at,
                )
                for member in members
            ],
            terms_version=brand.terms_version,
            now=now,
        )
        entered |= {member.ref: by_card[member.card_no] for member in members}
    return entered


async def replay_history(
    tx: Tx,
    world: World,
    *,
    movements: Sequence[DemoMovement],
    places: Places,
    members: Mapping[str, MemberId],
) -> None:
    """Post every movement; each member's money and points in their own order.

    Rounds instead of the clock: in round n everybody's n-th run of movements of one kind is
    posted at once, so that thousands of movements take a few dozen statements.
    """
    valid = {brand.slug: brand.points.valid_months for brand in world.brands}
    rounds: dict[tuple[int, str], list[Any]] = {}
    for number, movement, turn in _turns(movements):
        command = _command(number, movement, places=places, members=members, valid=valid)
        rounds.setdefault((turn, movement.kind), []).append(command)
    for turn, kind in sorted(rounds):
        await _post(tx, kind, rounds[turn, kind])


def _turns(movements: Sequence[DemoMovement]) -> Iterator[tuple[int, DemoMovement, int]]:
    """Number the runs of one kind within each member's money and within each member's points."""
    last: dict[tuple[str, bool], tuple[str, int]] = {}
    for number, movement in enumerate(movements):
        pocket = (movement.member_ref, movement.kind in {"earn", "spend"})
        kind, turn = last.get(pocket, ("", 0))
        turn += kind != movement.kind
        last[pocket] = (movement.kind, turn)
        yield number, movement, turn


async def _post(tx: Tx, kind: str, commands: list[Any]) -> None:
    action: Any = {
        "top_up": top_up_stored_value,
        "debit": debit_stored_value,
        "earn": grant_points,
        "spend": spend_points,
    }[kind]
    for outcome in await action(tx, commands, is_announced=False):
        if isinstance(outcome, Fact):
            raise outcome


def _request_id(number: int, movement: DemoMovement) -> RequestId:
    """Name a movement for ever, so that a demo killed while seeding goes on where it was."""
    named = f"demo:{number}:{movement.kind}:{movement.member_ref}:{movement.at.isoformat()}"
    return RequestId(uuid5(NAMESPACE_URL, named))


def _command(
    number: int,
    movement: DemoMovement,
    *,
    places: Places,
    members: Mapping[str, MemberId],
    valid: Mapping[str, int],
) -> Any:
    common: dict[str, Any] = {
        "request_id": _request_id(number, movement),
        "member_id": members[movement.member_ref],
        "store_id": places.stores[movement.store],
        "staff_id": places.staff[movement.clerk_login],
        "now": movement.at,
    }
    if movement.kind == "top_up":
        return TopUpStoredValue(
            **common,
            principal_fen=movement.principal_fen,
            bonus_fen=movement.bonus_fen,
            tender=_TENDERS[number % len(_TENDERS)],
            balance_fen_max=500_000,
        )
    if movement.kind == "debit":
        return DebitStoredValue(**common, amount_fen=movement.amount_fen)
    if movement.kind == "earn":
        months = valid[movement.member_ref.partition("-")[0]]
        return GrantPoints(
            **common, points=movement.points, expires_at=movement.at + months * _MONTH
        )
    return SpendPoints(**common, points=movement.points)
