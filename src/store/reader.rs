//! Reads of one tenant without a transaction.

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
use super::asides::Asides;
use super::closing::works::Closings;
use super::connections::Connections;
use super::credentials::Credentials;
use super::deferred::Deferred;
use super::delivery::deliveries::Deliveries;
use super::delivery::receivers::Receivers;
use super::fuse::counters::Fuses;
use super::fuse::holds::Holds;
use super::invitations::Invitations;
use super::lifecycle::rehires::Rehires;
use super::lifecycle::rulings::Rulings;
use super::lifecycle::schedules::Schedules;
use super::lifecycle::statuses::Statuses;
use super::lifecycle::tombstones::Tombstones;
use super::log::checkpoints::Checkpoints;
use super::log::entries::Entries;
use super::log::events::Events;
use super::log::heads::Heads;
use super::members::Members;
use super::query::Queries;
use super::resources::Resources;
use super::runs::ends::Ends;
use super::runs::enforcers::Enforcers;
use super::runs::hooks::Hooks;
use super::runs::list::Runs;
use super::schemas::Schemas;
use super::sql::Db;
use super::tokens::Tokens;
use super::tolerances::Tolerances;
use super::undo::list::Undos;
use crate::base::id::TenantId;

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

    /// What clients said of extensions that no schema declares.
    #[must_use]
    pub fn asides(&self) -> Asides<&Db> {
        Asides::new(self.tenant, &self.db)
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

    /// Schemas and resource types of the tenant.
    #[must_use]
    pub fn schemas(&self) -> Schemas<&Db> {
        Schemas::new(self.tenant, &self.db)
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
