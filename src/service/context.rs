//! What the use cases share, and who is asking.

use std::sync::Arc;

use super::credentials::Known;
use super::error::Result;
use super::tolerances::Tally;
use crate::base::clock::Clock;
use crate::base::id::{ConnectionId, Ids, TenantId};
use crate::scim::dialect::Setting;
use crate::scim::discovery::Limits;
use crate::scim::schema::{Registry, ResourceType};
use crate::store::{Db, Reader, Unit};

/// What the composition root hands in.
pub struct Parts {
    /// The database, open and migrated.
    pub db: Db,
    /// What time it is.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
    /// Largest page of a list.
    pub max_results: usize,
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
}

/// The use cases' common ground; cheap to clone.
#[derive(Clone)]
pub struct Services(Arc<Inner>);

struct Inner {
    parts: Parts,
    registry: Registry,
    types: Vec<Arc<ResourceType>>,
    known: Known,
    tally: Tally,
}

impl Services {
    /// Use cases over an open database.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn new(parts: Parts) -> Result<Self> {
        parts.db.ping().await?;
        let registry = Registry::builtin();
        let types = registry.types().iter().cloned().map(Arc::new).collect();
        Ok(Self(Arc::new(Inner {
            parts,
            registry,
            types,
            known: Known::new(),
            tally: Tally::default(),
        })))
    }

    /// The database: for this room only.
    pub(super) fn db(&self) -> &Db {
        &self.0.parts.db
    }

    /// What time it is.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.parts.clock
    }

    /// Where ids come from.
    #[must_use]
    pub fn ids(&self) -> &Ids {
        &self.0.parts.ids
    }

    /// Schemas and resource types.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Every resource type there is.
    #[must_use]
    pub fn types(&self) -> &[Arc<ResourceType>] {
        &self.0.types
    }

    /// The resource type served at an endpoint, e.g. `Users`.
    #[must_use]
    pub fn type_at(&self, endpoint: &str) -> Option<&Arc<ResourceType>> {
        self.types()
            .iter()
            .find(|ty| ty.endpoint().trim_start_matches('/') == endpoint)
    }

    /// Opens the unit of work of a caller: its tenant, and one transaction.
    pub(super) async fn begin(&self, caller: &Caller) -> Result<Unit> {
        Ok(Unit::begin(self.db(), caller.tenant()).await?)
    }

    /// Reads of the caller's tenant.
    pub(super) fn read(&self, caller: &Caller) -> Reader {
        Reader::new(self.db().clone(), caller.tenant())
    }

    pub(super) fn known(&self) -> &Known {
        &self.0.known
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.0.tally
    }

    /// What the service provider configuration says of this server.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let max_results = self.max_results();
        Limits {
            max_results,
            default_page_size: max_results,
            cursor: None,
            bulk: None,
            documentation: None,
        }
    }

    /// Largest page of a list.
    #[must_use]
    pub fn max_results(&self) -> u64 {
        self.0.parts.max_results as u64
    }
}

/// What a caller may do, as far as it is known from its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// Provisions users and groups of its tenant.
    Connection(ConnectionRef),
    /// Administers the tenant.
    Admin,
    /// Acts as one user.
    User(String),
    /// The operator of the installation, on its command line.
    Operator(&'static str),
}

/// A connection as requests carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRef {
    /// Key inside the store.
    pub id: ConnectionId,
    /// Name in its tenant.
    pub name: Arc<str>,
    /// Which habits it tolerates.
    pub dialect: Setting,
}

/// Who is asking, for which tenant. Only authentication and the command line make one.
#[derive(Debug, Clone)]
pub struct Caller(Arc<CallerInner>);

#[derive(Debug)]
struct CallerInner {
    tenant: TenantId,
    slug: Arc<str>,
    authority: Authority,
    request_id: Arc<str>,
}

impl Caller {
    pub(super) fn new(tenant: TenantId, slug: Arc<str>, authority: Authority, request_id: Arc<str>) -> Self {
        Self(Arc::new(CallerInner {
            tenant,
            slug,
            authority,
            request_id,
        }))
    }

    /// The tenant: for this room only, where units are opened with it.
    pub(super) fn tenant(&self) -> TenantId {
        self.0.tenant
    }

    /// Slug of the tenant.
    #[must_use]
    pub fn tenant_slug(&self) -> &str {
        &self.0.slug
    }

    /// What it may do.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.0.authority
    }

    /// Key of its connection, if it is one.
    #[must_use]
    pub fn connection_id(&self) -> Option<ConnectionId> {
        match &self.0.authority {
            Authority::Connection(connection) => Some(connection.id),
            _ => None,
        }
    }

    /// Which habits are tolerated: those of its connection, or none.
    #[must_use]
    pub fn dialect(&self) -> &Setting {
        match &self.0.authority {
            Authority::Connection(connection) => &connection.dialect,
            _ => &Setting::Strict,
        }
    }

    /// The request that it asks by.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }
}
