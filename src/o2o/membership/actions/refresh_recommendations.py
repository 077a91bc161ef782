"""Count anew which dishes go together and what each store sells: what recommendations rest on."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from o2o.infra.database import Tx

# The bills of a brand that are looked at, the latest first: a bound on the work, whatever the
# brand's size; tastes of a city do not take more to be known.
BILLS_MAX = 60_000
BILLS_SINCE = timedelta(days=365)
ITEMS_OF_MEMBER_MAX = 25
OTHERS_OF_ITEM_MAX = 40
# Fewer members than this would be told of rather than counted.
MEMBERS_TOGETHER_MIN = 3
POPULAR_SINCE = timedelta(days=90)
POPULAR_RECENT = timedelta(days=30)

_BRANDS = text("SELECT id FROM brands ORDER BY id")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('refresh_recommendations', 0))")
# Bills that came in by a file name items that nobody described.
_MEET_ITEMS = text(
    "WITH recent AS (SELECT id FROM purchases WHERE brand_id = :brand_id"
    "  AND bought_at > :since AND bought_at <= :now ORDER BY bought_at DESC LIMIT :bills_max)"
    " INSERT INTO purchase_items (brand_id, item_code, name, updated_at)"
    " SELECT :brand_id, l.item_code, max(l.item_name), :now FROM recent r"
    " JOIN purchase_lines l ON l.purchase_id = r.id WHERE NOT EXISTS (SELECT 1"
    "  FROM purchase_items i WHERE i.brand_id = :brand_id AND i.item_code = l.item_code)"
    " GROUP BY l.item_code ORDER BY l.item_code ON CONFLICT (brand_id, item_code) DO NOTHING"
)
_FORGET_AFFINITIES = text("DELETE FROM item_affinities WHERE brand_id = :brand_id")
# r = share of a member's bills that have the item; affinity of j to i is the mean of r(j) over
# members, each weighing r(i), drawn towards nothing as if two more members had never taken j.
# Whoever said no to profiling is not counted.
_AFFINITIES = text(
    "WITH recent AS (SELECT p.id, p.member_id FROM purchases p JOIN members m ON m.id = p.member_id"
    "  WHERE p.brand_id = :brand_id AND p.bought_at > :since AND p.bought_at <= :now"
    "  AND m.profiling_refused_at IS NULL AND m.status <> 'deleted'"
    "  ORDER BY p.bought_at DESC LIMIT :bills_max),"
    " bills AS (SELECT member_id, count(*) AS bills FROM recent GROUP BY member_id),"
    " taken AS (SELECT r.member_id, l.item_code, count(DISTINCT r.id) AS times"
    "  FROM recent r JOIN purchase_lines l ON l.purchase_id = r.id"
    "  JOIN purchase_items i ON i.brand_id = :brand_id AND i.item_code = l.item_code"
    "  AND i.is_recommended GROUP BY r.member_id, l.item_code),"
    " rates AS (SELECT t.member_id, t.item_code, t.times::double precision / b.bills AS rate,"
    "  row_number() OVER (PARTITION BY t.member_id ORDER BY t.times DESC, t.item_code) AS place"
    "  FROM taken t JOIN bills b USING (member_id)),"
    " few AS MATERIALIZED (SELECT member_id, item_code, rate FROM rates WHERE place <= :items_max),"
    " sums AS (SELECT item_code, sum(rate) AS rates, sum(rate) / count(*) AS mean"
    "  FROM few GROUP BY item_code),"
    " pairs AS (SELECT a.item_code, b.item_code AS other_code, count(*) AS members_both,"
    "  sum(a.rate * b.rate) AS both_rates"
    "  FROM few a JOIN few b USING (member_id) WHERE a.item_code <> b.item_code"
    "  GROUP BY 1, 2 HAVING count(*) >= :together_min),"
    " scored AS (SELECT p.item_code, p.other_code, p.members_both,"
    "  floor(10000 * p.both_rates / (s.rates + 2 * s.mean))::bigint AS affinity_bp"
    "  FROM pairs p JOIN sums s USING (item_code)),"
    " ranked AS (SELECT *, row_number() OVER (PARTITION BY item_code"
    "  ORDER BY affinity_bp DESC, other_code) AS place FROM scored)"
    " INSERT INTO item_affinities (brand_id, item_code, other_code, members_both, affinity_bp)"
    " SELECT :brand_id, item_code, other_code, members_both, affinity_bp FROM ranked"
    " WHERE place <= :others_max"
)
_FORGET_POPULARITIES = text(
    "DELETE FROM item_popularities USING stores s WHERE s.id = store_id AND s.brand_id = :brand_id"
)
# The row without an item weighs all bills of the store, so that a share can be told.
_POPULARITIES = text(
    "WITH recent AS (SELECT id, store_id, bought_at, power(0.5,"
    "  extract(epoch FROM CAST(:now AS timestamptz) - bought_at) / 2592000) AS weight"
    "  FROM purchases WHERE brand_id = :brand_id AND bought_at > :since AND bought_at <= :now"
    "  ORDER BY bought_at DESC LIMIT :bills_max),"
    " sold AS (SELECT DISTINCT r.id, r.store_id, r.bought_at, r.weight, l.item_code"
    "  FROM recent r JOIN purchase_lines l ON l.purchase_id = r.id"
    "  JOIN purchase_items i ON i.brand_id = :brand_id AND i.item_code = l.item_code"
    "  AND i.is_recommended),"
    " counted AS (SELECT store_id, item_code, bought_at, weight FROM sold"
    "  UNION ALL SELECT r.store_id, '', r.bought_at, r.weight FROM recent r"
    "  WHERE EXISTS (SELECT 1 FROM purchase_lines l WHERE l.purchase_id = r.id))"
    " INSERT INTO item_popularities (store_id, item_code, bills, weight)"
    " SELECT store_id, item_code, count(*) FILTER (WHERE bought_at > :lately),"
    " ceil(100 * sum(weight))::bigint FROM counted GROUP BY store_id, item_code"
)


async def refresh_recommendations(tx: Tx, now: datetime) -> None:
    """Count every brand's bills anew. Two at once wait for each other."""
    await tx.execute(_LOCK)
    for brand_id in (await tx.scalars(_BRANDS)).all():
        await refresh_brand(tx, brand_id, now=now)


async def refresh_brand(tx: Tx, brand_id: UUID, *, now: datetime) -> None:
    """Count one brand's bills anew, as they were known at `now`."""
    common = {"brand_id": brand_id, "now": now, "bills_max": BILLS_MAX}
    await tx.execute(_MEET_ITEMS, common | {"since": now - BILLS_SINCE})
    await tx.execute(_FORGET_AFFINITIES, {"brand_id": brand_id})
    await tx.execute(
        _AFFINITIES,
        common
        | {
            "since": now - BILLS_SINCE,
            "items_max": ITEMS_OF_MEMBER_MAX,
            "others_max": OTHERS_OF_ITEM_MAX,
            "together_min": MEMBERS_TOGETHER_MIN,
        },
    )
    await tx.execute(_FORGET_POPULARITIES, {"brand_id": brand_id})
    await tx.execute(
        _POPULARITIES,
        common | {"since": now - POPULAR_SINCE, "lately": now - POPULAR_RECENT},
    )
