-- Users whom a work could not change, and plans that wait again, on SQLite. Twin of migrations/postgres/0022_closing_failed.sql:
-- same columns and indexes.

-- How many users could not be changed because of a fault of ours, such as a damaged key.
ALTER TABLE closing ADD COLUMN failed BIGINT NOT NULL DEFAULT 0;

-- What was due for somebody while they were deleted is looked up when they come back.
CREATE INDEX schedule_cancelled ON schedule (tenant_id, resource_pk) WHERE state = 'cancelled';

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('schedule', 'schedule_cancelled', '50000 5000 2');
ANALYZE sqlite_schema;
