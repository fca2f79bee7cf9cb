-- Filters of the log on SQLite. Twin of migrations/postgres/0015_log_filters.sql: same indexes.

-- What happened of one kind, and to one thing, in order: a filter that finds little does not walk along the log.
CREATE INDEX event_kind ON event (tenant_id, kind, seq);
CREATE INDEX event_thing ON event (tenant_id, subject_id, seq) WHERE subject_id IS NOT NULL;

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('event', 'event_kind', '10000000 1000000 20000 1'),
    ('event', 'event_thing', '10000000 1000000 10 1');
ANALYZE sqlite_schema;
