-- Filters of the log on PostgreSQL. Twin of migrations/sqlite/0015_log_filters.sql: same indexes.

-- What happened of one kind, and to one thing, in order: a filter that finds little does not walk along the log.
CREATE INDEX event_kind ON event (tenant_id, kind, seq);
CREATE INDEX event_thing ON event (tenant_id, subject_id, seq) WHERE subject_id IS NOT NULL;
