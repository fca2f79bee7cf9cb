//! The schemas and resource types of a tenant, compiled once a version.
//!
//! Every caller carries those of its tenant, so a request is read and answered by one version from begin to end, and
//! finds it without asking for it.

use std::sync::{Arc, LazyLock};

use crate::base::id::TenantId;
use crate::scim::schema::{Registry, ResourceType};
use crate::service::context::Services;
use crate::service::error::{Error, Result};

/// What the resources of a tenant are made of; cheap to clone.
#[derive(Debug, Clone)]
pub struct Vocabulary(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    types: Vec<Arc<ResourceType>>,
    derived: Vec<Arc<ResourceType>>,
}

impl Vocabulary {
    /// What every server has.
    #[must_use]
    pub fn builtin() -> Self {
        static BUILTIN: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::of(Registry::builtin()));
        BUILTIN.clone()
    }

    fn of(registry: Registry) -> Self {
        let shared = |types: &[ResourceType]| types.iter().cloned().map(Arc::new).collect();
        Self(Arc::new(Inner {
            types: shared(registry.types()),
            derived: shared(registry.derived()),
            registry,
        }))
    }

    /// Schemas and resource types.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The resource types whose resources clients write; a query about everything is about these.
    #[must_use]
    pub fn types(&self) -> &[Arc<ResourceType>] {
        &self.0.types
    }

    /// The resource type served at an endpoint, e.g. `Users` or `Roles`.
    #[must_use]
    pub fn type_at(&self, endpoint: &str) -> Option<&Arc<ResourceType>> {
        let mut types = self.0.types.iter().chain(&self.0.derived);
        types.find(|ty| ty.endpoint().trim_start_matches('/') == endpoint)
    }

    /// The resource type of users: what conditions of rules are read against.
    ///
    /// # Errors
    /// There always is one.
    pub fn user_type(&self) -> Result<&Arc<ResourceType>> {
        let found = self.type_at("Users");
        found.ok_or_else(|| Error::Internal("there is no resource type of users".into()))
    }
}

impl Services {
    /// What the resources of a tenant are made of now.
    #[expect(clippy::unused_async, reason = "a tenant's own schemas are read from the database")]
    pub(in crate::service) async fn vocabulary(&self, _: TenantId) -> Result<Vocabulary> {
        Ok(Vocabulary::builtin())
    }
}
