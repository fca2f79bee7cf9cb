//! The rules there are, and the words a file is written in.

use std::sync::Arc;

use super::difference::{Deed, Difference};
use crate::access::rule::names::{Found, Named, Names, Wanted, find};
use crate::access::rule::text::{self, Written};
use crate::access::{Condition, Outcome, Reach, ScopeKind, State};
use crate::base::fold::fold;
use crate::base::id::{Pk, RoleKey, RuleKey, ScopeKey};
use crate::service::access::names::ALL;
use crate::service::access::policy::{self, Book};
use crate::service::access::rules::content::OutcomeAsked;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Refusal, Result};
use crate::store::Kind;
use crate::store::access::rules::StoredRule;
use crate::store::query::Query;
use crate::store::resources::Groups;

/// Rules and groups that are read in one statement.
const AT_ONCE: u32 = 500;

/// The rules there are, and what everything is called.
pub(super) struct House {
    book: Arc<Book>,
    rules: Vec<StoredRule>,
    /// Number, id and name of every group.
    groups: Vec<(Pk, String, String)>,
}

impl House {
    pub(super) async fn read(services: &Services, caller: &Caller) -> Result<Self> {
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

    pub(super) fn parse(&self, caller: &Caller, file: &str) -> Result<Vec<Written>> {
        text::read(file, self, caller.user_type()?).map_err(|faults| {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            Error::Invalid(Refusal::new(lines.join("\n")))
        })
    }

    pub(super) fn written(&self, caller: &Caller) -> Result<Vec<Written>> {
        let user = caller.user_type()?;
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

    pub(super) fn stored(&self, name: &str) -> Option<&StoredRule> {
        let name = fold(name);
        self.rules.iter().find(|rule| fold(&rule.name) == name)
    }

    /// What reading the file in would do.
    pub(super) fn compare(&self, caller: &Caller, read: &[Written]) -> Result<Vec<Difference>> {
        let about = |rule: &Written| {
            let stored = self.stored(&rule.name);
            let deed = match stored {
                Some(stored) if stored.preparing.is_some() => Some(Deed::Wait),
                stored => Deed::about(rule, stored),
            };
            deed.map(|deed| Difference {
                name: rule.name.clone(),
                deed,
            })
        };
        let mut differences: Vec<Difference> = read.iter().filter_map(about).collect();
        differences.extend(self.left(caller, read)?);
        Ok(differences)
    }

    /// The rules that are not in the file.
    pub(super) fn left(&self, caller: &Caller, read: &[Written]) -> Result<Vec<Difference>> {
        let is_read = |rule: &Written| read.iter().any(|other| fold(&other.name) == fold(&rule.name));
        let left = self.written(caller)?.into_iter().filter(|rule| !is_read(rule));
        let difference = |rule: Written| Difference {
            name: rule.name,
            deed: Deed::Leave,
        };
        Ok(left.map(difference).collect())
    }

    pub(super) fn asked(&self, outcome: &Outcome) -> OutcomeAsked {
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
