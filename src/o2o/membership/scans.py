"""Scans on their way through a batch: what was found out and what stands in the way."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.crm.statuses import VisitVia
from o2o.kernel.errors import Fact
from o2o.membership.queries.counter import CodeOwner, LastSeen, StoreFacts
from o2o.membership.scanners import Scanner


class OpenVisit(msgspec.Struct, frozen=True, kw_only=True):
    """A member code was scanned. With `member_id` it must be that member's."""

    code_hash: bytes
    by: Scanner
    now: datetime
    member_id: UUID | None = None


class Scan(msgspec.Struct):
    """A command on its way through the batch."""

    command: OpenVisit
    store: StoreFacts | None = None
    owner: CodeOwner | None = None
    visit_id: UUID | None = None
    held_since: LastSeen | None = None
    refusal: Fact | None = None
    # By what the member was recognised; without a code its hash is empty.
    via: VisitVia = VisitVia.CODE


def still_open(scans: Sequence[Scan]) -> list[Scan]:
    """Return the scans that nothing stands in the way of so far."""
    return [scan for scan in scans if scan.refusal is None]
