-- The mass-change fuse, what it holds, and mail on SQLite. Twin of migrations/postgres/0007_fuse_mail.sql: same tables, same
-- columns.

-- fuse: budgets as JSON; the ones that every connection has where it is NULL.
ALTER TABLE connection ADD COLUMN fuse TEXT;

-- What a connection has taken away in a window, one row a way of doing that. budget: NULL where an administrator has
-- lifted it. hold_id: tripped, until an administrator decides about that hold.
CREATE TABLE fuse (
    tenant_id BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    what TEXT NOT NULL,
    opened BIGINT NOT NULL,
    budget BIGINT,
    used BIGINT NOT NULL,
    hold_id BIGINT,
    PRIMARY KEY (tenant_id, connection_id, what)
) WITHOUT ROWID;

-- What an administrator decides about as one. state: 'waiting', 'applying', 'approved', 'rejected'.
CREATE TABLE hold (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    connection_id BIGINT NOT NULL,
    what TEXT NOT NULL,
    opened BIGINT NOT NULL,
    budget BIGINT NOT NULL,
    state TEXT NOT NULL,
    decided BIGINT,
    held BIGINT NOT NULL
);
CREATE UNIQUE INDEX hold_uid ON hold (tenant_id, uid);
CREATE INDEX hold_number ON hold (tenant_id, id);
-- Read over all tenants: what a server has to go on with.
CREATE INDEX hold_applying ON hold (id) WHERE state = 'applying';
CREATE INDEX fuse_tripped ON fuse (hold_id) WHERE hold_id IS NOT NULL;

ALTER TABLE pending ADD COLUMN hold_id BIGINT;
CREATE INDEX pending_hold ON pending (tenant_id, hold_id, state, id) WHERE hold_id IS NOT NULL;

-- Mail to users that is not sent yet. Addresses are read when it is sent. attempt: how often it was tried; due: when next.
CREATE TABLE mail (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    resource_pk BIGINT NOT NULL,
    template TEXT NOT NULL,
    data TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    due BIGINT NOT NULL
);
CREATE UNIQUE INDEX mail_uid ON mail (tenant_id, uid);
-- Read over all tenants: what is to be sent.
CREATE INDEX mail_due ON mail (due);

-- When administrators were told of something last.
CREATE TABLE alert (
    tenant_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind)
) WITHOUT ROWID;

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('fuse', 'fuse', '100 10 4 1'),
    ('fuse', 'fuse_tripped', '5 1'),
    ('hold', 'hold_uid', '100 10 1'),
    ('hold', 'hold_number', '100 10 1'),
    ('hold', 'hold_applying', '2 1'),
    ('mail', 'mail_uid', '100 10 1'),
    ('mail', 'mail_due', '100 1'),
    ('alert', 'alert', '20 2 1'),
    ('pending', 'pending_hold', '900 100 20 10 1');
ANALYZE sqlite_schema;
