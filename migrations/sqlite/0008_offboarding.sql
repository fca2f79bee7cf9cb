-- Offboarding on SQLite. Twin of migrations/postgres/0008_offboarding.sql: same tables, same columns.

-- How far Muster itself has read the log of each tenant; name: what for.
CREATE TABLE follower (
    tenant_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name)
) WITHOUT ROWID;

-- What the end of an account opens. opened_seq, opened: position and instant of the event that ended it; asked_by: who
-- did, as JSON. state: open, late, confirmed, withdrawn. late: when it turned late; closed: when it was confirmed or
-- withdrawn; certified: 1 when it has its certificate.
CREATE TABLE run (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    user_pk BIGINT NOT NULL,
    user_id TEXT NOT NULL,
    opened_seq BIGINT NOT NULL,
    opened BIGINT NOT NULL,
    asked_by TEXT NOT NULL,
    deadline BIGINT NOT NULL,
    state TEXT NOT NULL,
    late BIGINT,
    closed BIGINT,
    certified BIGINT NOT NULL
);
CREATE UNIQUE INDEX run_uid ON run (tenant_id, uid);
-- An event opens one run, however often it is read, and a person has one at a time.
CREATE UNIQUE INDEX run_opened ON run (tenant_id, opened_seq);
CREATE UNIQUE INDEX run_person ON run (tenant_id, user_pk) WHERE state IN ('open', 'late');
CREATE INDEX run_user ON run (tenant_id, user_id, id);
-- Read over all tenants: the runs that are under way, and those that wait for their certificate.
CREATE INDEX run_live ON run (state, deadline) WHERE state IN ('open', 'late');
CREATE INDEX run_uncertified ON run (tenant_id, id) WHERE state = 'confirmed' AND certified = 0;

-- The part of one enforcer. state: requested, acknowledged, confirmed. due: when something is to be done for it; none when
-- nothing is. trouble: why the last attempt came to nothing, in words of ours; proof: how it was confirmed, as JSON.
CREATE TABLE run_step (
    tenant_id BIGINT NOT NULL,
    run_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due BIGINT,
    requested BIGINT NOT NULL,
    acknowledged BIGINT,
    confirmed BIGINT,
    trouble TEXT,
    proof TEXT,
    PRIMARY KEY (tenant_id, run_id, name)
) WITHOUT ROWID;
-- Read over all tenants.
CREATE INDEX run_step_due ON run_step (due) WHERE due IS NOT NULL;

-- What says for ever that a run was confirmed: one line of JSON, signed.
CREATE TABLE certificate (
    tenant_id BIGINT NOT NULL,
    run_id BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, run_id)
) WITHOUT ROWID;

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('follower', 'follower', '10 1 1'),
    ('run', 'run_uid', '100000 10000 1'),
    ('run', 'run_opened', '100000 10000 1'),
    ('run', 'run_person', '100 10 1'),
    ('run', 'run_user', '100000 10000 1 1'),
    ('run', 'run_live', '100 50 1'),
    ('run', 'run_uncertified', '10 2 1'),
    ('run_step', 'run_step', '300000 30000 3 1'),
    ('run_step', 'run_step_due', '100 1'),
    ('certificate', 'certificate', '100000 10000 1');
ANALYZE sqlite_schema;
