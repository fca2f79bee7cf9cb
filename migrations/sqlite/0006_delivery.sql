-- Deliveries on SQLite. Twin of migrations/postgres/0006_delivery.sql: same tables, same columns.

-- Who is told of what happens. kind: webhook. sealed: secrets, under the wrapping key. settings: which events, as JSON.
-- state: active, failing (nothing gets through: tried with one delivery at a time), paused. cursor_seq: everything up to
-- this position was sent, or has a row in delivery. round: counts what was settled; who settles names the one that it
-- began with, so that of two who deliver the same one is thrown away. holder, until: which node delivers; it saves work
-- and guards nothing. failures: attempts that failed since the last that did not, and how often a failing one was tried.
CREATE TABLE receiver (
    tenant_id BIGINT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    sealed TEXT NOT NULL,
    settings TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    cursor_seq BIGINT NOT NULL,
    round BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    next_try BIGINT,
    last_success BIGINT,
    created BIGINT NOT NULL,
    holder TEXT,
    until BIGINT NOT NULL
);
CREATE UNIQUE INDEX receiver_uid ON receiver (tenant_id, uid);
CREATE UNIQUE INDEX receiver_name ON receiver (tenant_id, name);

-- Deliveries in trouble: what went through has no row. subject: what the event is about, or empty; events about one
-- subject are sent in order. state: waiting (tried when due), behind (an earlier one about the subject waits), dead.
CREATE TABLE delivery (
    tenant_id BIGINT NOT NULL,
    receiver_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due BIGINT NOT NULL,
    status BIGINT,
    error TEXT,
    since BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, receiver_id, seq)
) WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (tenant_id, receiver_id, due) WHERE state = 'waiting';
CREATE INDEX delivery_subject ON delivery (tenant_id, receiver_id, subject, seq) WHERE state <> 'dead';

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('receiver', 'receiver_uid', '100 10 1'),
    ('receiver', 'receiver_name', '100 10 1'),
    ('delivery', 'delivery', '100000 10000 1000 1'),
    ('delivery', 'delivery_due', '1000 100 10 1'),
    ('delivery', 'delivery_subject', '10000 1000 100 10 1');
ANALYZE sqlite_schema;
