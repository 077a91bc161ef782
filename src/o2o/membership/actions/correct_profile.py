"""A member corrects the own name or birthday. What they were stays out of the audit trail."""

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_identity import NameInvalid
from o2o.membership.errors_privacy import BirthdayUnusable, GuardianNeeded
from o2o.membership.rules.names import parse_real_name

AGE_YEARS_MAX = 120
AGE_OF_CONSENT = 14
ZONE = ZoneInfo("Asia/Shanghai")

_LOCK = text(
    "SELECT name, birthday FROM members WHERE id = :member_id AND status = 'active' FOR UPDATE"
)
_SET = text("UPDATE members SET name = :name, birthday = :birthday WHERE id = :member_id")


def read_birthday(typed: str, *, now: datetime) -> date | None:
    """Return a day as the date field sends it, None for an empty one.

    Raises BirthdayUnusable, GuardianNeeded.
    """
    if not typed.strip():
        return None
    try:
        birthday = date.fromisoformat(typed.strip())
    except ValueError as error:
        raise BirthdayUnusable from error
    today = now.astimezone(ZONE).date()
    if not 0 < (today - birthday).days <= AGE_YEARS_MAX * 366:
        raise BirthdayUnusable
    # Whoever was born on a leap day has the birthday on the first of March of other years.
    if (today.year - AGE_OF_CONSENT, today.month, today.day) < (
        birthday.year,
        birthday.month,
        birthday.day,
    ):
        raise GuardianNeeded
    return birthday


async def correct_profile(
    tx: Tx, *, member_id: UUID, name: str, birthday: str, now: datetime
) -> list[str]:
    """Set what the member typed; return which fields changed. A name, once given, stays one.

    Raises MemberNotFound, NameInvalid (also for taking a name away: the card would no longer be
    a named one), BirthdayUnusable, GuardianNeeded.
    """
    wanted = {
        "name": parse_real_name(name) if name.strip() else None,
        "birthday": read_birthday(birthday, now=now),
    }
    row = (await tx.execute(_LOCK, {"member_id": member_id})).first()
    if row is None:
        raise MemberNotFound(member_id=member_id)
    if row.name is not None and wanted["name"] is None:
        raise NameInvalid
    before = {"name": row.name, "birthday": row.birthday}
    changed = [field for field in wanted if wanted[field] != before[field]]
    if changed:
        await tx.execute(_SET, {"member_id": member_id, **wanted})
        await note(
            tx,
            actor=Actor("member", member_id),
            action="member.corrected",
            at=now,
            subject=("member", member_id),
            fields=changed,
        )
    return changed
