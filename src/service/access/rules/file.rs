//! Rules as a file: written, compared, and read in again, by name.

use std::fmt;
use std::sync::Arc;

use super::change::{change, create};
use super::content::{NewRule, OutcomeAsked, RuleChange, read_examples};
use crate::access::rule::names::{Found, Named, Names, Wanted, find};
use crate::access::rule::text::{self, Written};
use crate::access::{Condition, Outcome, Reach, ScopeKind, State};
use crate::base::fold::fold;
use crate::base::id::{Pk, RoleKey, RuleKey, ScopeKey};
use crate::service::access::authority::{GIVE, VIEW, require};
use crate::service::access::names::ALL;
use crate::service::access::policy::{self, Book};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Refusal, Result};
use crate::store::Kind;
use crate::store::access::rules::StoredRule;
use crate::store::query::Query;
use crate::store::resources::Groups;

/// Rules and groups that are read in one statement.
const AT_ONCE: u32 = 500;

/// What the file makes of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Name of the rule.
    pub name: String,
    /// What is to be done.
    pub deed: Deed,
}

/// What is to be done about a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// It is in the file alone: it is made.
    Make,
    /// It says something else in the file: these parts of it change.
    Change(Vec<&'static str>),
    /// It is not in the file: it stays as it is.
    Leave,
}

/// `+ name`, `~ name: when, state`, `? name`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.deed {
            Deed::Make => write!(f, "+ {}", self.name),
            Deed::Change(parts) => write!(f, "~ {}: {}", self.name, parts.join(", ")),
            Deed::Leave => write!(f, "? {}: not in the file, stays as it is", self.name),
        }
    }
}

/// The file of all rules that are not retired, oldest first.
///
/// # Errors
/// `Forbidden`; a rule whose condition no longer fits the schema.
pub async fn export(services: &Services, caller: &Caller) -> Result<String> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let house = House::read(services, caller).await?;
    let rules = house.written(services)?;
    let user = services.user_type()?;
    text::write(&rules, &house, user).map_err(|fault| Error::Internal(Box::new(fault)))
}

/// What reading a file in would do, in the order of the file.
///
/// # Errors
/// `Forbidden`; `Invalid` with every fault of the file, each with its line and column.
pub async fn diff(services: &Services, caller: &Caller, file: &str) -> Result<Vec<Difference>> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let house = House::read(services, caller).await?;
    let read = house.parse(services, file)?;
    house.compare(services, &read)
}

/// Reads a file in: makes and changes rules one after the other, each whole; gives what it did. Rules that are not in the
/// file stay.
///
/// # Errors
/// As [`diff`], and whatever making or changing a rule is refused for: then those before it are done.
pub async fn import(services: &Services, caller: &Caller, file: &str) -> Result<Vec<Difference>> {
    require(services, caller, &[GIVE]).await?;
    let house = House::read(services, caller).await?;
    let read = house.parse(services, file)?;
    let differences = house.compare(services, &read)?;
    for rule in &read {
        let deed = differences.iter().find(|difference| difference.name == rule.name);
        let then = rule.then.iter().map(|outcome| house.asked(outcome)).collect();
        match (deed.map(|difference| &difference.deed), house.stored(&rule.name)) {
            (Some(Deed::Make), _) => {
                let new = NewRule {
                    name: rule.name.clone(),
                    when: rule.when.text().to_owned(),
                    then,
                    state: rule.state,
                    validity: rule.validity,
                    examples: Vec::new(),
                };
                create(services, caller, &new).await?;
            }
            (Some(Deed::Change(_)), Some(stored)) => {
                let to = RuleChange {
                    name: Some(rule.name.clone()),
                    when: Some(rule.when.text().to_owned()),
                    then: Some(then),
                    state: Some(rule.state),
                    valid_from: Some(rule.validity.from),
                    valid_to: Some(rule.validity.to),
                    examples: Some(read_examples(&stored.examples)),
                    expected: Some(stored.version),
                };
                change(services, caller, &stored.id, &to).await?;
            }
            _ => {}
        }
    }
    Ok(differences)
}

/// The rules there are, and what everything is called.
struct House {
    book: Arc<Book>,
    rules: Vec<StoredRule>,
    /// Number, id and name of every group.
    groups: Vec<(Pk, String, String)>,
}

