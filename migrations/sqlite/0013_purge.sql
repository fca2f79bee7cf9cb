-- Purges on SQLite. Twin of migrations/postgres/0013_purge.sql: same tables, same columns.

-- A tombstone gets the state 'purging' when everything that it said is removed, and goes when that is overwritten on disk,
-- too. Read over all tenants.
CREATE INDEX tombstone_purging ON tombstone (tenant_id, resource_pk) WHERE state = 'purging';
-- Whose time is over.
CREATE INDEX tombstone_deleted ON tombstone (tenant_id, kind, deleted);

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('tombstone', 'tombstone_purging', '10 2 1'),
    ('tombstone', 'tombstone_deleted', '100000 10000 5000 1');
ANALYZE sqlite_schema;
