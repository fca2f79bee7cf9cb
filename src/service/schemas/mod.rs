//! What the resources of a tenant are made of: the schemas that every server has, and those of the tenant itself.
//!
//! May import what `service` may, and the rest of it; must never read a document by a schema of another tenant.

mod vocabulary;

pub use vocabulary::Vocabulary;
