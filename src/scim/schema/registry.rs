//! All schemas and resource types a server knows.

use std::sync::{Arc, LazyLock};

use super::attribute::Mutability;
use super::builtin;
use super::definition::{Schema, SchemaFault};
use super::own::TypeDefinition;
use super::resource_type::{Extension, ResourceType};

#[derive(Debug)]
struct Inner {
    types: Vec<ResourceType>,
    derived: Vec<ResourceType>,
    schemas: Vec<Arc<Schema>>,
}

/// Schemas and resource types; a clone shares them.
#[derive(Debug, Clone)]
pub struct Registry(Arc<Inner>);

impl Registry {
    /// User with the enterprise extension, Group, and the schemas of the discovery resources (RFC 7643 §8.7); beside
    /// them the derived types Role, Entitlement and role-assignment.
    #[must_use]
    pub fn builtin() -> Self {
        static BUILTIN: LazyLock<Registry> = LazyLock::new(|| {
            let (types, schemas) = builtin::definitions();
            let derived = builtin::derived();
            Registry(Arc::new(Inner {
                types,
                derived,
                schemas,
            }))
        });
        BUILTIN.clone()
    }

    /// The same with one more, optional extension on a resource type.
    ///
    /// # Errors
    /// [`SchemaFault::UnknownType`] or [`SchemaFault::Taken`].
    pub fn with_extension(&self, type_name: &str, schema: Schema) -> Result<Self, SchemaFault> {
        if self.schema(&schema.id).is_some() {
            return Err(SchemaFault::Taken(schema.id));
        }
        let mut types = self.0.types.clone();
        let ty = types
            .iter_mut()
            .find(|ty| ty.name().eq_ignore_ascii_case(type_name))
            .ok_or_else(|| SchemaFault::UnknownType(type_name.to_owned()))?;
        let schema = Arc::new(schema);
        let mut schemas = self.0.schemas.clone();
        schemas.push(Arc::clone(&schema));
        *ty = ty.extended(Extension {
            schema,
            required: false,
        })?;
        Ok(self.with(types, schemas))
    }

    /// The same with one more schema, which no resource type has yet.
    ///
    /// # Errors
    /// [`SchemaFault::Taken`].
    pub fn with_schema(&self, schema: Schema) -> Result<Self, SchemaFault> {
        if self.schema(&schema.id).is_some() {
            return Err(SchemaFault::Taken(schema.id));
        }
        let mut schemas = self.0.schemas.clone();
        schemas.push(Arc::new(schema));
        Ok(self.with(self.0.types.clone(), schemas))
    }

    /// The same with what a definition adds to a resource type that is there, or with the new one that it is.
    ///
    /// # Errors
    /// What the definition names and is not there, says otherwise than it is, or redefines.
    pub fn with_type(&self, definition: &TypeDefinition) -> Result<Self, SchemaFault> {
        let mut types = self.0.types.clone();
        let known = types.iter().position(|ty| ty.name() == definition.name);
        let at = if let Some(at) = known {
            at
        } else {
            types.push(self.new_type(definition)?);
            types.len() - 1
        };
        let ty = &mut types[at];
        if definition
            .endpoint
            .as_deref()
            .is_some_and(|given| given != ty.endpoint())
        {
            return Err(SchemaFault::Fixed(definition.name.clone(), "endpoint"));
        }
        let core = definition.schema.as_deref();
        if core.is_some_and(|given| !given.eq_ignore_ascii_case(&ty.schema().id)) {
            return Err(SchemaFault::Fixed(definition.name.clone(), "schema"));
        }
        for (urn, required) in &definition.extensions {
            if let Some(there) = ty.extension(urn) {
                if there.required == *required {
                    continue;
                }
                return Err(SchemaFault::Fixed(definition.name.clone(), "schemaExtensions"));
            }
            *ty = ty.extended(self.extension(ty, urn, *required)?)?;
        }
        ty.addressed()?;
        Ok(self.with(types, self.0.schemas.clone()))
    }

