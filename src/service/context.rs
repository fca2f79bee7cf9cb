//! What the use cases share, and who is asking.

mod authority;
mod begin;
mod limits;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

use super::access::pending::Settlement;
use super::access::policy::Policies;
use super::credentials::Known;
use super::deferred::Errand;
use super::delivery::{Guard, Looked};
use super::error::Result;
use super::keys::{Sealer, Signers};
use super::passwords::Turns;
use super::schemas::{Definitions, Vocabularies, Vocabulary};
use super::setbacks::Setbacks;
use super::tolerances::Tally;
use super::waits::Waits;
use crate::access::Catalogue;
use crate::base::clock::{Clock, Timestamp};
use crate::base::id::{ConnectionId, Ids, TenantId};
use crate::event::Keyring;
use crate::scim::dialect::Setting;
use crate::scim::discovery::Listing;
use crate::store::access::replays::Claim;
use crate::store::{Db, Together, tenants};

pub use authority::{Authority, ConnectionRef, Suspended};
pub(super) use authority::{CLOSING, UNDO};

/// What the composition root hands in.
pub struct Parts {
    /// The database, open and migrated.
    pub db: Db,
    /// The keys that seal what is secret in it.
    pub keys: Keyring,
    /// What time it is.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
    /// Largest page of a list.
    pub max_results: usize,
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Largest body of a bulk request, in bytes.
    pub max_bulk_bytes: usize,
    /// The permissions there are.
    pub catalogue: Arc<Catalogue>,
    /// What the discovery endpoints list.
    pub listing: Listing,
    /// Where Muster may connect to.
    pub guard: Guard,
    /// Schemas and resource types of every tenant, beside those of the protocol.
    pub schemas: Definitions,
    /// How long requests wait.
    pub waits: Waits,
}

/// What the log keeps of what happens. Only code can choose, no setting: a server keeps everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// All of it.
    Everything,
    /// Nothing, to measure what the log costs.
    Nothing,
}

/// The use cases' common ground; cheap to clone.
#[derive(Clone)]
pub struct Services(Arc<Inner>);

struct Inner {
    parts: Parts,
    keeping: Keeping,
    sealer: Sealer,
    signers: Signers,
    setbacks: Setbacks,
    looked: Looked,
    vocabularies: Vocabularies,
    known: Known,
    hashing: Turns,
    tally: Tally,
    policies: Policies,
    /// Public ids of tenants, which never change.
    uids: Mutex<HashMap<TenantId, Arc<str>>>,
    grown: watch::Sender<u64>,
}

impl Services {
    /// Use cases over an open database.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn new(parts: Parts) -> Result<Self> {
        Self::keeping(parts, Keeping::Everything).await
    }

    /// The same with a choice of what the log keeps.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn keeping(parts: Parts, keeping: Keeping) -> Result<Self> {
        parts.db.ping().await?;
        let vocabularies = Vocabularies::of(&parts.schemas)?;
        let sealer = Sealer::new(parts.keys.clone());
        Ok(Self(Arc::new(Inner {
            sealer,
            signers: Signers::default(),
            setbacks: Setbacks::default(),
            looked: Looked::default(),
            parts,
            keeping,
            vocabularies,
            known: Known::new(),
            hashing: Turns::default(),
            tally: Tally::default(),
            policies: Policies::new(),
            uids: Mutex::default(),
            grown: watch::Sender::new(0),
        })))
    }

    /// The database: for this room only.
    pub(super) fn db(&self) -> &Db {
        &self.0.parts.db
    }

    /// Seals what is secret in the database.
    #[must_use]
    pub fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    /// How long requests wait.
    #[must_use]
    pub(super) fn waits(&self) -> Waits {
        self.0.parts.waits
    }

    /// Signing keys that were opened.
    pub(super) fn signers(&self) -> &Signers {
        &self.0.signers
    }

    /// What failed for one of many and is left alone for a while.
    pub(super) fn setbacks(&self) -> &Setbacks {
        &self.0.setbacks
    }

    /// How far was looked for receivers that wanted nothing of it.
    pub(super) fn looked(&self) -> &Looked {
        &self.0.looked
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

    /// Compiled schemas of tenants.
    pub(super) fn vocabularies(&self) -> &Vocabularies {
        &self.0.vocabularies
    }

    pub(super) fn known(&self) -> &Known {
        &self.0.known
    }

    /// Turns at hashing passwords.
    pub(super) fn hashing(&self) -> &Turns {
        &self.0.hashing
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.0.tally
    }

    /// Public id of the caller's tenant; read once.
    pub(super) async fn tenant_uid(&self, caller: &Caller) -> Result<Arc<str>> {
        let tenant = caller.tenant();
        let uids = || self.0.uids.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = uids().get(&tenant) {
            return Ok(Arc::clone(known));
        }
        let uid: Arc<str> = tenants::uid(self.db(), tenant)
            .await?
            .ok_or(super::Error::NotFound)?
            .into();
        uids().insert(tenant, Arc::clone(&uid));
        Ok(uid)
    }

    /// Where Muster may connect to.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.0.parts.guard
    }

    /// Changes whenever this process has numbered events.
    #[must_use]
    pub fn grown(&self) -> watch::Receiver<u64> {
        self.0.grown.subscribe()
    }

    /// Tells those who wait for [`Self::grown`].
    pub(super) fn grow(&self) {
        self.0.grown.send_modify(|times| *times = times.wrapping_add(1));
    }

    /// The permissions there are.
    pub(super) fn catalogue(&self) -> &Arc<Catalogue> {
        &self.0.parts.catalogue
    }

    /// Compiled policies.
    pub(super) fn policies(&self) -> &Policies {
        &self.0.policies
    }
}

