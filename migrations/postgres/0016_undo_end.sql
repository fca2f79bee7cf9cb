-- Undo on PostgreSQL. Twin of migrations/sqlite/0016_undo_end.sql: same columns.

-- The last position of the log when a work ended: whoever takes it back need not read on. None while it goes on.
ALTER TABLE undo ADD COLUMN end_seq BIGINT;
