//! What all users shared.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::fold;
use super::gap::Gap;
use super::group::GroupPast;
use super::numbers::Numbers;
use super::told::Told;
use crate::access::RecordRef;
use crate::access::role::FIRST_CUSTOM_ROLE;
use crate::base::id::{Pk, RoleKey, RuleKey, ScopeKey};
use crate::event::image::{GrantImage, RoleImage, RuleImage, ScopeImage};
use crate::event::{Changes, Seq};

/// Roles, scopes, rules, grants of groups, groups and settings at a position.
#[derive(Debug, Clone)]
pub struct PolicyPast {
    pub(super) roles: BTreeMap<RoleKey, (String, RoleImage)>,
    pub(super) scopes: BTreeMap<ScopeKey, (String, ScopeImage)>,
    /// The version that is in force, or was last.
    pub(super) rules: BTreeMap<RuleKey, (String, RuleImage)>,
    /// With the group that holds each.
    pub(super) grants: BTreeMap<Seq, (Pk, GrantImage)>,
    groups: BTreeMap<Pk, GroupPast>,
    by_id: BTreeMap<String, Pk>,
    managers_see_reports: bool,
    closed: bool,
    record: Option<RecordRef>,
    located: BTreeSet<ScopeKey>,
    pub(super) role_numbers: Numbers,
    pub(super) scope_numbers: Numbers,
    rule_numbers: Numbers,
    /// Where each grant was given first.
    given: HashMap<String, Seq>,
    last: Seq,
    gaps: Vec<Gap>,
}

impl PolicyPast {
    /// Before anything happened. Of records only this one is looked at.
    #[must_use]
    pub fn begin(record: Option<RecordRef>) -> Self {
        Self {
            roles: BTreeMap::new(),
            scopes: BTreeMap::new(),
            rules: BTreeMap::new(),
            grants: BTreeMap::new(),
            groups: BTreeMap::new(),
            by_id: BTreeMap::new(),
            managers_see_reports: false,
            closed: false,
            record,
            located: BTreeSet::new(),
            role_numbers: Numbers::from(FIRST_CUSTOM_ROLE.0),
            scope_numbers: Numbers::from(1),
            rule_numbers: Numbers::from(1),
            given: HashMap::new(),
            last: Seq(0),
            gaps: Vec::new(),
        }
    }