/// Who is asking, for which tenant. Only authentication and the command line make one.
#[derive(Debug, Clone)]
pub struct Caller(Arc<CallerInner>);

#[derive(Debug, Clone)]
struct CallerInner {
    tenant: TenantId,
    slug: Arc<str>,
    words: Vocabulary,
    authority: Authority,
    request_id: Arc<str>,
    /// Of a request with an idempotency key.
    claim: Option<Claim>,
    /// Of a request that waited for somebody's decision.
    settlement: Option<Settlement>,
    /// Of a request whose client does not wait for it.
    errand: Option<Errand>,
    /// When what it asks by ends.
    ends: Option<Timestamp>,
    /// Of what takes back what a connection did: that connection.
    source: Option<ConnectionId>,
    /// What it belongs to and is suspended.
    suspended: Option<Suspended>,
    /// Whether it does nothing but tell what came of a request, also of a connection that does not work any more.
    tells: bool,
    /// Of what follows from its request: the rule by which it does.
    rule: Option<Arc<str>>,
    /// Of a request that is done together with others, or not at all.
    together: Option<Together>,
    /// Whether what its request needed is counted already.
    counted: bool,
}

impl Caller {
    pub(super) fn new(
        (tenant, slug): (TenantId, Arc<str>),
        words: Vocabulary,
        authority: Authority,
        request_id: Arc<str>,
    ) -> Self {
        Self(Arc::new(CallerInner {
            tenant,
            slug,
            words,
            authority,
            request_id,
            claim: None,
            settlement: None,
            errand: None,
            ends: None,
            source: None,
            suspended: None,
            tells: false,
            rule: None,
            together: None,
            counted: false,
        }))
    }

    /// The same caller asking by a token that ends at a time.
    pub(super) fn until(&self, ends: Timestamp) -> Self {
        self.with(|caller| caller.ends = Some(ends))
    }

