-- Purges on PostgreSQL. Twin of migrations/sqlite/0013_purge.sql: same tables, same columns.

-- A tombstone gets the state 'purging' when everything that it said is removed, and goes when that is overwritten on disk,
-- too. Read over all tenants.
CREATE INDEX tombstone_purging ON tombstone (tenant_id, resource_pk) WHERE state = 'purging';
-- Whose time is over.
CREATE INDEX tombstone_deleted ON tombstone (tenant_id, kind, deleted);
