-- The log on SQLite. Twin of migrations/postgres/0003_log.sql: same tables, same columns.

-- What units of work did and the log has not taken over yet. head: who did it, and from where; records: what; both JSON.
CREATE TABLE entry (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    txn TEXT NOT NULL,
    head TEXT NOT NULL,
    records TEXT NOT NULL
);

-- Memberships as the log tells them; what: 1 joined, 2 left.
CREATE TABLE event_about (
    tenant_id BIGINT NOT NULL,
    resource_pk BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    group_pk BIGINT NOT NULL,
    what BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, resource_pk, seq, group_pk)
) WITHOUT ROWID;
CREATE INDEX event_about_group ON event_about (tenant_id, group_pk, seq);

-- The end of the log of each tenant. entry: the highest number of an entry that it has taken over.
CREATE TABLE log_head (
    tenant_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    entry BIGINT NOT NULL,
    at BIGINT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (tenant_id)
) WITHOUT ROWID;

-- Who does a work that one node should do at a time; tenant 0: for the whole installation. It saves work and guards
-- nothing.
CREATE TABLE lease (
    tenant_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name)
) WITHOUT ROWID;
CREATE INDEX entry_tenant ON entry (tenant_id, id);

-- What the log says is never changed, and never taken out of it.
CREATE TRIGGER event_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'the log is only added to'); END;
CREATE TRIGGER event_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'the log is only added to'); END;

-- The proportions of a large installation, as in 0001. What waits for its number is little.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('entry', 'entry_tenant', '500 50 1'),
    ('event_about', 'event_about', '10000000 1000000 10 1 1'),
    ('event_about', 'event_about_group', '10000000 1000000 200 1'),
    ('log_head', 'log_head', '10 1'),
    ('lease', 'lease', '10 5 1');
ANALYZE sqlite_schema;
