-- Access: roles, scopes, grants, rules, and what is known of each user. Twin of migrations/postgres/0002_access.sql:
-- same tables, same columns. Every key starts with tenant_id; times are microseconds since the epoch, UTC.

-- How often what all decisions of a tenant share has changed: roles, scopes, rules, grants of groups, and the groups
-- they name. Whoever changes one of these holds the row, whoever relies on them shares it.
CREATE TABLE policy (
    tenant_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    settings TEXT,
    PRIMARY KEY (tenant_id)
) WITHOUT ROWID;
INSERT INTO policy (tenant_id, version) SELECT id, 0 FROM tenant;

-- Custom roles; the predefined ones have the numbers below 100 and no rows. permissions: a JSON array of their keys.
CREATE TABLE role (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    name TEXT NOT NULL,
    name_fold TEXT NOT NULL,
    permissions TEXT NOT NULL,
    origin_id BIGINT,
    created BIGINT NOT NULL,
    modified BIGINT NOT NULL
);
CREATE UNIQUE INDEX role_key ON role (tenant_id, id);
CREATE UNIQUE INDEX role_uid ON role (tenant_id, uid);
CREATE UNIQUE INDEX role_name ON role (tenant_id, name_fold);

-- kind: 'territory', 'program', 'record_group'.
CREATE TABLE scope (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    name_fold TEXT NOT NULL,
    parent_id BIGINT,
    starts BIGINT,
    ends BIGINT,
    created BIGINT NOT NULL,
    FOREIGN KEY (tenant_id, parent_id) REFERENCES scope (tenant_id, id)
);
CREATE UNIQUE INDEX scope_key ON scope (tenant_id, id);
CREATE UNIQUE INDEX scope_uid ON scope (tenant_id, uid);
CREATE INDEX scope_name ON scope (tenant_id, name_fold);
CREATE INDEX scope_parent ON scope (tenant_id, parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE record_scope (
    tenant_id BIGINT NOT NULL,
    record_kind TEXT NOT NULL,
    record_id TEXT NOT NULL,
    scope_id BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, record_kind, record_id, scope_id),
    FOREIGN KEY (tenant_id, scope_id) REFERENCES scope (tenant_id, id)
) WITHOUT ROWID;
CREATE INDEX record_scope_reverse ON record_scope (tenant_id, scope_id, record_kind, record_id);

-- subject_kind: 1 user, 2 group. reach: 0 everything, 1 the scope, 2 the record. restriction: a JSON object of arrays,
-- or empty. origin: 'manual', 'rule', 'import', 'invitation', 'provisioned'. Who made it: as in event.
CREATE TABLE access_grant (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    subject_kind BIGINT NOT NULL,
    subject_pk BIGINT NOT NULL,
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
    FOREIGN KEY (tenant_id, subject_pk) REFERENCES resource (tenant_id, pk),
    FOREIGN KEY (tenant_id, scope_id) REFERENCES scope (tenant_id, id)
);
CREATE UNIQUE INDEX access_grant_key ON access_grant (tenant_id, id);
CREATE UNIQUE INDEX access_grant_uid ON access_grant (tenant_id, uid);
CREATE INDEX access_grant_subject ON access_grant (tenant_id, subject_pk, id);
CREATE INDEX access_grant_role ON access_grant (tenant_id, role_id, id);
CREATE INDEX access_grant_everywhere ON access_grant (tenant_id, role_id, subject_pk) WHERE reach = 0;
CREATE INDEX access_grant_scope ON access_grant (tenant_id, scope_id, id) WHERE scope_id IS NOT NULL;
CREATE INDEX access_grant_record ON access_grant (tenant_id, record_kind, record_id, id) WHERE record_kind IS NOT NULL;
-- The grants of groups are read with the policy.
CREATE INDEX access_grant_group ON access_grant (tenant_id, id) WHERE subject_kind = 2;
-- Nobody else is the owner.
CREATE UNIQUE INDEX access_grant_owner ON access_grant (tenant_id) WHERE role_id = 1;

-- state: 'draft', 'active', 'retired'. version: its latest; matched: the version from which on the condition is the
-- same, by which rule_match knows it. outcomes: JSON by row numbers. examples: JSON, as the client sent them.
CREATE TABLE rule (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    name TEXT NOT NULL,
    name_fold TEXT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    matched BIGINT NOT NULL,
    when_text TEXT NOT NULL,
    outcomes TEXT NOT NULL,
    valid_from BIGINT,
    valid_to BIGINT,
    examples TEXT NOT NULL,
    created BIGINT NOT NULL,
    modified BIGINT NOT NULL
);
CREATE UNIQUE INDEX rule_key ON rule (tenant_id, id);
CREATE UNIQUE INDEX rule_uid ON rule (tenant_id, uid);
CREATE UNIQUE INDEX rule_name ON rule (tenant_id, name_fold);

-- Every version a rule had. state 'preparing': its matches are being found, then it takes the place of the latest.
-- reached: the row number before which all users are looked at; looked_at: how many that are; claimed: until when
-- somebody counts as being at it.
CREATE TABLE rule_version (
    tenant_id BIGINT NOT NULL,
    rule_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL,
    name TEXT NOT NULL,
    when_text TEXT NOT NULL,
    outcomes TEXT NOT NULL,
    valid_from BIGINT,
    valid_to BIGINT,
    examples TEXT NOT NULL,
    created BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    connection_id BIGINT,
    request_id TEXT,
    reached BIGINT NOT NULL DEFAULT 0,
    looked_at BIGINT NOT NULL DEFAULT 0,
    claimed BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, rule_id, version)
) WITHOUT ROWID;
CREATE INDEX rule_version_preparing ON rule_version (tenant_id, rule_id, version) WHERE state = 'preparing';

