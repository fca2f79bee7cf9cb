-- Requests that their clients do not wait for, on SQLite. Twin of migrations/postgres/0020_deferred.sql: same tables, same
-- columns.

-- uid: what the client knows it by, and the name in the log of what it does. resource_id: what it is about; of a request that
-- makes something NULL, until that is made. state: 'waiting'; 'refused', when nothing of it is done and that is still to be
-- told; 'done'. status, version, scim_type: what came of it. bytes: how long the request is. due: when it is tried next.
-- sealed: the request while it waits, and then why it was refused, under the keys outside of the database; last, as it may
-- be long.
CREATE TABLE deferred (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    connection_id BIGINT NOT NULL,
    method TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    resource_id TEXT,
    state TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    due BIGINT NOT NULL,
    created BIGINT NOT NULL,
    finished BIGINT,
    status BIGINT,
    version BIGINT,
    scim_type TEXT,
    sealed TEXT
);
CREATE UNIQUE INDEX deferred_uid ON deferred (tenant_id, uid);
-- What one connection has waiting.
CREATE INDEX deferred_room ON deferred (tenant_id, connection_id, bytes) WHERE state <> 'done';
-- What stands in the way of what came later, and what is to be forgotten with somebody.
CREATE INDEX deferred_order ON deferred (tenant_id, resource_id, connection_id, due, id) WHERE state <> 'done';
-- Read over all tenants: what is to be done, and what is old.
CREATE INDEX deferred_open ON deferred (id) WHERE state <> 'done';
CREATE INDEX deferred_finished ON deferred (finished) WHERE state = 'done';

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('deferred', 'deferred_uid', '100000 10000 1'),
    ('deferred', 'deferred_room', '1000 500 100 1'),
    ('deferred', 'deferred_order', '1000 500 2 2 1 1'),
    ('deferred', 'deferred_open', '1000 1'),
    ('deferred', 'deferred_finished', '99000 1');
ANALYZE sqlite_schema;