    /// Goes on by one event; those of other kinds change nothing.
    pub fn tell(&mut self, told: &Told<'_>) {
        self.last = told.seq;
        let understood = match told.kind.split_once('.') {
            Some(("role", what)) => self.role(what, told),
            Some(("scope", what)) => self.scope(what, told),
            Some(("rule", what)) => self.rule(what, told),
            Some(("records", what)) => self.records(what, told),
            Some(("group", what)) => self.tell_group(what, told),
            Some(("grant", what)) if !told.of_user => self.grant(what, told),
            Some(("settings", _)) => self.settings(told),
            // It may have been anything.
            Some(("log", "unreadable")) => None,
            Some(("tenant", what)) => {
                self.tenant(what);
                Some(())
            }
            _ => Some(()),
        };
        if understood.is_none() {
            self.gaps.push(fold::gap(told));
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn last(&self) -> Seq {
        self.last
    }

    /// What could not be understood.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// A group, there or not.
    #[must_use]
    pub fn group(&self, pk: Pk) -> Option<&GroupPast> {
        self.groups.get(&pk)
    }

    /// Every group there was.
    pub fn groups(&self) -> impl Iterator<Item = &GroupPast> {
        self.groups.values()
    }

    /// The group of an id.
    pub(super) fn group_of(&self, id: &str) -> Option<Pk> {
        self.by_id.get(id).copied()
    }

    /// The scope of an id that was there.
    #[must_use]
    pub fn scope_of(&self, id: &str) -> Option<ScopeKey> {
        let key = ScopeKey(self.scope_numbers.get(id)?);
        self.scopes.contains_key(&key).then_some(key)
    }

    /// The scopes of the record that is looked at.
    pub fn located(&self) -> impl Iterator<Item = ScopeKey> {
        self.located.iter().copied()
    }

    /// Whether managers saw what those see who report to them.
    #[must_use]
    pub const fn managers_see_reports(&self) -> bool {
        self.managers_see_reports
    }

    /// Whether the organisation was suspended or deleted.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    fn role(&mut self, what: &str, told: &Told<'_>) -> Option<()> {
        let key = RoleKey(self.role_numbers.of(told.id));
        match what {
            "created" | "updated" => {
                self.roles.insert(key, (told.id.to_owned(), told.read("after")?));
            }
            "deleted" => drop(self.roles.remove(&key)?),
            _ => {}
        }
        Some(())
    }

    fn scope(&mut self, what: &str, told: &Told<'_>) -> Option<()> {
        let key = ScopeKey(self.scope_numbers.of(told.id));
        match what {
            "created" | "updated" => {
                self.scopes.insert(key, (told.id.to_owned(), told.read("after")?));
            }
            "deleted" => {
                self.located.remove(&key);
                self.scopes.remove(&key)?;
            }
            _ => {}
        }
        Some(())
    }

    /// A version that is being prepared does not count, and what was in force before it goes on.
    fn rule(&mut self, what: &str, told: &Told<'_>) -> Option<()> {
        let key = RuleKey(self.rule_numbers.of(told.id));
        match what {
            "created" | "updated" | "activated" | "retired" => {
                let image: RuleImage = told.whole()?;
                if image.state != RuleImage::PREPARING {
                    self.rules.insert(key, (told.id.to_owned(), image));
                }
            }
            "deleted" => drop(self.rules.remove(&key)),
            _ => {}
        }
        Some(())
    }

    fn records(&mut self, what: &str, told: &Told<'_>) -> Option<()> {
        let Some(record) = self.record.as_ref().map(RecordRef::to_string) else {
            return Some(());
        };
        let moved: Vec<String> = told.read("records")?;
        if moved.contains(&record) {
            let key = ScopeKey(self.scope_numbers.of(told.id));
            match what {
                "added" => drop(self.located.insert(key)),
                _ => drop(self.located.remove(&key)),
            }
        }
        Some(())
    }

    fn tell_group(&mut self, what: &str, told: &Told<'_>) -> Option<()> {
        let pk = told.pk?;
        if what == "restored" && told.says("into") {
            return Some(());
        }
        self.by_id.insert(told.id.to_owned(), pk);
        let group = self.groups.entry(pk).or_insert_with(|| GroupPast {
            pk,
            id: told.id.to_owned(),
            name: String::new(),
            there: false,
            emptied: Seq(0),
        });
        if what == "deleted" {
            group.there = false;
            group.emptied = told.seq;
            return Some(());
        }
        group.there = true;
        let after = Changes::read(&told.data).ok()?;
        if let Some(change) = after.iter().find(|change| change.path == "displayName") {
            change.after.as_ref()?.as_str()?.clone_into(&mut group.name);
        }
        Some(())
    }

    fn grant(&mut self, what: &str, told: &Told<'_>) -> Option<()> {
        let holder = told.pk?;
        let grant: String = told.read("grant")?;
        let first = *self.given.entry(grant).or_insert(told.seq);
        match what {
            "deleted" => drop(self.grants.remove(&first)?),
            _ => drop(self.grants.insert(first, (holder, told.whole()?))),
        }
        Some(())
    }

    /// Who restores an organisation that was deleted has it suspended first.
    fn tenant(&mut self, what: &str) {
        match what {
            "suspended" | "deleted" | "restored" => self.closed = true,
            "resumed" => self.closed = false,
            _ => {}
        }
    }

    fn settings(&mut self, told: &Told<'_>) -> Option<()> {
        let after: Value = told.read("after")?;
        self.managers_see_reports = after.get("managers_see_reports")?.as_bool()?;
        Some(())
    }
}
