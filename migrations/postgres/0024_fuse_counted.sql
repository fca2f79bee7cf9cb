-- Whom the mass-change fuse has counted, on PostgreSQL. Twin of migrations/sqlite/0024_fuse_counted.sql: same tables, same
-- columns.

-- A user whom a connection has deactivated in the window that began at opened: active again, they are not counted any
-- more. Anybody else who becomes active gives nothing back.
CREATE TABLE fuse_counted (
    tenant_id BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    what TEXT COLLATE "C" NOT NULL,
    resource_pk BIGINT NOT NULL,
    opened BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, what, resource_pk)
);

-- The proportions of a large installation, as in 0001.
SET LOCAL default_statistics_target = 1;
INSERT INTO fuse_counted (tenant_id, connection_id, what, resource_pk, opened)
SELECT -1 - n % 2, -1 - n % 4, 'deactivations', n, n FROM generate_series(1, 2000) n;
ANALYZE fuse_counted;
TRUNCATE fuse_counted;
