"""Addresses with codes of ours: the door's, and those on paper numbers; and reading them."""

from uuid import UUID

from o2o.infra.seal import Seal
from o2o.queueing.errors import DoorCodeForged
from o2o.queueing.errors_door import DoorCodeRetired, PaperCodeForged
from o2o.queueing.queries.doors import Door
from o2o.queueing.rules.door_codes import (
    PAPER,
    CodeFault,
    Sign,
    make_code,
    make_door_code,
    read_code,
    read_door_code,
)


def _sign(seal: Seal) -> Sign:
    return lambda text, purpose: seal.hash_of(text, use=purpose)


def door_path(seal: Seal, door: Door) -> str:
    """Return the path that the poster at a store's door leads to, on the store's account."""
    code = make_door_code(_sign(seal), door.store_id, edition=door.edition)
    return f"/h5/{door.account_slug}/queue?store={door.store_id}&door={code}"


def check_door(seal: Seal, door: Door, code: str) -> None:
    """Let a code pass that proves presence at this door.

    Raises DoorCodeForged, DoorCodeRetired.
    """
    fault = read_door_code(_sign(seal), code, store_id=door.store_id, edition=door.edition)
    if fault is CodeFault.FORGED:
        raise DoorCodeForged
    if fault is CodeFault.RETIRED:
        raise DoorCodeRetired


def paper_path(seal: Seal, *, account_slug: str, ticket_id: UUID) -> str:
    """Return the path by which a number that was given on paper goes onto a phone, once."""
    code = make_code(_sign(seal), purpose=PAPER, subject_id=ticket_id)
    return f"/h5/{account_slug}/paper/{code}"


def read_paper(seal: Seal, code: str) -> UUID:
    """Return the ticket of a paper number's code. Raises PaperCodeForged."""
    read = read_code(_sign(seal), purpose=PAPER, code=code)
    if read is None:
        raise PaperCodeForged
    return read.subject_id
