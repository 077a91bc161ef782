"""What a store's queues and desks may be like: letters, names, sizes, how they are served."""

import re

import msgspec

from o2o.queueing.errors import DeskUnreadable
from o2o.queueing.errors_arrange import DeskWrong, QueueWrong
from o2o.queueing.rules.desks import readable_desk

QUEUES_MAX = 26
NAME_CHARS_MAX = 12
NAME_EN_CHARS_MAX = 32
PARTY_SIZE_MAX = 50
SERVERS_MAX = 500
MINUTES_MAX = 480
DESKS_MAX = 60

_LETTER = re.compile(r"[A-Z]", re.ASCII)


class QueueDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A queue as somebody wants it."""

    code: str
    name: str
    name_en: str
    party_size_min: int
    party_size_max: int
    servers: int
    minutes_per_party: int
    rank: int


class DeskDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A desk as somebody wants it."""

    code: str
    name: str


def check_queue(draft: QueueDraft) -> None:
    """Raise QueueWrong, naming the field that cannot be kept."""
    if not _LETTER.fullmatch(draft.code):
        raise QueueWrong(field="code")
    if not 1 <= len(draft.name) <= NAME_CHARS_MAX:
        raise QueueWrong(field="name", least=1, most=NAME_CHARS_MAX)
    if not 1 <= len(draft.name_en) <= NAME_EN_CHARS_MAX:
        raise QueueWrong(field="name_en", least=1, most=NAME_EN_CHARS_MAX)
    for field, value, least, most in (
        ("party_size_min", draft.party_size_min, 1, PARTY_SIZE_MAX),
        ("party_size_max", draft.party_size_max, draft.party_size_min, PARTY_SIZE_MAX),
        ("servers", draft.servers, 1, SERVERS_MAX),
        ("minutes_per_party", draft.minutes_per_party, 1, MINUTES_MAX),
        ("rank", draft.rank, 0, 99),
    ):
        if not least <= value <= most:
            raise QueueWrong(field=field, least=least, most=most)


def check_desk(draft: DeskDraft) -> None:
    """Raise DeskWrong, naming the field that cannot be kept."""
    try:
        is_readable = readable_desk(draft.code) == draft.code
    except DeskUnreadable:
        is_readable = False
    if not is_readable:
        raise DeskWrong(field="code")
    if not 1 <= len(draft.name) <= NAME_CHARS_MAX:
        raise DeskWrong(field="name")
