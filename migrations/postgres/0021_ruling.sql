-- Rules of status on their way to everybody who is there: on PostgreSQL. Twin of migrations/sqlite/0021_ruling.sql: same
-- tables, same columns.

-- One row a tenant: the last change of its rules. state: 'running', 'done'. after_pk: users up to this row number are done
-- with. turned, stayed: how many were changed, and how many had to stay as they are.
CREATE TABLE ruling (
    tenant_id BIGINT NOT NULL PRIMARY KEY,
    uid TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    after_pk BIGINT NOT NULL,
    turned BIGINT NOT NULL,
    stayed BIGINT NOT NULL,
    created BIGINT NOT NULL,
    finished BIGINT
);
-- Read over all tenants: what a server has to go on with.
CREATE INDEX ruling_running ON ruling (created) WHERE state = 'running';

-- How long this enforcer is given, in seconds; as long as the organisation gives all of them where there is nothing.
ALTER TABLE enforcer ADD COLUMN deadline_s BIGINT;
-- When a step is late; with its run where there is nothing.
ALTER TABLE run_step ADD COLUMN deadline BIGINT;
