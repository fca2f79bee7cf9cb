-- Whom the mass-change fuse has counted, on SQLite. Twin of migrations/postgres/0024_fuse_counted.sql: same tables, same
-- columns.

-- A user whom a connection has deactivated in the window that began at opened: active again, they are not counted any
-- more. Anybody else who becomes active gives nothing back.
CREATE TABLE fuse_counted (
    tenant_id BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    what TEXT NOT NULL,
    resource_pk BIGINT NOT NULL,
    opened BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, what, resource_pk)
) WITHOUT ROWID;

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('fuse_counted', 'fuse_counted', '10000 1000 500 500 1');
ANALYZE sqlite_schema;
