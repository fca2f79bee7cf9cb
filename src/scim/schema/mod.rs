//! What resources look like: attributes, schemas, resource types, and the registry that knows them all.
//!
//! Schemas are read from SCIM's own JSON (RFC 7643 §7), the built-in ones and those added at run time by the same
//! parser. May import `base` and the standard library. Must never import the rest of `scim`, except `path`, and
//! nothing that knows HTTP, storage or tenants.

mod attribute;
mod builtin;
mod compare;
mod definition;
mod field;
mod own;
mod registry;
mod resource_type;
mod spelling;
mod suggest;

#[cfg(test)]
mod tests;

pub use attribute::{Attribute, Mutability, Returned, Type, Uniqueness};
pub use builtin::{
    ENTERPRISE_USER, ENTITLEMENT, GROUP, RESOURCE_TYPE, ROLE, ROLE_ASSIGNMENT, SCHEMA, SERVICE_PROVIDER_CONFIG, USER,
};
pub use compare::{Among, Demand, Holds};
pub use definition::{Schema, SchemaFault};
pub use field::{Field, Place, Target};
pub use own::{MAX_ATTRIBUTES, TypeDefinition};
pub use registry::Registry;
pub use resource_type::{Extension, ResourceType};
