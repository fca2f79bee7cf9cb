-- The tables of Muster on SQLite. Twin of migrations/postgres/0001_init.sql: same tables, same columns.
-- Times are microseconds since the epoch, UTC. Every key starts with tenant_id; the exceptions are row numbers,
-- the public names of tenants, token hashes and the dictionary of attribute paths.

CREATE TABLE tenant (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX tenant_uid ON tenant (uid);
CREATE UNIQUE INDEX tenant_slug ON tenant (slug);

CREATE TABLE connection (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    name TEXT NOT NULL,
    dialect TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX connection_uid ON connection (tenant_id, uid);
CREATE UNIQUE INDEX connection_name ON connection (tenant_id, name);

-- kind: 'connection' (SCIM), 'admin' (admin API), 'user' (acts as the user user_pk).
CREATE TABLE token (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    hash TEXT NOT NULL,
    kind TEXT NOT NULL,
    connection_id BIGINT,
    user_pk BIGINT,
    label TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT,
    last_used BIGINT,
    revoked BIGINT
);
CREATE UNIQUE INDEX token_uid ON token (tenant_id, uid);
CREATE UNIQUE INDEX token_hash ON token (hash);
CREATE INDEX token_user ON token (tenant_id, user_pk) WHERE user_pk IS NOT NULL;

CREATE TABLE setting (
    tenant_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (tenant_id, name)
) WITHOUT ROWID;

-- Names of the attributes that have rows in "attribute".
CREATE TABLE attribute_path (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL
);
CREATE UNIQUE INDEX attribute_path_name ON attribute_path (name);

-- kind: 1 user, 2 group. name_key: what userName or displayName compares as, its first 256 characters; name_rest: the
-- others. twin: 0 where the name must be unique in the tenant, else the row's own number. A longer name that must be
-- unique has a negative hash of name_rest instead of 0. doc: the document without id, externalId, meta, members, groups.
CREATE TABLE resource (
    tenant_id BIGINT NOT NULL,
    pk INTEGER PRIMARY KEY AUTOINCREMENT,
    kind BIGINT NOT NULL,
    id TEXT NOT NULL,
    connection_id BIGINT,
    name_key TEXT NOT NULL,
    name_rest TEXT NOT NULL,
    twin BIGINT NOT NULL,
    label TEXT NOT NULL,
    label_fold TEXT NOT NULL,
    active BIGINT,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE UNIQUE INDEX resource_key ON resource (tenant_id, pk);
CREATE UNIQUE INDEX resource_id ON resource (tenant_id, id);
CREATE UNIQUE INDEX resource_name ON resource (tenant_id, kind, name_key, twin);
-- Pages, totals and filters over these columns are answered from this index alone.
CREATE INDEX resource_list ON resource (tenant_id, kind, pk, active, created, modified);

CREATE TABLE password (
    tenant_id BIGINT NOT NULL,
    resource_pk BIGINT NOT NULL,
    hash TEXT NOT NULL,
    changed BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, resource_pk)
) WITHOUT ROWID;

-- value: as it compares, its first 256 characters; rest: the others; sent: as it was sent, where that differs.
CREATE TABLE external_id (
    tenant_id BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    resource_pk BIGINT NOT NULL,
    value TEXT NOT NULL,
    rest TEXT NOT NULL,
    sent TEXT,
    PRIMARY KEY (tenant_id, resource_pk, connection_id)
) WITHOUT ROWID;
CREATE INDEX external_id_value ON external_id (tenant_id, connection_id, value);

-- One row a value that a filter can name. fold: as it compares, its first 256 characters; rest: the others.
CREATE TABLE attribute (
    tenant_id BIGINT NOT NULL,
    path_id BIGINT NOT NULL,
    fold TEXT NOT NULL,
    resource_pk BIGINT NOT NULL,
    elem BIGINT NOT NULL,
    rest TEXT NOT NULL,
    PRIMARY KEY (tenant_id, path_id, fold, resource_pk, elem)
) WITHOUT ROWID;
CREATE INDEX attribute_resource ON attribute (tenant_id, resource_pk, path_id, elem);

CREATE TABLE member (
    tenant_id BIGINT NOT NULL,
    group_pk BIGINT NOT NULL,
    member_pk BIGINT NOT NULL,
    member_kind BIGINT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, group_pk, member_pk),
    FOREIGN KEY (tenant_id, group_pk) REFERENCES resource (tenant_id, pk),
    FOREIGN KEY (tenant_id, member_pk) REFERENCES resource (tenant_id, pk)
) WITHOUT ROWID;
CREATE INDEX member_reverse ON member (tenant_id, member_pk, group_pk, member_kind);

-- Which groups a group belongs to through other groups, itself excepted. Cycles are allowed.
CREATE TABLE group_closure (
    tenant_id BIGINT NOT NULL,
    group_pk BIGINT NOT NULL,
    ancestor_pk BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, group_pk, ancestor_pk)
) WITHOUT ROWID;
CREATE INDEX group_closure_reverse ON group_closure (tenant_id, ancestor_pk, group_pk);

