//! What the resources of a tenant are made of: the schemas that every server has, and those of the tenant itself.
//!
//! May import what `service` may, and the rest of it; must never read a document by a schema of another tenant.

mod change;
mod conditions;
mod definitions;
mod discard;
mod documents;
mod edit;
mod shown;
mod vocabulary;

pub use change::{Purpose, change, change_together};
pub use definitions::{Definitions, Misfit};
pub use discard::{discard, discard_type};
pub use documents::{Unusable, definitions};
pub use edit::Asked;
pub use shown::{InTheWay, Preview, resource_type, resource_types, schema, schemas};
pub(super) use vocabulary::Vocabularies;
pub use vocabulary::Vocabulary;
