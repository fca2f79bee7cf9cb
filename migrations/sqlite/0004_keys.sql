-- Keys on SQLite. Twin of migrations/postgres/0004_keys.sql: same tables, same columns.

-- The key of a person, sealed under a key that is not in the database: docs/log.md, "Sealed values". NULL for groups.
ALTER TABLE resource ADD COLUMN seal TEXT;

-- Who signed the end of a log, and the signature.
ALTER TABLE log_head ADD COLUMN key_id TEXT;
ALTER TABLE log_head ADD COLUMN signature TEXT;

-- Position and instant of the newest checkpoint; 0 before the first.
ALTER TABLE log_head ADD COLUMN checkpoint_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE log_head ADD COLUMN checkpoint_at BIGINT NOT NULL DEFAULT 0;

-- Signed places of a log, for ever.
CREATE TABLE checkpoint (
    tenant_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    hash TEXT NOT NULL,
    key_id TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (tenant_id, seq)
) WITHOUT ROWID;

-- What the installation signs with. purpose: log or set; public: a JWK; sealed: the secret half, under a key that is not
-- in the database; retired: since when another one signs.
CREATE TABLE signing_key (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kid TEXT NOT NULL,
    purpose TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    public TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created BIGINT NOT NULL,
    retired BIGINT
);
CREATE UNIQUE INDEX signing_key_kid ON signing_key (kid);
-- One key signs for a purpose, however many nodes make one at once.
CREATE UNIQUE INDEX signing_key_purpose ON signing_key (purpose) WHERE retired IS NULL;

-- One row: which installation this is. key_check: opens only with the keys that it was begun with.
CREATE TABLE installation (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL,
    key_check TEXT NOT NULL
);

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('checkpoint', 'checkpoint', '10000 1000 1'),
    ('signing_key', 'signing_key_kid', '4 1'),
    ('signing_key', 'signing_key_purpose', '2 1'),
    ('installation', NULL, '1');
ANALYZE sqlite_schema;
