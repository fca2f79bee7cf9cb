-- Users to whom rules of status could not be brought, on SQLite. Twin of migrations/postgres/0029_ruling_failed.sql: same
-- columns.

-- How many users could not be changed because of a fault of ours, such as a damaged key.
ALTER TABLE ruling ADD COLUMN failed BIGINT NOT NULL DEFAULT 0;
