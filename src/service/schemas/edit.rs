//! One change of the definitions of a tenant.

use serde_json::{Value, json};

use super::definitions::{Definitions, MOST_SCHEMAS, MOST_TYPES};
use super::documents::is_schema;
use crate::scim::schema::{RESOURCE_TYPE, Registry, Schema, SchemaFault, TypeDefinition};
use crate::service::error::{Error, Refusal, Result};
use crate::service::ledger::{Thing, What};
use crate::store::schemas::Defined;

/// What is asked for; nothing of it is checked yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Asked<'a> {
    /// This schema, of this URN.
    Schema(&'a str, &'a Value),
    /// No schema of this URN.
    NoSchema(&'a str),
    /// This for the resource type of this name.
    Type(&'a str, &'a Value),
    /// Nothing for the resource type of this name.
    NoType(&'a str),
}

impl<'a> Asked<'a> {
    /// What a definition asks for that says itself what it is about: a schema has attributes.
    #[must_use]
    pub fn by(body: &'a Value) -> Self {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        if is_schema(body) {
            Self::Schema(text("id"), body)
        } else {
            let name = Some(text("name")).filter(|name| !name.is_empty());
            Self::Type(name.unwrap_or_else(|| text("id")), body)
        }
    }

    /// What it is about, for messages.
    pub(super) fn named(self) -> String {
        match self {
            Self::Schema(urn, _) | Self::NoSchema(urn) => format!("the schema `{urn}`"),
            Self::Type(name, _) | Self::NoType(name) => format!("the resource type `{name}`"),
        }
    }

    pub(super) fn edit(self) -> Result<Edit> {
        match self {
            Self::Schema(urn, body) => Edit::schema(urn, body),
            Self::NoSchema(urn) => Ok(Edit::NoSchema(urn.to_owned())),
            Self::Type(name, body) => Edit::resource_type(name, body),
            Self::NoType(name) => Ok(Edit::NoType(name.to_owned())),
        }
    }
}

/// What is to become of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edit {
    /// This schema is added, or takes the place of the one with its URN.
    Schema(Box<Schema>),
    /// The schema with this URN is removed, and taken from the resource types that have it.
    NoSchema(String),
    /// This is what the resource type has of the organisation.
    Type(TypeDefinition),
    /// The resource type of this name has nothing of the organisation.
    NoType(String),
}

impl Edit {
    /// A schema, from the body of a request whose path names it.
    ///
    /// # Errors
    /// What makes it unusable, or another URN in the path.
    fn schema(urn: &str, body: &Value) -> Result<Self> {
        let schema = Schema::offered(body).map_err(|fault| unusable(&fault))?;
        if !schema.id.eq_ignore_ascii_case(urn) {
            return Err(Error::invalid(
                "/id",
                "the URN of the schema is not the one of the path",
            ));
        }
        Ok(Self::Schema(Box::new(schema)))
    }

    /// What a resource type is to have, from the body of a request whose path names it.
    ///
    /// # Errors
    /// What makes it unusable, or another name in the path.
    fn resource_type(name: &str, body: &Value) -> Result<Self> {
        let ty = TypeDefinition::offered(body).map_err(|fault| unusable(&fault))?;
        if ty.name != name {
            return Err(Error::invalid(
                "/name",
                "the name of the resource type is not the one of the path",
            ));
        }
        Ok(Self::Type(ty))
    }

    /// What it is about, as the log names it.
    pub(super) fn subject(&self) -> (Thing, &str) {
        match self {
            Self::Schema(schema) => (Thing::Schema, &schema.id),
            Self::NoSchema(urn) => (Thing::Schema, urn),
            Self::Type(ty) => (Thing::ResourceType, &ty.name),
            Self::NoType(name) => (Thing::ResourceType, name),
        }
    }

    /// The same for messages.
    pub(super) fn named(&self) -> String {
        match self.subject() {
            (Thing::Schema, urn) => format!("the schema `{urn}`"),
            (_, name) => format!("the resource type `{name}`"),
        }
    }

    pub(super) const fn what(&self) -> What {
        match self {
            Self::Schema(_) => What::SchemaSet,
            Self::NoSchema(_) => What::SchemaRemoved,
            Self::Type(_) => What::ResourceTypeSet,
            Self::NoType(_) => What::ResourceTypeRemoved,
        }
    }
}

/// What makes a definition unusable.
pub(super) fn unusable(fault: &SchemaFault) -> Error {
    let taken = matches!(
        fault,
        SchemaFault::Taken(_) | SchemaFault::Collides(_) | SchemaFault::Core(_) | SchemaFault::Fixed(..)
    );
    let refusal = Refusal::new(fault.to_string());
    if taken {
        Error::Conflict(refusal)
    } else {
        Error::Invalid(refusal)
    }
}