-- What the outcomes of a rule name, unless it is retired. kind: 1 role, 2 scope, 3 group.
CREATE TABLE rule_link (
    tenant_id BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    target BIGINT NOT NULL,
    rule_id BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind, target, rule_id)
) WITHOUT ROWID;
CREATE INDEX rule_link_rule ON rule_link (tenant_id, rule_id, kind, target);

-- Which parts of a condition hold for a user, as bits; no row when none does. since: when a request made it so.
CREATE TABLE rule_match (
    tenant_id BIGINT NOT NULL,
    user_pk BIGINT NOT NULL,
    rule_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    bits BIGINT NOT NULL,
    since BIGINT NOT NULL,
    connection_id BIGINT,
    request_id TEXT,
    PRIMARY KEY (tenant_id, user_pk, rule_id, version)
) WITHOUT ROWID;
CREATE INDEX rule_match_rule ON rule_match (tenant_id, rule_id, version, user_pk);

-- Who put the member there.
ALTER TABLE member ADD COLUMN connection_id BIGINT;
ALTER TABLE member ADD COLUMN request_id TEXT;

-- What changes would come to, computed at a version of the policy. applied: when they were made.
CREATE TABLE preview (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    created BIGINT NOT NULL,
    policy_version BIGINT NOT NULL,
    changes TEXT NOT NULL,
    result TEXT NOT NULL,
    digest TEXT NOT NULL,
    applied BIGINT
);
CREATE UNIQUE INDEX preview_uid ON preview (tenant_id, uid);
CREATE INDEX preview_created ON preview (tenant_id, created);

-- Requests that wait for somebody's decision, and why.
CREATE TABLE pending (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    created BIGINT NOT NULL,
    kind TEXT NOT NULL,
    resource_pk BIGINT,
    digest TEXT NOT NULL,
    request TEXT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL
);
CREATE UNIQUE INDEX pending_uid ON pending (tenant_id, uid);
-- The same is asked for again and again: it waits once.
CREATE UNIQUE INDEX pending_open ON pending (tenant_id, resource_pk, kind, digest) WHERE state = 'waiting';
CREATE INDEX pending_state ON pending (tenant_id, state, id);

-- Requests with an idempotency key. attempt: who does it. state: 0 it is being done, 1 its change is on disk, 2 it is
-- answered.
CREATE TABLE idempotency (
    tenant_id BIGINT NOT NULL,
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    attempt TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    state BIGINT NOT NULL,
    status BIGINT,
    location TEXT,
    body TEXT,
    created BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, caller, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency (created);

-- Numbers below 100 are those of predefined roles.
INSERT INTO sqlite_sequence (name, seq) VALUES ('role', 99);

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('policy', 'policy', '10 1'),
    ('role', 'role_key', '1000 100 1'),
    ('role', 'role_uid', '1000 100 1'),
    ('role', 'role_name', '1000 100 1'),
    ('scope', 'scope_key', '10000 1000 1'),
    ('scope', 'scope_uid', '10000 1000 1'),
    ('scope', 'scope_name', '10000 1000 2'),
    ('scope', 'scope_parent', '10000 1000 10'),
    ('record_scope', 'record_scope', '5000000 500000 250000 3 1'),
    ('record_scope', 'record_scope_reverse', '5000000 500000 500 250 1'),
    ('access_grant', 'access_grant_key', '1000000 100000 1'),
    ('access_grant', 'access_grant_uid', '1000000 100000 1'),
    ('access_grant', 'access_grant_subject', '1000000 100000 3 1'),
    ('access_grant', 'access_grant_role', '1000000 100000 10000 1'),
    ('access_grant', 'access_grant_everywhere', '200000 20000 2000 1'),
    ('access_grant', 'access_grant_scope', '900000 90000 500 1'),
    ('access_grant', 'access_grant_record', '50000 5000 2500 3 1'),
    ('access_grant', 'access_grant_group', '10000 1000 1'),
    ('access_grant', 'access_grant_owner', '10 1'),
    ('rule', 'rule_key', '1000 100 1'),
    ('rule', 'rule_uid', '1000 100 1'),
    ('rule', 'rule_name', '1000 100 1'),
    ('rule_version', 'rule_version', '5000 500 5 1'),
    ('rule_version', 'rule_version_preparing', '20 2 1 1'),
    ('rule_link', 'rule_link', '3000 300 100 5 1'),
    ('rule_link', 'rule_link_rule', '3000 300 3 2 1'),
    ('rule_match', 'rule_match', '10000000 1000000 10 1 1'),
    ('rule_match', 'rule_match_rule', '10000000 1000000 10000 5000 1'),
    ('preview', 'preview_uid', '1000 100 1'),
    ('preview', 'preview_created', '1000 100 1'),
    ('pending', 'pending_uid', '1000 100 1'),
    ('pending', 'pending_open', '1000 100 2 1 1'),
    ('pending', 'pending_state', '1000 100 20 1'),
    ('idempotency', 'idempotency', '100000 10000 1000 1'),
    ('idempotency', 'idempotency_created', '100000 1');
ANALYZE sqlite_schema;
