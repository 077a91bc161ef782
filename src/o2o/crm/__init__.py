"""The shared CRM schema: every table and status enum of the product, on one MetaData.

Only the owning domain writes a table; anyone may read through foreign keys.
"""

from o2o.crm import (
    adjustments,
    bookings,
    bridge,
    dossier,
    identity,
    imports,
    ledger,
    ledger_seals,
    members,
    organisation,
    outbox,
    platform,
    privacy,
    programme_history,
    programmes,
    purchases,
    queue_notices,
    queueing,
    shifts,
    staff,
    statuses,
    waits,
    wechat,
)
from o2o.crm.base import Base

metadata = Base.metadata

__all__ = [
    "Base",
    "adjustments",
    "bookings",
    "bridge",
    "dossier",
    "identity",
    "imports",
    "ledger",
    "ledger_seals",
    "members",
    "metadata",
    "organisation",
    "outbox",
    "platform",
    "privacy",
    "programme_history",
    "programmes",
    "purchases",
    "queue_notices",
    "queueing",
    "shifts",
    "staff",
    "statuses",
    "waits",
    "wechat",
]
