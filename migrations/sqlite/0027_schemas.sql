-- Schemas and resource types of an organisation, on SQLite. Twin of migrations/postgres/0027_schemas.sql: same tables, same
-- columns.

-- How often the schemas of a tenant were changed: whoever knows them by this number knows them as they are.
ALTER TABLE policy ADD COLUMN schemas BIGINT NOT NULL DEFAULT 0;

-- urn: in small letters; definition: SCIM's JSON of it.
CREATE TABLE own_schema (
    tenant_id BIGINT NOT NULL,
    urn TEXT NOT NULL,
    definition TEXT NOT NULL,
    created BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, urn)
) WITHOUT ROWID;

-- What a resource type has beside what every server gives it. definition: SCIM's JSON of it.
CREATE TABLE own_type (
    tenant_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    definition TEXT NOT NULL,
    created BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name)
) WITHOUT ROWID;

-- Values that no two resources of a tenant may have, as they compare; at most 256 characters each. path_id: that of the
-- attribute in an extension.
CREATE TABLE unique_value (
    tenant_id BIGINT NOT NULL,
    path_id BIGINT NOT NULL,
    fold TEXT NOT NULL,
    resource_pk BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, path_id, fold)
) WITHOUT ROWID;
CREATE INDEX unique_value_resource ON unique_value (tenant_id, resource_pk, path_id);

-- The proportions of a large installation, as in 0001.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('own_schema', 'own_schema', '1000 10 1'),
    ('own_type', 'own_type', '1000 10 1'),
    ('unique_value', 'unique_value', '1000000 100000 50000 1'),
    ('unique_value', 'unique_value_resource', '1000000 100000 2 1');
ANALYZE sqlite_schema;
