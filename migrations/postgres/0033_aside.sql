-- What is kept aside of resources, on PostgreSQL. Twin of migrations/sqlite/0033_aside.sql: same tables, same columns.

-- What a connection said of extensions that no schema declares. urn_key: the name of the extension in small letters; doc: its
-- attributes as JSON, as they were sent.
CREATE TABLE aside (
    tenant_id BIGINT NOT NULL,
    resource_pk BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    urn_key TEXT COLLATE "C" NOT NULL,
    urn TEXT COLLATE "C" NOT NULL,
    doc TEXT COLLATE "C" NOT NULL,
    changed BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, resource_pk, connection_id, urn_key)
);
CREATE INDEX aside_connection ON aside (tenant_id, connection_id, urn_key, changed);

-- The proportions of a large installation, as in 0001.
SET LOCAL default_statistics_target = 1;
INSERT INTO aside (tenant_id, resource_pk, connection_id, urn_key, urn, doc, changed)
SELECT -1 - n % 2, n, 1 + n % 4, 'urn:' || n % 3, '', '', n FROM generate_series(1, 2000) n;
ANALYZE aside;
TRUNCATE aside;