impl House {
    async fn read(services: &Services, caller: &Caller) -> Result<Self> {
        let reader = services.read(caller);
        let mut rules: Vec<StoredRule> = Vec::new();
        loop {
            let after = rules.last().map_or(RuleKey(0), |rule| rule.key);
            let page = reader.rules().list(None, after, AT_ONCE).await?;
            if page.is_empty() {
                break;
            }
            rules.extend(page);
        }
        let mut groups = Vec::new();
        loop {
            let query = Query {
                kinds: &[Kind::Group],
                filter: None,
                sort: None,
                offset: groups.len() as u64,
                limit: AT_ONCE.into(),
                connection: None,
                groups: Groups::LeftOut,
                by_rule: None,
            };
            let page = reader.queries().list(&query).await?.rows;
            if page.is_empty() {
                break;
            }
            groups.extend(page.into_iter().map(|row| (row.pk, row.id.into_string(), row.label)));
        }
        let book = policy::current(services, caller).await?;
        Ok(Self { book, rules, groups })
    }

    fn parse(&self, services: &Services, file: &str) -> Result<Vec<Written>> {
        text::read(file, self, services.user_type()?).map_err(|faults| {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            Error::Invalid(Refusal::new(lines.join("\n")))
        })
    }

    fn written(&self, services: &Services) -> Result<Vec<Written>> {
        let user = services.user_type()?;
        let kept = self.rules.iter().filter(|rule| rule.state != State::Retired);
        kept.map(|rule| {
            Ok(Written {
                name: rule.name.clone(),
                state: rule.state,
                when: Condition::compile(&rule.when, user)?,
                then: rule.then.clone(),
                validity: rule.validity,
            })
        })
        .collect()
    }

    fn stored(&self, name: &str) -> Option<&StoredRule> {
        let name = fold(name);
        self.rules.iter().find(|rule| fold(&rule.name) == name)
    }

    fn compare(&self, services: &Services, read: &[Written]) -> Result<Vec<Difference>> {
        let mut differences = Vec::new();
        for rule in read {
            let deed = match self.stored(&rule.name) {
                None => Deed::Make,
                Some(stored) => match parts(rule, stored).as_slice() {
                    [] => continue,
                    parts => Deed::Change(parts.to_vec()),
                },
            };
            differences.push(Difference {
                name: rule.name.clone(),
                deed,
            });
        }
        for rule in self.written(services)? {
            if !read.iter().any(|other| fold(&other.name) == fold(&rule.name)) {
                differences.push(Difference {
                    name: rule.name,
                    deed: Deed::Leave,
                });
            }
        }
        Ok(differences)
    }

    fn asked(&self, outcome: &Outcome) -> OutcomeAsked {
        let role = |key| self.role(key).map(|named| named.id.to_owned());
        let scope = |key| self.scope(key).map(|(named, _)| named.id.to_owned());
        match outcome {
            Outcome::Role { role: key, reach } => OutcomeAsked {
                role: role(*key),
                scope: match reach {
                    Reach::All => Some(ALL.to_owned()),
                    Reach::Scope(key) => scope(*key),
                    Reach::Record(_) => None,
                },
                record: match reach {
                    Reach::Record(record) => Some((record.kind.clone(), record.id.clone())),
                    Reach::All | Reach::Scope(_) => None,
                },
                group: None,
            },
            Outcome::Member(key) => OutcomeAsked {
                scope: scope(*key),
                ..OutcomeAsked::default()
            },
            Outcome::Group(pk) => OutcomeAsked {
                group: self.group(*pk).map(|named| named.id.to_owned()),
                ..OutcomeAsked::default()
            },
        }
    }
}

fn parts(rule: &Written, stored: &StoredRule) -> Vec<&'static str> {
    let mut parts = Vec::new();
    for (differs, part) in [
        (rule.name != stored.name, "name"),
        (rule.state != stored.state, "state"),
        (rule.when.text() != stored.when, "when"),
        (rule.then != stored.then, "then"),
        (rule.validity != stored.validity, "validity"),
    ] {
        if differs {
            parts.push(part);
        }
    }
    parts
}

/// Roles and scopes are those of the policy; groups are all there are.
impl Names for House {
    fn role(&self, role: RoleKey) -> Option<Named<'_>> {
        self.book.rulebook.policy().role(role)
    }

    fn scope(&self, scope: ScopeKey) -> Option<(Named<'_>, ScopeKind)> {
        self.book.rulebook.policy().scope(scope)
    }

    fn group(&self, group: Pk) -> Option<Named<'_>> {
        let found = self.groups.iter().find(|(pk, ..)| *pk == group)?;
        Some(Named {
            id: &found.1,
            name: &found.2,
        })
    }

    fn find_role(&self, wanted: Wanted<'_>) -> Found<RoleKey> {
        self.book.rulebook.policy().find_role(wanted)
    }

    fn find_scope(&self, wanted: Wanted<'_>) -> Found<ScopeKey> {
        self.book.rulebook.policy().find_scope(wanted)
    }

    fn find_group(&self, wanted: Wanted<'_>) -> Found<Pk> {
        let all = self.groups.iter().map(|(pk, id, name)| (*pk, Named { id, name }));
        find(all, wanted)
    }
}
