//! Smart groups as provisioning shows them. Their members are worked out at every read, by the same rules and at the
//! same instant as a decision: so what ends with a rule, its validity or a profile has ended here, too.
//!
//! The groups of a user come from the engine. The members of a group, and filters over them, come from the database: of
//! a rule that asks the profile alone, whoever has a match is a member; of one that reads groups, whoever its condition
//! finds, which is a filter like any other.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

mod needed;

use super::policy::{self, Book};
use crate::access::rule::GroupsRead;
use crate::access::{Facts, Rule, Standing};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId};
use crate::scim::filter::{Checked, check};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::access::facts::Detail;
use crate::store::document::{GroupOf, Stored};
use crate::store::members::ByRule;
use crate::store::{self, Kind, Unit};

/// Reads before a policy that changes all the time is given up on.
pub(in crate::service) const MAX_READS: u32 = 5;

/// Which members rules give, and the policy that says so.
pub(in crate::service) struct Given {
    pub(in crate::service) by_rule: ByRule,
    book: Arc<Book>,
}

/// What rules give where they give nothing.
static NOBODY: ByRule = ByRule::NONE;

impl Given {
    /// The members; nobody where there is nothing.
    pub(in crate::service) fn members(given: Option<&Self>) -> &ByRule {
        given.map_or(&NOBODY, |given| &given.by_rule)
    }

    /// Of the smart groups that can matter to a filter; of none when the filter does not ask.
    pub(in crate::service) async fn for_filter(
        services: &Services,
        caller: &Caller,
        filter: Option<&Checked>,
    ) -> Result<Option<Self>> {
        let asked = filter.map(needed::asked).unwrap_or_default();
        if asked == GroupsRead::default() {
            return Ok(None);
        }
        let book = policy::current(services, caller).await?;
        let wanted = needed::wanted(&book.rulebook, &asked);
        Self::of(services, caller, book, &wanted).await
    }

    /// Of those among these groups that are smart, by the policy they were read with.
    pub(in crate::service) async fn for_groups(
        services: &Services,
        caller: &Caller,
        groups: &[(Pk, Option<i64>)],
    ) -> Result<Option<Self>> {
        let Some(version) = groups.iter().filter_map(|(_, version)| *version).max() else {
            return Ok(None);
        };
        let book = policy::at(services, caller, version).await?;
        let smart = groups.iter().map(|(group, _)| *group);
        let smart: HashSet<Pk> = smart.filter(|group| book.rulebook.is_smart(*group)).collect();
        if smart.is_empty() {
            return Ok(None);
        }
        Self::of(services, caller, book, &smart).await
    }

    async fn of(services: &Services, caller: &Caller, book: Arc<Book>, wanted: &HashSet<Pk>) -> Result<Option<Self>> {
        let by_rule = members(services, caller, &book, wanted).await?;
        Ok((!by_rule.is_empty()).then_some(Self { by_rule, book }))
    }

    /// Whether the policy has stayed the same until now: else what was read by it is to be read again.
    pub(in crate::service) async fn still_holds(&self, services: &Services, caller: &Caller) -> Result<bool> {
        let now = services.read(caller).policy().version().await?;
        Ok(now == self.book.rulebook.version())
    }
}

/// The members that rules give to these groups.
async fn members(services: &Services, caller: &Caller, book: &Book, wanted: &HashSet<Pk>) -> Result<ByRule> {
    let now = services.clock().now();
    let (rules, smart) = (book.rulebook.rules(), book.rulebook.smart_groups());
    let mut by_rule = ByRule::default();
    for smart in needed::with_what_they_read(&book.rulebook, wanted)
        .into_iter()
        .map(|at| &smart[at])
    {
        for rule in smart.rules.iter().map(|number| &rules[*number]) {
            if rule.validity.contains(now) {
                fill(services, caller, book, (smart.group, rule), &mut by_rule).await?;
            }
        }
    }
    Ok(by_rule.of(wanted))
}

/// Adds what one rule gives. A statement for each rule that reads groups: it may read what the one before it filled.
async fn fill(
    services: &Services,
    caller: &Caller,
    book: &Book,
    (group, rule): (Pk, &Rule),
    by_rule: &mut ByRule,
) -> Result<()> {
    if rule.when.reads_groups() {
        let filter = check(rule.when.filter(), &[caller.user_type()?])?;
        let users = services.read(caller).queries().users_who(&filter, by_rule).await?;
        by_rule.these(group, users);
    } else if let Some(version) = book.matched(rule.key) {
        by_rule.whoever_matches(group, (rule.key, version));
    }
    Ok(())
}

/// Gives users that were read with their stored memberships all their groups.
pub(in crate::service) async fn complete(services: &Services, caller: &Caller, rows: &mut [Stored]) -> Result<()> {
    let users = || rows.iter().filter(|row| row.kind == Kind::User);
    let Some(version) = users().filter_map(|row| row.policy_version).max() else {
        return Ok(());
    };
    let pks: Vec<Pk> = users().map(|row| row.pk).collect();
    let mut book = policy::at(services, caller, version).await?;
    for _ in 0..MAX_READS {
        if !book.has_smart_groups() {
            return Ok(());
        }
        let read = services.read(caller).facts().of(&pks, Detail::Decision).await?;
        let Some(version) = read.first().map(|row| row.policy_version) else {
            return Ok(());
        };
        if version == book.rulebook.version() {
            let now = services.clock().now();
            let found = read.iter().map(|row| (row.facts.user, groups(&row.facts, &book, now)));
            let mut found: HashMap<Pk, Vec<GroupOf>> = found.collect();
            for row in rows.iter_mut() {
                if let Some(groups) = found.remove(&row.pk) {
                    row.groups = groups;
                }
            }
            return Ok(());
        }
        book = policy::at(services, caller, version).await?;
    }
    Err(Error::Busy)
}

/// All groups of a user as the unit sees them; `None` when there are no smart ones, so that the stored ones are all.
pub(in crate::service) async fn in_unit(
    unit: &mut Unit,
    book: &Book,
    user: Pk,
    now: Timestamp,
) -> store::Result<Option<Vec<GroupOf>>> {
    if !book.has_smart_groups() {
        return Ok(None);
    }
    let read = unit.facts().of(&[user], Detail::Decision).await?;
    Ok(read.first().map(|row| groups(&row.facts, book, now)))
}

/// All groups of a user, in order of creation.
pub(in crate::service) fn groups(facts: &Facts, book: &Book, now: Timestamp) -> Vec<GroupOf> {
    let standing = Standing::of(facts, &book.rulebook, now);
    let group = |member: &crate::access::Member<'_>| GroupOf {
        id: ResourceId::new(member.id()),
        display: member.display().to_owned(),
        direct: member.is_direct(),
    };
    standing.groups().iter().map(group).collect()
}
