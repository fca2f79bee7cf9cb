//! What a caller's resources are made of.

use std::sync::Arc;

use super::{Authority, Caller, UNDO};
use crate::scim::schema::ResourceType;
use crate::service::error::Result;
use crate::service::schemas::Vocabulary;
use crate::store::Unit;

impl Caller {
    /// The schemas and resource types of its tenant, as they were when it was let in.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.0.words
    }

    /// The resource types whose resources clients write.
    #[must_use]
    pub fn types(&self) -> &[Arc<ResourceType>] {
        self.vocabulary().types()
    }

    /// The resource type served at an endpoint, e.g. `Users` or `Roles`.
    #[must_use]
    pub fn type_at(&self, endpoint: &str) -> Option<&Arc<ResourceType>> {
        self.vocabulary().type_at(endpoint)
    }

    /// The resource type of users.
    pub(in crate::service) fn user_type(&self) -> Result<&Arc<ResourceType>> {
        self.vocabulary().user_type()
    }

    /// Has the unit be saved only as long as the schemas are those that the caller knows: a document in it was read by them.
    /// Units of connections always are. Where Muster itself writes documents it is told of the schemas for that.
    pub(in crate::service) fn holds_to_schemas(&self, unit: &mut Unit) {
        match self.authority() {
            Authority::Connection(_) => {}
            Authority::System(name) if *name != UNDO => {}
            _ => unit.goes_by(self.vocabulary().version()),
        }
    }

    /// The same caller, who knows the schemas of its tenant.
    pub(in crate::service) fn knowing(&self, words: Vocabulary) -> Self {
        self.with(|caller| caller.words = words)
    }
}