/// The same with what it is about, where that is one of several.
pub(super) fn of_one(error: Error, named: &str) -> Error {
    let told = |refusal: Refusal| Refusal {
        reason: format!("{named}: {}", refusal.reason),
        ..refusal
    };
    match error {
        Error::Invalid(refusal) => Error::Invalid(told(refusal)),
        Error::Conflict(refusal) => Error::Conflict(told(refusal)),
        other => other,
    }
}

/// A definition of a resource type as SCIM's JSON.
pub(super) fn json_of(ty: &TypeDefinition) -> Value {
    let extensions = ty.extensions.iter();
    let extensions = extensions.map(|(urn, required)| json!({ "schema": urn, "required": required }));
    let mut value = json!({
        "schemas": [RESOURCE_TYPE],
        "id": ty.name,
        "name": ty.name,
        "schemaExtensions": extensions.collect::<Vec<_>>(),
    });
    let texts = [
        ("description", Some(&ty.description)),
        ("endpoint", ty.endpoint.as_ref()),
        ("schema", ty.schema.as_ref()),
    ];
    for (name, text) in texts {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            value[name] = text.as_str().into();
        }
    }
    value
}

/// A schema as SCIM's JSON, without where it is.
pub(super) fn json_of_schema(schema: &Schema) -> Value {
    let mut value = schema.to_json("");
    if let Some(object) = value.as_object_mut() {
        object.shift_remove("meta");
    }
    value
}

/// Whether a definition can be one of a type that is not there without it.
fn is_whole(ty: &TypeDefinition) -> bool {
    ty.endpoint.is_some() && ty.schema.is_some() && Registry::builtin().resource_type(&ty.name).is_none()
}

impl Definitions {
    pub(super) fn schema(&self, urn: &str) -> Option<&Schema> {
        self.schemas.iter().find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }

    pub(super) fn ty(&self, name: &str) -> Option<&TypeDefinition> {
        self.types.iter().find(|ty| ty.name == name)
    }

    /// The definition that an edit is about, as SCIM's JSON.
    pub(super) fn told(&self, edit: &Edit) -> Option<Value> {
        match edit.subject() {
            (Thing::Schema, urn) => self.schema(urn).map(json_of_schema),
            (_, name) => self.ty(name).map(json_of),
        }
    }

    /// These after an edit.
    pub(super) fn edited(&self, edit: &Edit) -> Result<Self> {
        let mut after = self.clone();
        match edit {
            Edit::Schema(schema) => {
                after.schemas.retain(|known| !known.id.eq_ignore_ascii_case(&schema.id));
                after.schemas.push((**schema).clone());
            }
            Edit::NoSchema(urn) => {
                self.schema(urn).ok_or(Error::NotFound)?;
                let is_it = |named: &str| named.eq_ignore_ascii_case(urn);
                if let Some(ty) = self.types.iter().find(|ty| ty.schema.as_deref().is_some_and(is_it)) {
                    return Err(Error::conflict(format!(
                        "it is what the resources of the type `{}` are made of; remove that type first",
                        ty.name
                    )));
                }
                after.schemas.retain(|known| !is_it(&known.id));
                for ty in &mut after.types {
                    ty.extensions.retain(|(named, _)| !is_it(named));
                }
                after.types.retain(|ty| !ty.extensions.is_empty() || is_whole(ty));
            }
            Edit::Type(ty) => {
                after.types.retain(|known| known.name != ty.name);
                after.types.push(ty.clone());
            }
            Edit::NoType(name) => {
                self.ty(name).ok_or(Error::NotFound)?;
                after.types.retain(|known| known.name != *name);
            }
        }
        if after.schemas.len() > MOST_SCHEMAS {
            return Err(Error::conflict(format!(
                "an organisation has at most {MOST_SCHEMAS} schemas"
            )));
        }
        if after.types.len() > MOST_TYPES {
            return Err(Error::conflict(format!(
                "an organisation defines or adds to at most {MOST_TYPES} resource types"
            )));
        }
        after.schemas.sort_by_key(|schema| schema.id.to_ascii_lowercase());
        after.types.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(after)
    }

    /// The definitions that are here and not there, or otherwise: key and text.
    pub(super) fn beside(&self, other: &Self) -> Vec<(Defined, String, String)> {
        let schemas = self.schemas.iter().filter(|schema| !other.schemas.contains(schema));
        let schemas = schemas.map(|schema| {
            let key = schema.id.to_ascii_lowercase();
            (Defined::Schema, key, json_of_schema(schema).to_string())
        });
        let types = self.types.iter().filter(|ty| !other.types.contains(ty));
        let types = types.map(|ty| (Defined::Type, ty.name.clone(), json_of(ty).to_string()));
        schemas.chain(types).collect()
    }

    /// What is defined, by key.
    pub(super) fn keys(&self) -> Vec<(Defined, String)> {
        let schemas = self.schemas.iter();
        let schemas = schemas.map(|schema| (Defined::Schema, schema.id.to_ascii_lowercase()));
        let types = self.types.iter().map(|ty| (Defined::Type, ty.name.clone()));
        schemas.chain(types).collect()
    }
}
