-- Who was deleted is found by name, and by what connections called them, on SQLite. Twin of
-- migrations/postgres/0011_deleted_names.sql: same indexes.

-- The newest of a name counts: see store/lifecycle/held.rs.
CREATE INDEX tombstone_name ON tombstone (tenant_id, kind, name_key, deleted);
CREATE INDEX tombstone_called ON tombstone_external (tenant_id, connection_id, value);

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('tombstone', 'tombstone_name', '100000 10000 5000 2 1'),
    ('tombstone_external', 'tombstone_called', '100000 10000 2500 1');
ANALYZE sqlite_schema;
