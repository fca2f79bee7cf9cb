//! Definitions of schemas and resource types: as files have them, as they are stored, and put together.

use serde_json::Value;

use super::documents::{Unusable, definitions, is_schema, named};
use crate::base::id::TenantId;
use crate::scim::schema::{Registry, ResourceType, Schema, SchemaFault, TypeDefinition};
use crate::service::error::{Error, Result};
use crate::store::schemas::Own;

/// Most schemas of an organisation.
pub(super) const MOST_SCHEMAS: usize = 50;
/// Most resource types that an organisation adds to.
pub(super) const MOST_TYPES: usize = 20;

/// Schemas, and what resource types have of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definitions {
    pub(super) schemas: Vec<Schema>,
    pub(super) types: Vec<TypeDefinition>,
}

/// One of them.
#[derive(Debug, PartialEq)]
enum One<'a> {
    Schema(&'a Schema),
    Type(&'a TypeDefinition),
}

impl One<'_> {
    /// What it is, for messages.
    fn named(&self) -> String {
        match self {
            Self::Schema(schema) => format!("the schema `{}`", schema.id),
            Self::Type(ty) => format!("the resource type `{}`", ty.name),
        }
    }
}

/// A definition that does not stand beside the others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{named}: {fault}")]
pub struct Misfit {
    /// Which it is.
    pub named: String,
    /// Why it does not.
    pub fault: SchemaFault,
}

impl Definitions {
    /// Adds what a document of a file defines: a Schema, a `ResourceType`, an array of them, or an object with `schemas`
    /// and `resourceTypes`.
    ///
    /// # Errors
    /// A definition that cannot be used by itself.
    pub fn add(&mut self, document: &Value) -> std::result::Result<(), Unusable> {
        for definition in definitions(document)? {
            let fault = |fault| Unusable::Fault(named(definition), fault);
            if is_schema(definition) {
                self.schemas.push(Schema::offered(definition).map_err(fault)?);
            } else {
                self.types.push(TypeDefinition::offered(definition).map_err(fault)?);
            }
        }
        Ok(())
    }

    /// Whether these definitions stand together beside those that every server has.
    ///
    /// # Errors
    /// The first thing that does not.
    pub fn check(&self) -> std::result::Result<(), Misfit> {
        self.compile(&Registry::builtin()).map(drop)
    }

    /// Those of a tenant.
    pub(super) fn stored(own: &Own) -> Result<Self> {
        let damaged = |fault: Box<dyn std::error::Error + Send + Sync>| Error::Internal(fault);
        let read = |text: &String| serde_json::from_str::<Value>(text).map_err(|fault| damaged(Box::new(fault)));
        let mut definitions = Self::default();
        for text in &own.schemas {
            let schema = Schema::parse(&read(text)?).map_err(|fault| damaged(Box::new(fault)))?;
            definitions.schemas.push(schema);
        }
        for text in &own.types {
            let ty = TypeDefinition::parse(&read(text)?).map_err(|fault| damaged(Box::new(fault)))?;
            definitions.types.push(ty);
        }
        Ok(definitions)
    }

    /// Put together with what is there.
    pub(super) fn compile(&self, base: &Registry) -> std::result::Result<Registry, Misfit> {
        self.after(&Self::default(), base)
    }

    /// The same without what does not stand beside what is there: the files of the operator may have come later.
    pub(super) fn salvage(&self, base: &Registry, tenant: TenantId) -> Registry {
        let (registry, faults) = self.possible(base);
        for (one, fault) in faults {
            tracing::warn!(
                tenant.id = tenant.0,
                definition = %one.named(),
                %fault,
                "a definition of an organisation cannot be used beside those of the operator's files"
            );
        }
        registry
    }

    /// Put together after a change of what was there before: what could not be used before, and is the same, may stay so.
    pub(super) fn after(&self, before: &Self, base: &Registry) -> std::result::Result<Registry, Misfit> {
        let (_, known) = before.possible(base);
        let (registry, faults) = self.possible(base);
        match faults
            .into_iter()
            .find(|(one, _)| !known.iter().any(|(known, _)| known == one))
        {
            Some((one, fault)) => Err(Misfit {
                named: one.named(),
                fault,
            }),
            None => Ok(registry),
        }
    }

    /// What can be put together, and what cannot, each with its reason.
    fn possible(&self, base: &Registry) -> (Registry, Vec<(One<'_>, SchemaFault)>) {
        let (mut registry, mut faults) = (base.clone(), Vec::new());
        for schema in &self.schemas {
            match registry.with_schema(schema.clone()) {
                Ok(more) => registry = more,
                Err(fault) => faults.push((One::Schema(schema), fault)),
            }
        }
        for ty in &self.types {
            match registry.with_type(ty) {
                Ok(more) => registry = more,
                Err(fault) => faults.push((One::Type(ty), fault)),
            }
        }
        (registry, faults)
    }

    /// The type of this name by its definition alone, where it cannot be put together with what is there. None where another
    /// one has its place: then what was made of it belongs to that.
    pub(super) fn unserved(&self, base: &Registry, name: &str) -> Option<ResourceType> {
        let (registry, faults) = self.possible(base);
        let is_it = |one: &One<'_>| matches!(one, One::Type(ty) if ty.name == name);
        faults.iter().find(|(one, _)| is_it(one))?;
        let alone = Self {
            schemas: self.schemas.clone(),
            types: self.types.iter().filter(|ty| ty.name == name).cloned().collect(),
        };
        let alone = alone.possible(&Registry::builtin()).0.resource_type(name).cloned();
        let alone = alone.filter(ResourceType::is_own)?;
        let there = registry.resource_type(name);
        there
            .is_none_or(|there| there.endpoint() != alone.endpoint())
            .then_some(alone)
    }
}
