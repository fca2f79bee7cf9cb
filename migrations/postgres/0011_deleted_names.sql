-- Who was deleted is found by name, and by what connections called them, on PostgreSQL. Twin of
-- migrations/sqlite/0011_deleted_names.sql: same indexes.

-- The newest of a name counts: see store/lifecycle/held.rs.
CREATE INDEX tombstone_name ON tombstone (tenant_id, kind, name_key, deleted);
CREATE INDEX tombstone_called ON tombstone_external (tenant_id, connection_id, value);
