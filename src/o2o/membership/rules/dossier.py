"""Who may see and change what staff keep of members, and how much of it there may be."""

from o2o.crm.statuses import StaffRoleName
from o2o.kernel.text import without_controls

# The security model's table of roles: everybody sees phones masked; the service agent may see
# one record's in full, with a reason. Marketers get counts of segments, never people.
MAY_LOOK = frozenset(
    {
        StaffRoleName.MANAGER,
        StaffRoleName.SERVICE,
        StaffRoleName.FINANCE,
        StaffRoleName.AUDITOR,
    }
)
MAY_WRITE = frozenset({StaffRoleName.MANAGER, StaffRoleName.SERVICE})
MAY_SEE_PHONE = frozenset({StaffRoleName.SERVICE})
# Money changes hands: whoever answers for a store, and nobody who only writes notes.
MAY_MERGE = frozenset({StaffRoleName.MANAGER})

TAG_CHARS_MAX = 20
TAGS_MAX = 20
NOTE_CHARS_MAX = 1_000
TASTE_CHARS_MAX = 20
TASTES_MAX = 30
REASON_CHARS_MIN = 4
REASON_CHARS_MAX = 200


def readable(text: str, *, chars_max: int) -> str | None:
    """Return a text as it is kept, blanks at the ends dropped; None when it is empty or too long.

    Length is counted after that, so that nobody is refused for what cannot be seen.
    """
    plain = without_controls(text.replace("\r\n", "\n")[: 4 * chars_max + 1])
    return plain if 1 <= len(plain) <= chars_max else None


def one_word(text: str, *, chars_max: int) -> str | None:
    """Return a tag or taste as it is kept, runs of blanks made one; None when it is unreadable."""
    plain = readable(text, chars_max=4 * chars_max)
    joined = " ".join(plain.split()) if plain else ""
    return joined if 1 <= len(joined) <= chars_max else None
