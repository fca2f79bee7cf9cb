-- Steps that wait, by their deadlines, on PostgreSQL. Twin of migrations/sqlite/0030_run_step_late.sql: same indexes.

-- Read over all tenants, four times a second while runs are open: who is late.
CREATE INDEX run_step_late ON run_step (deadline) WHERE state IN ('requested', 'acknowledged');