-- How many resources there are, by block of row numbers (pk >> 10); slots spread the writers on PostgreSQL.
CREATE TABLE tally (
    tenant_id BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    block BIGINT NOT NULL,
    slot BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind, block, slot)
) WITHOUT ROWID;

-- The log: what happened, numbered without a gap in each tenant, each row with the hash of all before it. Only ever
-- added to: 0003 has the triggers. class: 0 people and groups, 1 policy, 2 acts. entry: number of the entry that it was.
-- hash: 64 hex digits.
CREATE TABLE event (
    tenant_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    entry BIGINT NOT NULL,
    at BIGINT NOT NULL,
    txn TEXT NOT NULL,
    part BIGINT NOT NULL,
    class BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    connection_id BIGINT,
    connection TEXT,
    request_id TEXT,
    subject_kind TEXT,
    subject_pk BIGINT,
    subject_id TEXT,
    cause TEXT NOT NULL,
    data TEXT NOT NULL,
    sealed TEXT,
    hash TEXT NOT NULL
);
CREATE UNIQUE INDEX event_seq ON event (tenant_id, seq);
CREATE INDEX event_subject ON event (tenant_id, subject_pk, seq) WHERE subject_pk IS NOT NULL;
CREATE INDEX event_source ON event (tenant_id, connection_id, seq) WHERE connection_id IS NOT NULL;
CREATE INDEX event_policy ON event (tenant_id, seq) WHERE class = 1;

CREATE TABLE tolerance (
    tenant_id BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    rule TEXT NOT NULL,
    count BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, rule)
) WITHOUT ROWID;

-- What the planner is told of the sizes: rows, then rows that share the first column of an index, the first two, and so
-- on. Without it SQLite takes tenant_id alone for selective and walks a whole tenant; measured in a database that is
-- still small, it would keep plans that do not fit later. These are the proportions of a large installation.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('resource', 'resource_key', '1000000 100000 1'),
    ('resource', 'resource_id', '1000000 100000 1'),
    ('resource', 'resource_name', '1000000 100000 50000 1 1'),
    ('resource', 'resource_list', '1000000 100000 50000 1 1 1 1'),
    ('external_id', 'external_id', '1000000 100000 2 1'),
    ('external_id', 'external_id_value', '1000000 100000 50000 1'),
    ('attribute', 'attribute', '20000000 2000000 50000 20 1 1'),
    ('attribute', 'attribute_resource', '20000000 2000000 20 1 1'),
    ('member', 'member', '5000000 500000 100 1'),
    ('member', 'member_reverse', '5000000 500000 5 1 1'),
    ('group_closure', 'group_closure', '10000 1000 2 1'),
    ('group_closure', 'group_closure_reverse', '10000 1000 5 1'),
    ('password', 'password', '100000 10000 1'),
    ('tally', 'tally', '1000 100 50 1 1'),
    ('event', 'event_seq', '10000000 1000000 1'),
    ('event', 'event_subject', '9000000 900000 10 1'),
    ('event', 'event_source', '9000000 900000 450000 1'),
    ('event', 'event_policy', '100000 10000 1'),
    ('token', 'token_uid', '1000 100 1'),
    ('token', 'token_hash', '1000 1'),
    ('token', 'token_user', '100 10 2'),
    ('tolerance', 'tolerance', '1000 100 10 1');
ANALYZE sqlite_schema;
