-- Users whom a work could not change, and plans that wait again, on PostgreSQL. Twin of migrations/sqlite/0022_closing_failed.sql:
-- same columns and indexes.

-- How many users could not be changed because of a fault of ours, such as a damaged key.
ALTER TABLE closing ADD COLUMN failed BIGINT NOT NULL DEFAULT 0;

-- What was due for somebody while they were deleted is looked up when they come back.
CREATE INDEX schedule_cancelled ON schedule (tenant_id, resource_pk) WHERE state = 'cancelled';
