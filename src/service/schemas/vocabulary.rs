//! The schemas and resource types of a tenant, compiled once a version.
//!
//! Every caller carries those of its tenant, so a request is read and answered by one version from begin to end, and
//! finds it without asking for it.

use moka::sync::Cache;
use std::sync::{Arc, LazyLock};

use super::definitions::Definitions;
use crate::base::id::TenantId;
use crate::scim::schema::{Registry, ResourceType};
use crate::service::context::Services;
use crate::service::error::{Error, Result};
use crate::store::Reader;

/// Tenants whose schemas are kept ready.
const MAX_TENANTS: u64 = 10_000;

/// What the resources of a tenant are made of; cheap to clone.
#[derive(Debug, Clone)]
pub struct Vocabulary(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    version: i64,
    registry: Registry,
    types: Vec<Arc<ResourceType>>,
    derived: Vec<Arc<ResourceType>>,
}

impl Vocabulary {
    /// What every server has.
    #[must_use]
    pub fn builtin() -> Self {
        static BUILTIN: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::of(0, Registry::builtin()));
        BUILTIN.clone()
    }

    pub(super) fn of(version: i64, registry: Registry) -> Self {
        let shared = |types: &[ResourceType]| types.iter().cloned().map(Arc::new).collect();
        Self(Arc::new(Inner {
            version,
            types: shared(registry.types()),
            derived: shared(registry.derived()),
            registry,
        }))
    }

    /// How often the schemas of the tenant were changed.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.0.version
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

/// The vocabularies of all tenants, as far as they were needed lately.
pub struct Vocabularies {
    /// Of a tenant that has defined nothing.
    base: Vocabulary,
    kept: Cache<TenantId, Vocabulary>,
}

impl Vocabularies {
    /// Those of tenants that all have these definitions.
    pub(in crate::service) fn of(common: &Definitions) -> Result<Self> {
        let registry = common
            .compile(&Registry::builtin())
            .map_err(|fault| Error::Internal(Box::new(fault)))?;
        Ok(Self {
            base: Vocabulary::of(0, registry),
            kept: Cache::new(MAX_TENANTS),
        })
    }

    /// What tenants begin with.
    pub(super) fn base(&self) -> &Registry {
        self.base.registry()
    }

    fn keep(&self, tenant: TenantId, words: &Vocabulary) {
        let newer = |kept: Vocabulary| kept.version() > words.version();
        if !self.kept.get(&tenant).is_some_and(newer) {
            self.kept.insert(tenant, words.clone());
        }
    }
}

impl Services {
    /// What the resources of a tenant are made of now.
    pub(in crate::service) async fn vocabulary(&self, tenant: TenantId) -> Result<Vocabulary> {
        let version = Reader::new(self.db().clone(), tenant).schemas().version().await?;
        self.vocabulary_at(tenant, version).await
    }

    /// The same by its version, or a later one if there is one by now: without a statement, if it is in memory.
    pub(in crate::service) async fn vocabulary_at(&self, tenant: TenantId, version: i64) -> Result<Vocabulary> {
        let known = self.vocabularies();
        if version == 0 {
            return Ok(known.base.clone());
        }
        if let Some(kept) = known.kept.get(&tenant)
            && kept.version() == version
        {
            return Ok(kept);
        }
        let own = Reader::new(self.db().clone(), tenant).schemas().load().await?;
        let registry = Definitions::stored(&own)?.salvage(known.base(), tenant);
        let words = Vocabulary::of(own.version, registry);
        known.keep(tenant, &words);
        Ok(words)
    }
}
