-- Who may come in, who was deleted, what is planned: on SQLite. Twin of migrations/postgres/0005_lifecycle.sql: same tables, same
-- columns.

-- What keeps a person out, whatever provisioning says; a row means that the account is not active. state: 'invited',
-- 'suspended', 'off'. source_active: what provisioning last said. reason: in the words of whoever did it.
CREATE TABLE user_status (
    tenant_id BIGINT NOT NULL,
    resource_pk BIGINT NOT NULL,
    state TEXT NOT NULL,
    source_active BIGINT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT,
    reason TEXT,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, resource_pk)
) WITHOUT ROWID;

-- What a user or group that was deleted can be restored from. state: 'kept', 'superseded' when somebody else was given
-- what it had. name_key, seal: as in resource.
CREATE TABLE tombstone (
    tenant_id BIGINT NOT NULL,
    resource_pk BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    id TEXT NOT NULL,
    connection_id BIGINT,
    name_key TEXT NOT NULL,
    label TEXT NOT NULL,
    doc TEXT NOT NULL,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    deleted BIGINT NOT NULL,
    state TEXT NOT NULL,
    seal TEXT,
    PRIMARY KEY (tenant_id, resource_pk)
) WITHOUT ROWID;
CREATE UNIQUE INDEX tombstone_id ON tombstone (tenant_id, id);

-- Its memberships in both directions, its grants and what connections called it: as they were.
CREATE TABLE tombstone_member (
    tenant_id BIGINT NOT NULL,
    tomb_pk BIGINT NOT NULL,
    group_pk BIGINT NOT NULL,
    member_pk BIGINT NOT NULL,
    member_kind BIGINT NOT NULL,
    created BIGINT NOT NULL,
    connection_id BIGINT,
    request_id TEXT,
    PRIMARY KEY (tenant_id, tomb_pk, group_pk, member_pk)
) WITHOUT ROWID;
CREATE TABLE tombstone_grant (
    tenant_id BIGINT NOT NULL,
    tomb_pk BIGINT NOT NULL,
    id BIGINT NOT NULL,
    uid TEXT NOT NULL,
    role_id BIGINT NOT NULL,
    reach BIGINT NOT NULL,
    scope_id BIGINT,
    record_kind TEXT,
    record_id TEXT,
    valid_from BIGINT,
    valid_to BIGINT,
    restriction TEXT NOT NULL,
    origin TEXT NOT NULL,
    created BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    connection_id BIGINT,
    request_id TEXT,
    PRIMARY KEY (tenant_id, tomb_pk, id)
) WITHOUT ROWID;
CREATE TABLE tombstone_external (
    tenant_id BIGINT NOT NULL,
    tomb_pk BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    value TEXT NOT NULL,
    rest TEXT NOT NULL,
    sent TEXT,
    PRIMARY KEY (tenant_id, tomb_pk, connection_id)
) WITHOUT ROWID;

-- What is planned for a person. action: 'deactivate', 'suspend', 'return'. source: 'api', 'leave'. state: 'waiting',
-- 'done', 'cancelled', 'failed'.
CREATE TABLE schedule (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    resource_pk BIGINT NOT NULL,
    action TEXT NOT NULL,
    source TEXT NOT NULL,
    due BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    created BIGINT NOT NULL,
    settled BIGINT
);
CREATE UNIQUE INDEX schedule_uid ON schedule (tenant_id, uid);
CREATE UNIQUE INDEX schedule_one ON schedule (tenant_id, resource_pk, source, action) WHERE state = 'waiting';
CREATE INDEX schedule_list ON schedule (tenant_id, state, due, id);
-- What is due is looked for over all tenants.
CREATE INDEX schedule_due ON schedule (due, tenant_id) WHERE state = 'waiting';

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('user_status', 'user_status', '100000 10000 1'),
    ('tombstone', 'tombstone', '100000 10000 1'),
    ('tombstone', 'tombstone_id', '100000 10000 1'),
    ('tombstone_member', 'tombstone_member', '500000 50000 5 1 1'),
    ('tombstone_grant', 'tombstone_grant', '200000 20000 2 1'),
    ('tombstone_external', 'tombstone_external', '100000 10000 1 1'),
    ('schedule', 'schedule_uid', '100000 10000 1'),
    ('schedule', 'schedule_one', '1000 100 1 1 1'),
    ('schedule', 'schedule_list', '100000 10000 2500 1 1'),
    ('schedule', 'schedule_due', '1000 1 1');
ANALYZE sqlite_schema;
