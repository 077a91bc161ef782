INSERT INTO members (id, brand_id, tier_id, status, name, phone, phone_verified_at, joined_at)
SELECT CAST('0d000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid), :brand_id, t.id, 'active',
    substr('王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗', ((n * 1327217885) % 20)::int + 1, 1)
    || substr('雨子思嘉佳梓若书文明晓海志建国俊宇浩涵轩怡琪萱宁航杰辉华英兰', ((n * 1327217885 / 97) % 30)::int + 1, 1)
    || substr('雨子思嘉佳梓若书文明晓海志建国俊宇浩涵轩怡琪萱宁航杰辉华英兰', ((n * 1327217885 / 9973) % 30)::int + 1, 1),
    '199' || lpad(n::text, 8, '0'), timestamptz '2026-01-01 00:00+00',
    timestamptz '2026-01-01 00:00+00' + make_interval(mins => (n % 400000)::int)
FROM generate_series(CAST(:low AS bigint), CAST(:high AS bigint)) AS n, tiers t
WHERE t.brand_id = :brand_id AND t.rank = (SELECT min(rank) FROM tiers WHERE brand_id = :brand_id)
;
INSERT INTO member_identities (id, brand_id, member_id, kind, value, created_at)
SELECT gen_random_uuid(), m.brand_id, m.id, 'phone', m.phone, m.joined_at
FROM generate_series(CAST(:low AS bigint), CAST(:high AS bigint)) AS n
JOIN members m ON m.id = CAST('0d000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid)
;
INSERT INTO cards (id, brand_id, member_id, card_no, status, issued_at)
SELECT gen_random_uuid(), m.brand_id, m.id, '7770' || lpad(n::text, 12, '0'), 'active', m.joined_at
FROM generate_series(CAST(:low AS bigint), CAST(:high AS bigint)) AS n
JOIN members m ON m.id = CAST('0d000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid)
;
INSERT INTO ledger_accounts (id, brand_id, kind, asset, owner_id, balance, created_at)
SELECT CAST(pocket.prefix || '-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid), :brand_id,
    pocket.kind, pocket.asset, CAST('0d000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid),
    CASE pocket.asset WHEN 'points' THEN 0 ELSE 100000
        - (SELECT sum(500 + (n * 1327217885 + j * 7919) % 9000)::bigint FROM generate_series(1, 4) AS j) END,
    timestamptz '2026-01-01 00:00+00'
FROM generate_series(CAST(:low AS bigint), CAST(:high AS bigint)) AS n,
    (VALUES ('0e000000', 'member_stored_value', 'cny_fen'), ('0f000000', 'member_points', 'points'))
        AS pocket(prefix, kind, asset)
;
INSERT INTO ledger_transfers (id, request_id, part, body_hash, kind, asset, from_account_id,
    to_account_id, amount, store_id, tender, created_at)
SELECT CAST('1' || k || '000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid),
    CAST('2' || k || '000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid), 0, '\x00'::bytea,
    CASE WHEN k = 0 THEN 'top_up' ELSE 'debit' END, 'cny_fen',
    CASE WHEN k = 0 THEN takings.id ELSE pocket.id END,
    CASE WHEN k = 0 THEN pocket.id ELSE sales.id END,
    CASE WHEN k = 0 THEN 100000 ELSE 500 + (n * 1327217885 + k * 7919) % 9000 END,
    :store_id, CASE WHEN k = 0 THEN 'cash' END,
    timestamptz '2026-01-01 00:00+00' + make_interval(mins => (n % 400000)::int, days => k)
FROM generate_series(CAST(:low AS bigint), CAST(:high AS bigint)) AS n
CROSS JOIN generate_series(0, 4) AS k
CROSS JOIN LATERAL (SELECT CAST('0e000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid) AS id) AS pocket
JOIN ledger_accounts takings ON takings.owner_id = :store_id AND takings.kind = 'store_takings'
JOIN ledger_accounts sales ON sales.owner_id = :store_id AND sales.kind = 'store_sales'
;
INSERT INTO ledger_entries (transfer_id, account_id, amount, balance_after)
SELECT t.id, side.account_id, side.amount, side.balance_after
FROM generate_series(CAST(:low AS bigint), CAST(:high AS bigint)) AS n
CROSS JOIN generate_series(0, 4) AS k
JOIN ledger_transfers t
    ON t.id = CAST('1' || k || '000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid)
CROSS JOIN LATERAL (VALUES
    (CASE WHEN k = 0 THEN t.to_account_id ELSE t.from_account_id END,
     CASE WHEN k = 0 THEN t.amount ELSE -t.amount END,
     100000 - coalesce((SELECT sum(500 + (n * 1327217885 + j * 7919) % 9000)::bigint
        FROM generate_series(1, k) AS j), 0)),
    (CASE WHEN k = 0 THEN t.from_account_id ELSE t.to_account_id END,
     CASE WHEN k = 0 THEN -t.amount ELSE t.amount END, NULL)
) AS side(account_id, amount, balance_after)
ORDER BY n, k
;
INSERT INTO ledger_lots (id, account_id, kind, origin_transfer_id, granted, remaining, granted_at)
SELECT CAST('0a000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid), a.id, 'principal', t.id,
    t.amount, a.balance, t.created_at
FROM generate_series(CAST(:low AS bigint), CAST(:high AS bigint)) AS n
JOIN ledger_accounts a ON a.id = CAST('0e000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid)
JOIN ledger_transfers t ON t.id = CAST('10000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid)
;
INSERT INTO ledger_lot_draws (transfer_id, lot_id, amount)
SELECT t.id, CAST('0a000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid), t.amount
FROM generate_series(CAST(:low AS bigint), CAST(:high AS bigint)) AS n
CROSS JOIN generate_series(1, 4) AS k
JOIN ledger_transfers t
    ON t.id = CAST('1' || k || '000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid)
;
INSERT INTO member_tags (member_id, tag, brand_id, added_at)
SELECT CAST('0d000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid), :tag, :brand_id,
    timestamptz '2026-01-01 00:00+00'
FROM generate_series(CAST(:low AS bigint), CAST(:high AS bigint)) AS n WHERE n % 50 = 0
