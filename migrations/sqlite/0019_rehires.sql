-- Who was deleted and may be meant by somebody new, on SQLite. Twin of migrations/postgres/0019_rehires.sql: same tables, same
-- columns.

-- employeeNumber of a user who was deleted, as it is compared.
ALTER TABLE tombstone ADD COLUMN employee TEXT;
CREATE INDEX tombstone_employee ON tombstone (tenant_id, employee, deleted) WHERE employee IS NOT NULL;

-- Somebody new who may be somebody who was deleted. matched: 'external_id', 'employee_number'. state: 'waiting',
-- 'accepted', 'dismissed'.
CREATE TABLE rehire (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    user_pk BIGINT NOT NULL,
    tomb_pk BIGINT NOT NULL,
    matched TEXT NOT NULL,
    created BIGINT NOT NULL,
    state TEXT NOT NULL,
    settled BIGINT
);
CREATE UNIQUE INDEX rehire_uid ON rehire (tenant_id, uid);
CREATE UNIQUE INDEX rehire_pair ON rehire (tenant_id, user_pk, tomb_pk);
CREATE INDEX rehire_tomb ON rehire (tenant_id, tomb_pk);
CREATE INDEX rehire_list ON rehire (tenant_id, state, id);

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('tombstone', 'tombstone_employee', '50000 5000 2 1'),
    ('rehire', 'rehire_uid', '1000 100 1'),
    ('rehire', 'rehire_pair', '1000 100 1 1'),
    ('rehire', 'rehire_tomb', '1000 100 1'),
    ('rehire', 'rehire_list', '1000 100 50 1');
ANALYZE sqlite_schema;
