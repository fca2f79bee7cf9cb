-- Invitations on SQLite. Twin of migrations/postgres/0009_invitations.sql: same tables, same columns.

-- Who was asked to come. token_hash: SHA-256 of what the mail says, as hexadecimal digits; grant_uid: what they were given
-- with it; role, scope: their ids on the wire. state: 'waiting', 'accepted', 'revoked'.
CREATE TABLE invitation (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    resource_pk BIGINT NOT NULL,
    token_hash TEXT NOT NULL,
    grant_uid TEXT NOT NULL,
    role TEXT NOT NULL,
    scope TEXT NOT NULL,
    state TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    settled BIGINT,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL
);
CREATE UNIQUE INDEX invitation_uid ON invitation (tenant_id, uid);
CREATE UNIQUE INDEX invitation_one ON invitation (tenant_id, resource_pk) WHERE state = 'waiting';
CREATE INDEX invitation_list ON invitation (tenant_id, id);
-- Whoever accepts says no tenant.
CREATE INDEX invitation_token ON invitation (token_hash) WHERE state = 'waiting';

-- What a mail says that nobody else may read, sealed.
ALTER TABLE mail ADD COLUMN secret TEXT;

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('invitation', 'invitation_uid', '10000 1000 1'),
    ('invitation', 'invitation_one', '1000 100 1'),
    ('invitation', 'invitation_list', '10000 1000 1'),
    ('invitation', 'invitation_token', '1000 1');
ANALYZE sqlite_schema;
