-- Enforcers outside of Muster on SQLite. Twin of migrations/postgres/0010_enforcers.sql: same tables, same columns.

-- Who has to end what a person has open, when their account ends. probe: where it is asked what is still open; none where
-- what it says is believed. sealed: secrets, under the wrapping key. state: active, paused. test_due: when somebody wants
-- it tried; tested: what came of that, as JSON. holder, until: which node calls it; it saves work and guards nothing.
CREATE TABLE enforcer (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    probe TEXT,
    sealed TEXT NOT NULL,
    state TEXT NOT NULL,
    test_due BIGINT,
    tested TEXT,
    created BIGINT NOT NULL,
    holder TEXT,
    until BIGINT NOT NULL
);
CREATE UNIQUE INDEX enforcer_uid ON enforcer (tenant_id, uid);
CREATE UNIQUE INDEX enforcer_name ON enforcer (tenant_id, name);

-- enforcer_id: whose step it is; none of Muster itself. removed: when its enforcer was, before the step was confirmed; its
-- state is `removed` then.
ALTER TABLE run_step ADD COLUMN enforcer_id BIGINT;
ALTER TABLE run_step ADD COLUMN removed BIGINT;
CREATE INDEX run_step_enforcer ON run_step (tenant_id, enforcer_id, due) WHERE state IN ('requested', 'acknowledged');

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('enforcer', 'enforcer_uid', '100 10 1'),
    ('enforcer', 'enforcer_name', '100 10 1'),
    ('run_step', 'run_step_enforcer', '300 100 30 1');
ANALYZE sqlite_schema;
