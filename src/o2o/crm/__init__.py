"""The shared CRM schema: every table and status enum of the product, on one MetaData.

Only the owning domain writes a table; anyone may read through foreign keys.
"""

from o2o.crm import (
    ledger,
    members,
    organisation,
    outbox,
    platform,
    programmes,
    purchases,
    staff,
    statuses,
    wechat,
)
from o2o.crm.base import Base

metadata = Base.metadata

__all__ = [
    "Base",
    "ledger",
    "members",
    "metadata",
    "organisation",
    "outbox",
    "platform",
    "programmes",
    "purchases",
    "staff",
    "statuses",
    "wechat",
]
