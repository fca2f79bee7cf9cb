-- Steps that wait, by their deadlines, on SQLite. Twin of migrations/postgres/0030_run_step_late.sql: same indexes.

-- Read over all tenants, four times a second while runs are open: who is late.
CREATE INDEX run_step_late ON run_step (deadline) WHERE state IN ('requested', 'acknowledged');

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('run_step', 'run_step_late', '300 1');
ANALYZE sqlite_schema;
