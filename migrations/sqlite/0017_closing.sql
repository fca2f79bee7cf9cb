-- Connections and tenants that are suspended or deleted: on SQLite. Twin of migrations/postgres/0017_closing.sql: same tables,
-- same columns.

-- state: 'active', 'suspended', 'deleted'; since when. A connection that was deleted keeps its row and its name, as the log
-- speaks of it.
ALTER TABLE connection ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE connection ADD COLUMN since BIGINT;
ALTER TABLE tenant ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE tenant ADD COLUMN since BIGINT;

-- What is done to the users of a connection, or of the whole tenant where there is none, because of a change of its state.
-- verb: 'keep', 'suspend', 'deactivate', 'delete'; 'return' lets in again whom those before it have suspended. state:
-- 'running', 'done', 'stopped'. after_pk: users up to this row number are done with. turned, stayed: how many were
-- changed, and how many could not be. reason: in the words of whoever asked for it.
CREATE TABLE closing (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    connection_id BIGINT,
    verb TEXT NOT NULL,
    reason TEXT,
    state TEXT NOT NULL,
    after_pk BIGINT NOT NULL,
    turned BIGINT NOT NULL,
    stayed BIGINT NOT NULL,
    created BIGINT NOT NULL,
    finished BIGINT
);
CREATE UNIQUE INDEX closing_uid ON closing (tenant_id, uid);
CREATE INDEX closing_number ON closing (tenant_id, id);
-- Read over all tenants: what a server has to go on with.
CREATE INDEX closing_running ON closing (id) WHERE state = 'running';

-- The closing that holds a person, as long as nothing else does.
ALTER TABLE user_status ADD COLUMN closing_id BIGINT;
CREATE INDEX user_status_closing ON user_status (tenant_id, closing_id, resource_pk) WHERE closing_id IS NOT NULL;

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('closing', 'closing_uid', '100 10 1'),
    ('closing', 'closing_number', '100 10 1'),
    ('closing', 'closing_running', '1 1'),
    ('user_status', 'user_status_closing', '10000 5000 5000 1');
ANALYZE sqlite_schema;
