//! Everything a user has, and why.

use std::collections::BTreeSet;

use super::decide::may_ask;
use super::names::{self, Named, Place};
use super::pending::{self, Pending};
use super::policy::{self, Book};
use crate::access::lifecycle::Status;
use crate::access::permission::Permissions;
use crate::access::{
    self, Assignment as Held, Assignments, Entry as In, Facts, Level, Path, Provenance, Reach, Restriction, Target,
    evaluate,
};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, RuleKey, ScopeKey};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::access::views::Person;

/// Everything a user has.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// Id and display name.
    pub user: Named,
    /// What they sign in with.
    pub user_name: String,
    /// What they are: who is not active has nothing.
    pub status: Status,
    /// Version of the policy.
    pub policy_version: i64,
    /// What they have, each with everything that gives it.
    pub assignments: Vec<Assignment>,
    /// What they may do in the organisation as a whole: keys in the order of the catalogue.
    pub permissions: Vec<String>,
    /// What all of it comes to on each scope that is named in it; `all` first.
    pub scopes: Vec<OnScope>,
    /// What waits for a decision about them, at most 20, oldest first; without the requests.
    pub pending: Vec<Pending>,
}

/// What a user may do on one scope, wherever they have it from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnScope {
    /// The scope, or everywhere.
    pub place: Place,
    /// Keys of scope-level permissions, in the order of the catalogue. What is held with a restriction counts on
    /// records alone.
    pub permissions: Vec<String>,
}

/// A role somewhere, or the bare membership of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The role; none for the bare membership of a scope.
    pub role: Option<Named>,
    /// Where.
    pub place: Place,
    /// Which records it is narrowed to.
    pub restrict: Restriction,
    /// Id of the user who has it, where it is seen by their manager: to look only.
    pub report: Option<String>,
    /// What it gives there, keys in the order of the catalogue: organisation-level ones count on *All* alone.
    pub permissions: Vec<String>,
    /// In which ways it is held; each once.
    pub via: Vec<Via>,
    /// Everything that gives it; not empty.
    pub why: Vec<Why>,
}

/// A way in which something is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// By a grant of the user's own.
    Direct,
    /// By a grant of a group.
    Group,
    /// By a rule.
    Rule,
    /// On what the scope lies in, or everywhere.
    Inherited,
}

impl Via {
    /// Every one of them.
    pub const ALL: [Self; 4] = [Self::Direct, Self::Group, Self::Rule, Self::Inherited];

    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group => "group",
            Self::Rule => "rule",
            Self::Inherited => "inherited",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|via| via.as_str() == text)
    }

    fn of(why: &Provenance) -> Self {
        match why {
            Provenance::Grant { through, .. } if through.0.is_empty() => Self::Direct,
            Provenance::Grant { .. } => Self::Group,
            Provenance::Rule { .. } => Self::Rule,
        }
    }
}

/// What gives an assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A grant.
    Grant {
        /// Its id.
        id: String,
        /// How it came to be.
        origin: &'static str,
        /// How the user is in the group that holds it; empty for their own.
        through: Vec<Step>,
    },
    /// A rule whose condition holds.
    Rule {
        /// The rule.
        rule: Named,
        /// Which version of it.
        version: i64,
        /// How the user is in the groups that its condition asks for.
        through: Vec<Vec<Step>>,
    },
}

/// One group on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The group.
    pub group: Named,
    /// How one comes to be in it.
    pub entry: Entry,
}

/// How a user, or the group before, is in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// As a member.
    Member,
    /// Because the rule says so.
    Rule(Named),
    /// Because the group before is nested in it.
    Nested,
}

/// Everything the user of this id has, now.
///
/// # Errors
/// `Forbidden` for a user that asks about another without seeing users, `NotFound`.
pub async fn access_of_user(services: &Services, caller: &Caller, id: &str) -> Result<Access> {
    may_ask(services, caller, [id]).await?;
    let (row, book) = policy::paths(services, caller, &ResourceId::new(id)).await?;
    let people = services.read(caller).views().people(&[row.facts.user]).await?;
    let person = people.into_iter().next().ok_or(Error::NotFound)?;
    let now = services.clock().now();
    let pending = pending::about(services, caller, row.facts.user).await?;
    Ok(Access {
        pending,
        ..shown(&book, &row.facts, person, now)
    })
}

