//! The unit of work: one tenant, one transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::access::accounts::Accounts;
use super::access::facts::FactSheets;
use super::access::grants::Grants;
use super::access::matches::Matches;
use super::access::pendings::Pendings;
use super::access::policy::Policies;
use super::access::previews::Previews;
use super::access::records::Records;
use super::access::replays::Replays;
use super::access::roles::Roles;
use super::access::rules::Rules;
use super::access::scopes::Scopes;
use super::access::views::Views;
use super::asides::Asides;
use super::closing::works::Closings;
use super::connections::{Connections, works};
use super::credentials::Credentials;
use super::deferred::Deferred;
use super::delivery::deliveries::Deliveries;
use super::delivery::receivers::Receivers;
use super::error::{Error, Result};
use super::fuse::counters::Fuses;
use super::fuse::holds::Holds;
use super::invitations::Invitations;
use super::lifecycle::rehires::Rehires;
use super::lifecycle::rulings::Rulings;
use super::lifecycle::schedules::Schedules;
use super::lifecycle::statuses::Statuses;
use super::lifecycle::tombstones::Tombstones;
use super::log::entries::{Collected, Entries};
use super::log::events::Events;
use super::log::heads::Heads;
use super::mail::Mails;
use super::members::Members;
use super::resources::Resources;
use super::runs::ends::Ends;
use super::runs::enforcers::Enforcers;
use super::runs::list::Runs;
use super::schemas::{Schemas, are_at};
use super::sql::{Db, Tx};
use super::together::Seat;
use super::tokens::Tokens;
use super::tolerances::Tolerances;
use super::undo::list::Undos;
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, TenantId};
use crate::event::{Origin, Record};

/// One tenant and one transaction. Everything is kept by [`Self::save`], or nothing: dropped, it rolls back.
///
/// Run it in a task of its own, so that a client that goes away cannot cut it in half.
pub struct Unit {
    tenant: TenantId,
    tx: Tx,
    collected: Collected,
    /// The connection whose request it carries out.
    sender: Option<ConnectionId>,
    /// How often the schemas were changed that it goes by, where it must not be saved by others.
    schemas: Option<i64>,
    /// Told when everything is on disk.
    kept: Option<Arc<AtomicBool>>,
    /// Where it goes when it is saved, as a part of something that is saved together.
    seat: Option<Box<Seat>>,
}

impl Unit {
    /// Begins one. On SQLite this waits for the writer, so parse, validate and serialise before.
    ///
    /// # Errors
    /// When the database is not available.
    pub async fn begin(db: &Db, tenant: TenantId) -> Result<Self> {
        Ok(Self {
            tenant,
            tx: Tx::begin(db).await?,
            collected: Collected::default(),
            sender: None,
            schemas: None,
            kept: None,
            seat: None,
        })
    }

    /// The same unit, as a part of something: its save gives it back there.
    pub(super) fn seated(mut self, seat: Seat) -> Self {
        self.seat = Some(Box::new(seat));
        self
    }

    /// The same unit, whose entry in the log has this name.
    #[must_use]
    pub fn named(mut self, txn: String) -> Self {
        self.collected.name(txn);
        self
    }

