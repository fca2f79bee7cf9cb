-- Schemas and resource types of an organisation, on PostgreSQL. Twin of migrations/sqlite/0027_schemas.sql: same tables, same
-- columns.

-- How often the schemas of a tenant were changed: whoever knows them by this number knows them as they are.
ALTER TABLE policy ADD COLUMN schemas BIGINT NOT NULL DEFAULT 0;

-- urn: in small letters; definition: SCIM's JSON of it.
CREATE TABLE own_schema (
    tenant_id BIGINT NOT NULL,
    urn TEXT COLLATE "C" NOT NULL,
    definition TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, urn)
);

-- What a resource type has beside what every server gives it. definition: SCIM's JSON of it.
CREATE TABLE own_type (
    tenant_id BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    definition TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

-- Values that no two resources of a tenant may have, as they compare; at most 256 characters each. path_id: that of the
-- attribute in an extension.
CREATE TABLE unique_value (
    tenant_id BIGINT NOT NULL,
    path_id BIGINT NOT NULL,
    fold TEXT COLLATE "C" NOT NULL,
    resource_pk BIGINT NOT NULL,
    CONSTRAINT unique_value_key PRIMARY KEY (tenant_id, path_id, fold)
);
CREATE INDEX unique_value_resource ON unique_value (tenant_id, resource_pk, path_id);

-- The proportions of a large installation, as in 0001.
SET LOCAL default_statistics_target = 1;
INSERT INTO unique_value (tenant_id, path_id, fold, resource_pk)
SELECT -1 - n % 2, 1 + n % 4, 'v' || n, n FROM generate_series(1, 2000) n;
ANALYZE unique_value;
TRUNCATE unique_value;
