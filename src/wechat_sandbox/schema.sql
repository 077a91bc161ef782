-- Everything the sandbox remembers. Instants are seconds since the epoch on the sandbox's clock.
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS accounts (
    slug TEXT PRIMARY KEY,
    appid TEXT NOT NULL UNIQUE,
    original_id TEXT NOT NULL UNIQUE,
    secret TEXT NOT NULL,
    token TEXT NOT NULL,
    encoding_aes_key TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('safe', 'plain', 'compatible')),
    callback_url TEXT,
    name TEXT NOT NULL,
    brand TEXT,
    unionid_group TEXT NOT NULL,
    oauth_domain TEXT,
    qr_token TEXT NOT NULL UNIQUE,
    menu TEXT,
    created_at REAL NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS people (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    phone TEXT NOT NULL,
    language TEXT NOT NULL,
    hue INTEGER NOT NULL,
    snapshot INTEGER NOT NULL DEFAULT 0,
    latitude REAL,
    longitude REAL,
    next_scan TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS openids (
    openid TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (slug),
    person TEXT NOT NULL REFERENCES people (id),
    UNIQUE (account, person)
) STRICT;

CREATE TABLE IF NOT EXISTS unionids (
    unionid TEXT PRIMARY KEY,
    unionid_group TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES people (id),
    UNIQUE (unionid_group, person)
) STRICT;

CREATE TABLE IF NOT EXISTS fans (
    account TEXT NOT NULL REFERENCES accounts (slug),
    person TEXT NOT NULL REFERENCES people (id),
    is_subscribed INTEGER NOT NULL,
    subscribed_at REAL NOT NULL,
    subscribe_scene TEXT NOT NULL,
    qr_scene INTEGER NOT NULL DEFAULT 0,
    qr_scene_str TEXT NOT NULL DEFAULT '',
    remark TEXT NOT NULL DEFAULT '',
    is_refusing INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, person)
) STRICT;

CREATE TABLE IF NOT EXISTS chat (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    person TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    kind TEXT NOT NULL,
    at REAL NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS chat_of_person ON chat (person, account, seq);

CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    space TEXT NOT NULL CHECK (space IN ('basic', 'stable', 'jsapi')),
    issued_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    dead_at REAL
) STRICT;
CREATE INDEX IF NOT EXISTS tokens_of_account ON tokens (account, space, issued_at);

CREATE TABLE IF NOT EXISTS quotas (
    account TEXT NOT NULL,
    api TEXT NOT NULL,
    day INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (account, api, day)
) STRICT;

CREATE TABLE IF NOT EXISTS quota_limits (
    account TEXT NOT NULL,
    api TEXT NOT NULL,
    daily_limit INTEGER NOT NULL,
    PRIMARY KEY (account, api)
) STRICT;

CREATE TABLE IF NOT EXISTS qrcodes (
    ticket TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    action_name TEXT NOT NULL,
    scene_id INTEGER NOT NULL,
    scene_str TEXT NOT NULL,
    expires_at REAL
) STRICT;
CREATE INDEX IF NOT EXISTS qrcodes_of_scene ON qrcodes (account, scene_str, scene_id);

CREATE TABLE IF NOT EXISTS templates (
    template_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    short_id TEXT NOT NULL,
    title TEXT NOT NULL,
    fields TEXT NOT NULL,
    added_at REAL NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS sent_messages (
    msgid INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    person TEXT NOT NULL,
    openid TEXT NOT NULL,
    api TEXT NOT NULL CHECK (api IN ('template', 'custom')),
    client_msg_id TEXT,
    body TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS sent_messages_of_client
    ON sent_messages (account, openid, api, client_msg_id, at) WHERE client_msg_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS allowances (
    account TEXT NOT NULL,
    person TEXT NOT NULL,
    kind TEXT NOT NULL,
    granted_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    remaining INTEGER NOT NULL,
    PRIMARY KEY (account, person, kind)
) STRICT;

CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    person TEXT NOT NULL,
    openid TEXT NOT NULL,
    trigger TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    message TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
    tries INTEGER NOT NULL DEFAULT 0,
    statuses TEXT NOT NULL DEFAULT '[]',
    at REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS deliveries_pending ON deliveries (id) WHERE state = 'pending';

CREATE TABLE IF NOT EXISTS calls (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('api', 'callback')),
    account TEXT,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    query TEXT NOT NULL,
    request TEXT NOT NULL,
    status INTEGER NOT NULL,
    errcode INTEGER,
    response TEXT NOT NULL,
    took_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS oauth_codes (
    code TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    person TEXT NOT NULL,
    openid TEXT NOT NULL,
    scope TEXT NOT NULL,
    is_snapshot INTEGER NOT NULL,
    issued_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    used_at REAL
) STRICT;

CREATE TABLE IF NOT EXISTS oauth_tokens (
    token TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('access', 'refresh')),
    account TEXT NOT NULL,
    person TEXT NOT NULL,
    openid TEXT NOT NULL,
    scope TEXT NOT NULL,
    is_snapshot INTEGER NOT NULL,
    expires_at REAL NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS fault_rules (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    rule TEXT NOT NULL,
    times_left INTEGER
) STRICT;

CREATE TABLE IF NOT EXISTS places (
    name TEXT NOT NULL,
    city TEXT NOT NULL,
    latitude REAL NOT NULL,
    longitude REAL NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (city, name)
) STRICT;

CREATE TABLE IF NOT EXISTS media (
    media_id TEXT PRIMARY KEY,
    content_type TEXT NOT NULL,
    content BLOB NOT NULL,
    at REAL NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS text_messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    phone TEXT NOT NULL,
    sender TEXT NOT NULL,
    content TEXT NOT NULL,
    -- The sender's own; a message that comes twice is kept once.
    message_id TEXT UNIQUE,
    at REAL NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS text_messages_phone ON text_messages (phone, seq);