    /// The same unit, which says nothing to the log: to measure what the log costs.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.collected.silence();
        self
    }

    /// The same unit, which is saved only while this connection and the tenant work: a request that was let in before somebody
    /// shut them may take long to arrive. And only as long as its schemas are those that were changed so often.
    #[must_use]
    pub const fn sent_by(mut self, connection: ConnectionId, schemas: i64) -> Self {
        self.sender = Some(connection);
        self.schemas = Some(schemas);
        self
    }

    /// Has it be saved only as long as the schemas are those that were changed so often: what it writes was read by them.
    pub const fn goes_by(&mut self, schemas: i64) {
        self.schemas = Some(schemas);
    }

    /// Has this become true when everything is on disk.
    pub fn tell(&mut self, kept: Arc<AtomicBool>) {
        self.kept = Some(kept);
    }

    /// The name of its entry in the log.
    #[must_use]
    pub fn txn(&self) -> &str {
        self.collected.txn()
    }

    /// Says that something happened. It is written by the save, after everything else.
    pub fn record(&mut self, at: Timestamp, origin: Origin, record: Record) {
        self.collected.add(at, origin, record);
    }

    /// Has everything that was said so far have happened at this instant: that of the end of a unit that waited.
    pub fn stamp(&mut self, at: Timestamp) {
        self.collected.stamp(at);
    }

    /// How much was said to the log so far.
    #[must_use]
    pub const fn said(&self) -> usize {
        self.collected.len()
    }

    /// Has what was said after `then` come, in the log, before what was said between `first` and `then`: who reads on learns
    /// of something before what became of it. Both are of [`Self::said`].
    pub fn say_first(&mut self, first: usize, then: usize) {
        self.collected.bring_forward(first, then);
    }

    /// Resolves when everything is on disk; of a part of something that is saved together, when it is written.
    ///
    /// # Errors
    /// When it is not: then nothing was kept. [`Error::Shut`] when who sent it does not work any more.
    pub async fn save(mut self) -> Result<()> {
        if let Some(seat) = self.seat.take() {
            return Box::pin(seat.leave(self)).await;
        }
        let kept = self.kept.take();
        self.end().await?;
        if let Some(kept) = kept {
            kept.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Has everything written that was kept for later.
    ///
    /// # Errors
    /// When it is refused; the unit is lost then.
    pub(super) async fn settle(&mut self) -> Result<()> {
        self.tx.settle().await
    }

    async fn end(mut self) -> Result<()> {
        self.tx.last(self.collected.into_statements(self.tenant)?);
        let (tenant, sender, schemas) = (self.tenant, self.sender, self.schemas);
        // Last of all, when the policy is shared: whoever shuts the tenant or changes its schemas holds that, and who shuts the
        // connection waits here.
        match (sender, schemas) {
            (Some(sender), schemas) => self.tx.later(works(tenant, sender, schemas.unwrap_or_default())),
            (None, Some(schemas)) => self.tx.later(are_at(tenant, schemas)),
            (None, None) => return self.tx.save().await,
        }
        let db = self.tx.db();
        let saved = self.tx.save().await;
        if !matches!(saved, Err(Error::Stale)) {
            return saved;
        }
        // Why: nothing of it may be told as a change of what the request is about.
        if let Some(sender) = sender
            && !Connections::new(tenant, &db).works(sender).await?
        {
            return Err(Error::Shut);
        }
        let now = Schemas::new(tenant, &db).version().await?;
        Err(if schemas.is_some_and(|schemas| schemas != now) {
            Error::Retry
        } else {
            Error::Stale
        })
    }

    /// Drops the writes, and resolves when what the unit may have read is on disk. A refusal, or an answer that
    /// nothing had to change, rests on what was read, so it must wait for this.
    ///
    /// # Errors
    /// When what was read did not get to disk.
    pub async fn dismiss(self) -> Result<()> {
        self.tx.dismiss().await
    }

    /// Users and groups.
    pub fn resources(&mut self) -> Resources<&mut Tx> {
        Resources::new(self.tenant, &mut self.tx)
    }

    /// Members of groups.
    pub fn members(&mut self) -> Members<&mut Tx> {
        Members::new(self.tenant, &mut self.tx)
    }

    /// Password hashes.
    pub fn credentials(&mut self) -> Credentials<&mut Tx> {
        Credentials::new(self.tenant, &mut self.tx)
    }

    /// What clients said of extensions that no schema declares.
    pub fn asides(&mut self) -> Asides<&mut Tx> {
        Asides::new(self.tenant, &mut self.tx)
    }

    /// What happened, numbered.
    pub fn events(&mut self) -> Events<&mut Tx> {
        Events::new(self.tenant, &mut self.tx)
    }

    /// What happened and has no number yet.
    pub fn entries(&mut self) -> Entries<&mut Tx> {
        Entries::new(self.tenant, &mut self.tx)
    }

    /// The end of the log.
    pub fn heads(&mut self) -> Heads<&mut Tx> {
        Heads::new(self.tenant, &mut self.tx)
    }

    /// What may have ended accounts.
    pub fn ends(&mut self) -> Ends<&mut Tx> {
        Ends::new(self.tenant, &mut self.tx)
    }

    /// Who has to end what a person has open.
    pub fn enforcers(&mut self) -> Enforcers<&mut Tx> {
        Enforcers::new(self.tenant, &mut self.tx)
    }

    /// Offboarding runs.
    pub fn runs(&mut self) -> Runs<&mut Tx> {
        Runs::new(self.tenant, &mut self.tx)
    }

    /// What is suspended or deleted as a whole.
    pub fn closings(&mut self) -> Closings<&mut Tx> {
        Closings::new(self.tenant, &mut self.tx)
    }

    /// Clients of the tenant.
    pub fn connections(&mut self) -> Connections<&mut Tx> {
        Connections::new(self.tenant, &mut self.tx)
    }

    /// Bearer tokens.
    pub fn tokens(&mut self) -> Tokens<&mut Tx> {
        Tokens::new(self.tenant, &mut self.tx)
    }

    /// Tolerance counters.
    pub fn tolerances(&mut self) -> Tolerances<&mut Tx> {
        Tolerances::new(self.tenant, &mut self.tx)
    }

    /// What all decisions share, and its version.
    pub fn policy(&mut self) -> Policies<&mut Tx> {
        Policies::new(self.tenant, &mut self.tx)
    }

    /// Custom roles.
    pub fn roles(&mut self) -> Roles<&mut Tx> {
        Roles::new(self.tenant, &mut self.tx)
    }

    /// Territories, programs, record groups.
    pub fn scopes(&mut self) -> Scopes<&mut Tx> {
        Scopes::new(self.tenant, &mut self.tx)
    }

    /// Records in scopes.
    pub fn records(&mut self) -> Records<&mut Tx> {
        Records::new(self.tenant, &mut self.tx)
    }

    /// Roles given to users and groups.
    pub fn grants(&mut self) -> Grants<&mut Tx> {
        Grants::new(self.tenant, &mut self.tx)
    }

    /// Rules and their versions.
    pub fn rules(&mut self) -> Rules<&mut Tx> {
        Rules::new(self.tenant, &mut self.tx)
    }

    /// Which conditions of rules hold for whom.
    pub fn matches(&mut self) -> Matches<&mut Tx> {
        Matches::new(self.tenant, &mut self.tx)
    }

    /// Users by the names they sign in with.
    pub fn accounts(&mut self) -> Accounts<&mut Tx> {
        Accounts::new(self.tenant, &mut self.tx)
    }

    /// What decisions read of users.
    pub fn facts(&mut self) -> FactSheets<&mut Tx> {
        FactSheets::new(self.tenant, &mut self.tx)
    }

    /// Who has to do with what.
    pub fn views(&mut self) -> Views<&mut Tx> {
        Views::new(self.tenant, &mut self.tx)
    }

    /// What changes would come to.
    pub fn previews(&mut self) -> Previews<&mut Tx> {
        Previews::new(self.tenant, &mut self.tx)
    }

    /// What is planned for people.
    pub fn schedules(&mut self) -> Schedules<&mut Tx> {
        Schedules::new(self.tenant, &mut self.tx)
    }

    /// What holds people.
    pub fn statuses(&mut self) -> Statuses<&mut Tx> {
        Statuses::new(self.tenant, &mut self.tx)
    }

    /// What was deleted.
    pub fn tombstones(&mut self) -> Tombstones<&mut Tx> {
        Tombstones::new(self.tenant, &mut self.tx)
    }

    /// Who is new and may be somebody who was deleted.
    pub fn rehires(&mut self) -> Rehires<&mut Tx> {
        Rehires::new(self.tenant, &mut self.tx)
    }

    /// Rules of status on their way to everybody.
    pub fn rulings(&mut self) -> Rulings<&mut Tx> {
        Rulings::new(self.tenant, &mut self.tx)
    }

    /// Requests that wait.
    pub fn pendings(&mut self) -> Pendings<&mut Tx> {
        Pendings::new(self.tenant, &mut self.tx)
    }

    /// Mail to users.
    pub fn mails(&mut self) -> Mails<&mut Tx> {
        Mails::new(self.tenant, &mut self.tx)
    }

    /// What connections have taken away.
    pub fn fuses(&mut self) -> Fuses<&mut Tx> {
        Fuses::new(self.tenant, &mut self.tx)
    }

    /// What is held beyond a budget.
    pub fn holds(&mut self) -> Holds<&mut Tx> {
        Holds::new(self.tenant, &mut self.tx)
    }

    /// Who was asked to come.
    pub fn invitations(&mut self) -> Invitations<&mut Tx> {
        Invitations::new(self.tenant, &mut self.tx)
    }

    /// What is taken back.
    pub fn undos(&mut self) -> Undos<&mut Tx> {
        Undos::new(self.tenant, &mut self.tx)
    }

    /// Schemas and resource types of the tenant.
    pub fn schemas(&mut self) -> Schemas<&mut Tx> {
        Schemas::new(self.tenant, &mut self.tx)
    }

    /// Requests that their clients do not wait for.
    pub fn deferred(&mut self) -> Deferred<&mut Tx> {
        Deferred::new(self.tenant, &mut self.tx)
    }

    /// Answers for requests that come again.
    pub fn replays(&mut self) -> Replays<&mut Tx> {
        Replays::new(self.tenant, &mut self.tx)
    }

    /// Who is told of what happens.
    pub fn receivers(&mut self) -> Receivers<&mut Tx> {
        Receivers::new(self.tenant, &mut self.tx)
    }

    /// What did not get through to them.
    pub fn deliveries(&mut self) -> Deliveries<&mut Tx> {
        Deliveries::new(self.tenant, &mut self.tx)
    }
}
