//! What a caller's resources are made of.

use std::sync::Arc;

use super::Caller;
use crate::scim::schema::ResourceType;
use crate::service::error::Result;
use crate::service::schemas::Vocabulary;

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

    /// The same caller, who knows the schemas of its tenant.
    pub(in crate::service) fn knowing(&self, words: Vocabulary) -> Self {
        self.with(|caller| caller.words = words)
    }
}