/// What a user has, in words of the wire; nothing of what waits.
pub(in crate::service) fn shown(book: &Book, facts: &Facts, person: Person, now: Timestamp) -> Access {
    let assignments = evaluate(facts, &book.rulebook, now);
    let organisation = access::permissions(facts, &book.rulebook, now, &Target::Organisation);
    Access {
        user: Named {
            id: person.id.into_string(),
            name: person.name,
        },
        user_name: person.user_name,
        scopes: on_scopes(book, facts, &assignments, now),
        status: person.status.as_read(facts.active),
        policy_version: book.rulebook.version(),
        permissions: book.keys(organisation),
        assignments: assigned(book, facts, &assignments),
        pending: Vec::new(),
    }
}

fn assigned(book: &Book, facts: &Facts, assignments: &Assignments) -> Vec<Assignment> {
    assignments.iter().map(|held| assignment(book, facts, held)).collect()
}

/// What everything together comes to on each scope that is named.
fn on_scopes(book: &Book, facts: &Facts, assignments: &Assignments, now: Timestamp) -> Vec<OnScope> {
    let of_organisation = book.rulebook.catalogue().of_level(Level::Organisation);
    let named: BTreeSet<Option<ScopeKey>> = assignments
        .iter()
        .filter_map(|held| match held.reach {
            Reach::All => Some(None),
            Reach::Scope(scope) => Some(Some(scope)),
            Reach::Record(_) => None,
        })
        .collect();
    let on = |scope: Option<ScopeKey>| {
        let target = scope.map_or(Target::Organisation, Target::Scope);
        let all = access::permissions(facts, &book.rulebook, now, &target);
        OnScope {
            place: scope.map_or(Place::All, |scope| Place::Scope(names::scope(book, scope))),
            permissions: book.keys(all - of_organisation),
        }
    };
    named.into_iter().map(on).collect()
}

/// What a role gives at a place.
fn given(book: &Book, held: &Held) -> Permissions {
    let Some(role) = held.role else {
        return Permissions::NONE;
    };
    let all = book.rulebook.permissions(role);
    if held.reach == Reach::All && held.restriction.is_empty() {
        all
    } else {
        all - book.rulebook.catalogue().of_level(Level::Organisation)
    }
}

/// One assignment in words of the wire.
pub(super) fn assignment(book: &Book, facts: &Facts, held: &Held) -> Assignment {
    let report = held.report;
    let report = report.and_then(|report| facts.reports.iter().find(|one| one.user == report));
    // What gives it is the report's, and so are the groups on the way.
    let facts = report.unwrap_or(facts);
    Assignment {
        report: report.map(|report| report.id.clone()),
        role: held.role.map(|role| names::role(book, role)),
        place: names::place(book, &held.reach),
        restrict: held.restriction.clone(),
        permissions: book.keys(if report.is_some() {
            given(book, held) & book.rulebook.viewing()
        } else {
            given(book, held)
        }),
        via: held
            .why
            .iter()
            .map(Via::of)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        why: held.why.iter().map(|why| said(book, facts, why)).collect(),
    }
}

fn said(book: &Book, facts: &Facts, why: &Provenance) -> Why {
    match why {
        Provenance::Grant { grant, through } => {
            let known = book.rulebook.grant_of(facts, *grant);
            Why::Grant {
                id: known.map_or_else(|| grant.to_string(), |grant| grant.id.clone()),
                origin: known.map_or("manual", |grant| grant.origin.as_str()),
                through: steps(book, facts, through),
            }
        }
        Provenance::Rule { rule, version, through } => Why::Rule {
            rule: rule_named(book, *rule),
            version: *version,
            through: through.iter().map(|path| steps(book, facts, path)).collect(),
        },
    }
}

fn rule_named(book: &Book, key: RuleKey) -> Named {
    let known = book.rulebook.rule(key);
    Named {
        id: known.map_or_else(|| key.to_string(), |rule| rule.id.clone()),
        name: known.map_or_else(|| key.to_string(), |rule| rule.name.clone()),
    }
}

fn steps(book: &Book, facts: &Facts, path: &Path) -> Vec<Step> {
    let step = |step: &access::GroupStep| Step {
        group: group(book, facts, step.group),
        entry: match step.entry {
            In::Direct => Entry::Member,
            In::Rule { rule, .. } => Entry::Rule(rule_named(book, rule)),
            In::Nested => Entry::Nested,
        },
    };
    path.0.iter().map(step).collect()
}

fn group(book: &Book, facts: &Facts, pk: Pk) -> Named {
    let own = facts.groups.iter().find(|group| group.pk == pk);
    let own = own.map(|group| (&group.id, &group.display));
    let known = || book.rulebook.group(pk).map(|group| (&group.id, &group.display));
    let (id, name) = own.or_else(known).map_or_else(
        || (pk.to_string(), pk.to_string()),
        |(id, name)| (id.clone(), name.clone()),
    );
    Named { id, name }
}
