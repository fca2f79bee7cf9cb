-- What is kept aside of resources, on SQLite. Twin of migrations/postgres/0033_aside.sql: same tables, same columns.

-- What a connection said of extensions that no schema declares. urn_key: the name of the extension in small letters; doc: its
-- attributes as JSON, as they were sent.
CREATE TABLE aside (
    tenant_id BIGINT NOT NULL,
    resource_pk BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    urn_key TEXT NOT NULL,
    urn TEXT NOT NULL,
    doc TEXT NOT NULL,
    changed BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, resource_pk, connection_id, urn_key)
) WITHOUT ROWID;
CREATE INDEX aside_connection ON aside (tenant_id, connection_id, urn_key, changed);

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('aside', 'aside', '100000 10000 2 2 1'),
    ('aside', 'aside_connection', '100000 10000 5000 500 1');
ANALYZE sqlite_schema;