    /// A type that is not there, without its extensions.
    fn new_type(&self, definition: &TypeDefinition) -> Result<ResourceType, SchemaFault> {
        let TypeDefinition { name, description, .. } = definition;
        let (endpoint, urn) = match (&definition.endpoint, &definition.schema) {
            (Some(endpoint), Some(urn)) => (endpoint, urn),
            (None, None) => return Err(SchemaFault::UnknownType(name.clone())),
            (None, _) => return Err(SchemaFault::TypeMember("endpoint")),
            (_, None) => return Err(SchemaFault::TypeMember("schema")),
        };
        let taken = |given: &str, known: &str| given.eq_ignore_ascii_case(known);
        let is_name = |known: &&str| taken(name, known);
        if self
            .all_types()
            .map(ResourceType::name)
            .chain(NAMES)
            .any(|known| is_name(&known))
        {
            return Err(SchemaFault::Collides(name.clone()));
        }
        let endpoints = self.all_types().map(ResourceType::endpoint).chain(ENDPOINTS);
        if endpoints.into_iter().any(|known| taken(endpoint, known)) {
            return Err(SchemaFault::Collides(endpoint.clone()));
        }
        if Self::builtin().schema(urn).is_some() {
            return Err(SchemaFault::Collides(urn.clone()));
        }
        let known = self.0.schemas.iter().find(|known| known.id.eq_ignore_ascii_case(urn));
        let schema = known.ok_or_else(|| SchemaFault::UnknownSchema(urn.clone()))?;
        core(schema)?;
        ResourceType::own((name, description, endpoint), Arc::clone(schema))
    }

    fn extension(&self, ty: &ResourceType, urn: &str, required: bool) -> Result<Extension, SchemaFault> {
        let known = self.0.schemas.iter().find(|known| known.id.eq_ignore_ascii_case(urn));
        let schema = known.ok_or_else(|| SchemaFault::UnknownSchema(urn.to_owned()))?;
        if Self::builtin().schema(urn).is_some() {
            return Err(SchemaFault::Core(schema.id.clone()));
        }
        let redefined = schema.attributes.iter().find(|own| ty.field(None, &own.name).is_some());
        if let Some(attribute) = redefined {
            return Err(SchemaFault::Redefined {
                urn: schema.id.clone(),
                name: attribute.name.clone(),
                ty: ty.name().to_owned(),
            });
        }
        Ok(Extension {
            schema: Arc::clone(schema),
            required,
        })
    }

    fn with(&self, types: Vec<ResourceType>, schemas: Vec<Arc<Schema>>) -> Self {
        Self(Arc::new(Inner {
            types,
            derived: self.0.derived.clone(),
            schemas,
        }))
    }

    /// The resource types whose resources clients write.
    #[must_use]
    pub fn types(&self) -> &[ResourceType] {
        &self.0.types
    }

    /// The resource types that are read alone: their resources follow from what is decided elsewhere.
    #[must_use]
    pub fn derived(&self) -> &[ResourceType] {
        &self.0.derived
    }

    fn all_types(&self) -> impl Iterator<Item = &ResourceType> {
        self.0.types.iter().chain(&self.0.derived)
    }

    /// The resource type of this name, exactly as written.
    #[must_use]
    pub fn resource_type(&self, name: &str) -> Option<&ResourceType> {
        self.all_types().find(|ty| ty.name() == name)
    }

    /// The resource type served at `/Users` (or `Users`).
    #[must_use]
    pub fn by_endpoint(&self, endpoint: &str) -> Option<&ResourceType> {
        let endpoint = endpoint.trim_matches('/');
        self.all_types()
            .find(|ty| ty.endpoint().trim_start_matches('/') == endpoint)
    }

    /// The schemas of resources that clients write, and of the discovery resources.
    pub fn schemas(&self) -> impl Iterator<Item = &Schema> {
        self.0.schemas.iter().map(Arc::as_ref)
    }

    /// The schema of this URN, in any letter case.
    #[must_use]
    pub fn schema(&self, urn: &str) -> Option<&Schema> {
        let derived = self.0.derived.iter().map(ResourceType::schema);
        self.schemas()
            .chain(derived)
            .find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }
}

/// Words of `meta.resourceType` that are taken beside those of the types.
const NAMES: [&str; 4] = ["Schema", "ResourceType", "ServiceProviderConfig", "Me"];

/// Endpoints that are taken beside those of the types.
const ENDPOINTS: [&str; 7] = [
    "/Bulk",
    "/Me",
    "/Schemas",
    "/ResourceTypes",
    "/ServiceProviderConfig",
    "/AsyncResults",
    "/.search",
];

/// Whether a schema can be the core of a type: some names mean what only users and groups have.
fn core(schema: &Schema) -> Result<(), SchemaFault> {
    for attribute in &schema.attributes {
        let called = |name: &str| attribute.name.eq_ignore_ascii_case(name);
        let why = if (called("members") || called("groups")) && attribute.mutability != Mutability::ReadOnly {
            "only users and groups have memberships; in the core schema of another type it must be `readOnly`"
        } else if called("password") && attribute.mutability == Mutability::WriteOnly {
            "only users have a password; in the core schema of another type it needs another name"
        } else {
            continue;
        };
        return Err(SchemaFault::Contradiction(attribute.name.clone(), why));
    }
    Ok(())
}

impl Default for Registry {
    fn default() -> Self {
        Self::builtin()
    }
}