    fn with(&self, change: impl FnOnce(&mut CallerInner)) -> Self {
        let mut inner = (*self.0).clone();
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// The same caller in a request that is done once: every unit it opens holds this claim.
    pub(super) fn claiming(&self, claim: Claim) -> Self {
        self.with(|caller| caller.claim = Some(claim))
    }

    /// The same caller for work that goes on after the answer: what that changes is not what the request is done by,
    /// and a claim that is settled would refuse every unit of it.
    pub(super) fn unclaimed(&self) -> Self {
        self.with(|caller| caller.claim = None)
    }

    /// The same caller making a request that waited: every unit it opens settles that, together with its change, and
    /// holds the claim of who decided.
    pub(super) fn settling(&self, settlement: Settlement) -> Self {
        self.with(|caller| {
            caller.claim = settlement.claim().cloned();
            caller.settlement = Some(settlement);
        })
    }

    /// The same caller doing a request whose client does not wait: whatever it saves has the name of that in the log.
    pub(super) fn doing(&self, errand: Errand) -> Self {
        self.with(|caller| caller.errand = Some(errand))
    }

    /// The request that it does, whose client does not wait.
    pub(super) fn errand(&self) -> Option<&Errand> {
        self.0.errand.as_ref()
    }

    /// Whether it makes a request that somebody has decided about.
    pub(super) fn is_settling(&self) -> bool {
        self.0.settlement.is_some()
    }

    /// The same caller where a rule of this name makes something follow from what they do.
    pub(super) fn by_rule(&self, name: &str) -> Self {
        self.with(|caller| caller.rule = Some(Arc::from(name)))
    }

    /// The same caller in something that is saved together: its units are parts of that.
    pub(super) fn within(&self, together: &Together) -> Self {
        self.with(|caller| caller.together = Some(together.clone()))
    }

    /// The same caller asking the same again: the habits that were tolerated in it are counted.
    pub(super) fn counted(&self) -> Self {
        self.with(|caller| caller.counted = true)
    }

    /// Whether the habits that are tolerated in its request are counted already.
    pub(super) fn is_counted(&self) -> bool {
        self.0.counted
    }

    /// The rule by which it follows.
    pub(super) fn rule(&self) -> Option<&str> {
        self.0.rule.as_deref()
    }

    /// Whether it takes back what a connection did.
    pub(super) fn takes_back(&self) -> bool {
        matches!(self.0.authority, Authority::System(UNDO))
    }

    /// What its request has claimed.
    pub(super) fn claim(&self) -> Option<&Claim> {
        self.0.claim.as_ref()
    }

    /// The operator of the installation in a tenant, by its slug; each has a request id of its own.
    ///
    /// # Errors
    /// An unknown tenant.
    pub async fn operator(services: &Services, tenant: &str, name: &'static str) -> Result<Self> {
        let tenant = super::connections::tenant_of(services, tenant).await?;
        let request_id = Arc::from(services.ids().next().as_str());
        let slug = Arc::from(tenant.slug.as_str());
        let words = services.vocabulary(tenant.id).await?;
        Ok(Self::new(
            (tenant.id, slug),
            words,
            Authority::Operator(name),
            request_id,
        ))
    }

    /// Muster itself in a tenant, for a work of this name. It knows no schemas but those that every server has: where it
    /// reads what users are made of it is to be told of them.
    pub(super) fn system(services: &Services, tenant: TenantId, slug: &str, name: &'static str) -> Self {
        let request_id = Arc::from(services.ids().next_unit().as_str());
        let words = Vocabulary::builtin();
        Self::new((tenant, Arc::from(slug)), words, Authority::System(name), request_id)
    }

    /// Muster itself, taking back what a connection did: what that calls users and groups is what is read and written.
    /// The request is the undo.
    pub(super) fn undoing(
        (tenant, slug): (TenantId, &str),
        words: Vocabulary,
        undo: &str,
        connection: ConnectionId,
    ) -> Self {
        let caller = Self::new(
            (tenant, Arc::from(slug)),
            words,
            Authority::System(UNDO),
            Arc::from(undo),
        );
        caller.with(|caller| caller.source = Some(connection))
    }

    /// Muster itself, changing the users of what is suspended or deleted as a whole. The request is the work.
    pub(super) fn closing((tenant, slug): (TenantId, &str), words: Vocabulary, work: &str) -> Self {
        Self::new(
            (tenant, Arc::from(slug)),
            words,
            Authority::System(CLOSING),
            Arc::from(work),
        )
    }

    /// The same caller, telling what came of its request: that is told whatever has become of the connection.
    pub(super) fn telling(&self) -> Self {
        self.with(|caller| caller.tells = true)
    }

    /// The same caller, who belongs to something that is suspended.
    pub(super) fn of_suspended(&self, what: Suspended) -> Self {
        self.with(|caller| caller.suspended = Some(what))
    }

    /// What it belongs to and is suspended: whoever lets a request in has to look at this.
    #[must_use]
    pub fn suspended(&self) -> Option<Suspended> {
        self.0.suspended
    }

    /// When the token that it asks by stops working; none where it does not, or there is none.
    pub(super) fn ends(&self) -> Option<Timestamp> {
        self.0.ends
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

    /// Key of its connection, if it is one or takes back what one did.
    #[must_use]
    pub fn connection_id(&self) -> Option<ConnectionId> {
        match &self.0.authority {
            Authority::Connection(connection) => Some(connection.id),
            _ => self.0.source,
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
