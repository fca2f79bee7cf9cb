-- Undo on SQLite. Twin of migrations/postgres/0014_undo.sql: same tables, same columns.

-- Changes of a connection that are taken back. from_at, to_at: those of this time; of_uid: or those that this undo made.
-- after_seq: where the log was when it began. overwrite: 1 when what others have changed since is put back, too. state:
-- running, done. result: what it came to, as JSON.
CREATE TABLE undo (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    connection_id BIGINT NOT NULL,
    of_uid TEXT,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    after_seq BIGINT NOT NULL,
    overwrite BIGINT NOT NULL,
    state TEXT NOT NULL,
    result TEXT NOT NULL,
    created BIGINT NOT NULL,
    finished BIGINT
);
CREATE UNIQUE INDEX undo_uid ON undo (tenant_id, uid);
CREATE INDEX undo_number ON undo (tenant_id, id);
-- Read over all tenants: what a server has to go on with.
CREATE INDEX undo_running ON undo (id) WHERE state = 'running';

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('undo', 'undo_uid', '100 10 1'),
    ('undo', 'undo_number', '100 10 1'),
    ('undo', 'undo_running', '1 1');
ANALYZE sqlite_schema;
