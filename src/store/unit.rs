//! The unit of work: one tenant, one transaction. And reads of one tenant without a transaction.
//!
//! LENGTH: a few lines for each repository, twice: whoever adds one sees both places in one file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::access::accounts::Accounts;
use super::access::causes::Causes;
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
use super::log::checkpoints::Checkpoints;
use super::log::entries::{Collected, Entries};
use super::log::events::Events;
use super::log::heads::Heads;
use super::mail::Mails;
use super::members::Members;
use super::query::Queries;
use super::resources::Resources;
use super::runs::ends::Ends;
use super::runs::enforcers::Enforcers;
use super::runs::hooks::Hooks;
use super::runs::list::Runs;
use super::sql::{Db, Tx};
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
    /// Told when everything is on disk.
    kept: Option<Arc<AtomicBool>>,
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
            kept: None,
        })
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
    /// shut them may take long to arrive.
    #[must_use]
    pub const fn sent_by(mut self, connection: ConnectionId) -> Self {
        self.sender = Some(connection);
        self
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

    /// Resolves when everything is on disk.
    ///
    /// # Errors
    /// When it is not: then nothing was kept. [`Error::Shut`] when who sent it does not work any more.
    pub async fn save(mut self) -> Result<()> {
        let kept = self.kept.take();
        self.end().await?;
        if let Some(kept) = kept {
            kept.store(true, Ordering::Release);
        }
        Ok(())
    }

    async fn end(mut self) -> Result<()> {
        self.tx.last(self.collected.into_statements(self.tenant)?);
        let Some(sender) = self.sender else {
            return self.tx.save().await;
        };
        // Last of all, when the policy is shared: whoever shuts the tenant holds that, and who shuts the connection waits here.
        self.tx.later(works(self.tenant, sender));
        let db = self.tx.db();
        match self.tx.save().await {
            Err(Error::Stale) if !Connections::new(self.tenant, &db).works(sender).await? => Err(Error::Shut),
            saved => saved,
        }
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

/// Reads of one tenant: what is committed when each of them runs.
#[derive(Clone)]
pub struct Reader {
    tenant: TenantId,
    db: Db,
}

impl Reader {
    /// Reads of this tenant.
    #[must_use]
    pub const fn new(db: Db, tenant: TenantId) -> Self {
        Self { tenant, db }
    }

    /// Users and groups.
    #[must_use]
    pub fn resources(&self) -> Resources<&Db> {
        Resources::new(self.tenant, &self.db)
    }

    /// Members of groups.
    #[must_use]
    pub fn members(&self) -> Members<&Db> {
        Members::new(self.tenant, &self.db)
    }

    /// Filtered, sorted pages of resources.
    #[must_use]
    pub fn queries(&self) -> Queries<&Db> {
        Queries::new(self.tenant, &self.db)
    }

    /// Password hashes.
    #[must_use]
    pub fn credentials(&self) -> Credentials<&Db> {
        Credentials::new(self.tenant, &self.db)
    }

    /// What happened, numbered.
    #[must_use]
    pub fn events(&self) -> Events<&Db> {
        Events::new(self.tenant, &self.db)
    }

    /// What happened and has no number yet.
    #[must_use]
    pub fn entries(&self) -> Entries<&Db> {
        Entries::new(self.tenant, &self.db)
    }

    /// Signed places of the log.
    #[must_use]
    pub fn checkpoints(&self) -> Checkpoints<&Db> {
        Checkpoints::new(self.tenant, &self.db)
    }

    /// The end of the log.
    #[must_use]
    pub fn heads(&self) -> Heads<&Db> {
        Heads::new(self.tenant, &self.db)
    }

    /// What may have ended accounts.
    #[must_use]
    pub fn ends(&self) -> Ends<&Db> {
        Ends::new(self.tenant, &self.db)
    }

    /// Who has to end what a person has open.
    #[must_use]
    pub fn enforcers(&self) -> Enforcers<&Db> {
        Enforcers::new(self.tenant, &self.db)
    }

    /// What enforcers are called for.
    #[must_use]
    pub fn hooks(&self) -> Hooks<&Db> {
        Hooks::new(self.tenant, &self.db)
    }

    /// Offboarding runs.
    #[must_use]
    pub fn runs(&self) -> Runs<&Db> {
        Runs::new(self.tenant, &self.db)
    }

    /// Rules of status on their way to everybody.
    #[must_use]
    pub fn rulings(&self) -> Rulings<&Db> {
        Rulings::new(self.tenant, &self.db)
    }

    /// What is suspended or deleted as a whole.
    #[must_use]
    pub fn closings(&self) -> Closings<&Db> {
        Closings::new(self.tenant, &self.db)
    }

    /// Clients of the tenant.
    #[must_use]
    pub fn connections(&self) -> Connections<&Db> {
        Connections::new(self.tenant, &self.db)
    }

    /// Bearer tokens.
    #[must_use]
    pub fn tokens(&self) -> Tokens<&Db> {
        Tokens::new(self.tenant, &self.db)
    }

    /// Tolerance counters.
    #[must_use]
    pub fn tolerances(&self) -> Tolerances<&Db> {
        Tolerances::new(self.tenant, &self.db)
    }

    /// What all decisions share, and its version.
    #[must_use]
    pub fn policy(&self) -> Policies<&Db> {
        Policies::new(self.tenant, &self.db)
    }

    /// Custom roles.
    #[must_use]
    pub fn roles(&self) -> Roles<&Db> {
        Roles::new(self.tenant, &self.db)
    }

    /// Territories, programs, record groups.
    #[must_use]
    pub fn scopes(&self) -> Scopes<&Db> {
        Scopes::new(self.tenant, &self.db)
    }

    /// Records in scopes.
    #[must_use]
    pub fn records(&self) -> Records<&Db> {
        Records::new(self.tenant, &self.db)
    }

    /// Roles given to users and groups.
    #[must_use]
    pub fn grants(&self) -> Grants<&Db> {
        Grants::new(self.tenant, &self.db)
    }

    /// Rules and their versions.
    #[must_use]
    pub fn rules(&self) -> Rules<&Db> {
        Rules::new(self.tenant, &self.db)
    }

    /// Which conditions of rules hold for whom.
    #[must_use]
    pub fn matches(&self) -> Matches<&Db> {
        Matches::new(self.tenant, &self.db)
    }

    /// Users by the names they sign in with.
    #[must_use]
    pub fn accounts(&self) -> Accounts<&Db> {
        Accounts::new(self.tenant, &self.db)
    }

    /// What decisions read of users.
    #[must_use]
    pub fn facts(&self) -> FactSheets<&Db> {
        FactSheets::new(self.tenant, &self.db)
    }

    /// Which requests wrote what.
    #[must_use]
    pub fn causes(&self) -> Causes<&Db> {
        Causes::new(self.tenant, &self.db)
    }

    /// Who has to do with what.
    #[must_use]
    pub fn views(&self) -> Views<&Db> {
        Views::new(self.tenant, &self.db)
    }

    /// What changes would come to.
    #[must_use]
    pub fn previews(&self) -> Previews<&Db> {
        Previews::new(self.tenant, &self.db)
    }

    /// What is planned for people.
    #[must_use]
    pub fn schedules(&self) -> Schedules<&Db> {
        Schedules::new(self.tenant, &self.db)
    }

    /// What holds people.
    #[must_use]
    pub fn statuses(&self) -> Statuses<&Db> {
        Statuses::new(self.tenant, &self.db)
    }

    /// What was deleted.
    #[must_use]
    pub fn tombstones(&self) -> Tombstones<&Db> {
        Tombstones::new(self.tenant, &self.db)
    }

    /// Who is new and may be somebody who was deleted.
    #[must_use]
    pub fn rehires(&self) -> Rehires<&Db> {
        Rehires::new(self.tenant, &self.db)
    }

    /// Requests that wait.
    #[must_use]
    pub fn pendings(&self) -> Pendings<&Db> {
        Pendings::new(self.tenant, &self.db)
    }

    /// What connections have taken away.
    #[must_use]
    pub fn fuses(&self) -> Fuses<&Db> {
        Fuses::new(self.tenant, &self.db)
    }

    /// What is held beyond a budget.
    #[must_use]
    pub fn holds(&self) -> Holds<&Db> {
        Holds::new(self.tenant, &self.db)
    }

    /// Who was asked to come.
    #[must_use]
    pub fn invitations(&self) -> Invitations<&Db> {
        Invitations::new(self.tenant, &self.db)
    }

    /// What is taken back.
    #[must_use]
    pub fn undos(&self) -> Undos<&Db> {
        Undos::new(self.tenant, &self.db)
    }

    /// Requests that their clients do not wait for.
    #[must_use]
    pub fn deferred(&self) -> Deferred<&Db> {
        Deferred::new(self.tenant, &self.db)
    }

    /// Answers for requests that come again.
    #[must_use]
    pub fn replays(&self) -> Replays<&Db> {
        Replays::new(self.tenant, &self.db)
    }

    /// Who is told of what happens.
    #[must_use]
    pub fn receivers(&self) -> Receivers<&Db> {
        Receivers::new(self.tenant, &self.db)
    }

    /// What did not get through to them.
    #[must_use]
    pub fn deliveries(&self) -> Deliveries<&Db> {
        Deliveries::new(self.tenant, &self.db)
    }
}
