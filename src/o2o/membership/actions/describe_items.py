"""Say what dishes and services are: their name, what they contain, whether to recommend them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx


class ItemDescription(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a brand. `contains` is None where nobody knows, () for nothing to avoid."""

    item_code: str
    name: str
    contains: tuple[str, ...] | None
    is_recommended: bool = True


_UPSERT = text(
    "INSERT INTO purchase_items (brand_id, item_code, name, contains, is_recommended, updated_at)"
    " SELECT :brand_id, i.code, i.name, CASE WHEN i.contains IS NOT NULL"
    " THEN string_to_array(i.contains, chr(31)) END, i.recommended, :now"
    " FROM unnest(CAST(:codes AS text[]), CAST(:names AS text[]), CAST(:contains AS text[]),"
    " CAST(:recommended AS boolean[])) AS i(code, name, contains, recommended) ORDER BY i.code"
    " ON CONFLICT (brand_id, item_code) DO UPDATE SET name = excluded.name,"
    " contains = excluded.contains, is_recommended = excluded.is_recommended,"
    " updated_at = excluded.updated_at"
)
# Between words of one item: a character that no word has.
_BETWEEN = "\x1f"


async def describe_items(
    tx: Tx, items: Sequence[ItemDescription], *, brand_id: UUID, now: datetime
) -> None:
    """Write the descriptions over what was known of the items; each code once."""
    await tx.execute(
        _UPSERT,
        {
            "brand_id": brand_id,
            "codes": [item.item_code for item in items],
            "names": [item.name for item in items],
            "contains": [
                None if item.contains is None else _BETWEEN.join(item.contains) for item in items
            ],
            "recommended": [item.is_recommended for item in items],
            "now": now,
        },
    )
