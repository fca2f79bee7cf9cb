//! Whose access may have changed by what happened, as the ledger says it.

use serde::Deserialize;
use std::collections::BTreeSet;

use super::everybody::{Records, Work};
use crate::access::RecordRef;
use crate::base::id::{Pk, ResourceId};
use crate::event::{Entry, Seq};
use crate::service::error::{Error, Result};
use crate::store::log::entries::Written;
use crate::store::log::events::Move;
use crate::store::{Kind, Unit};

/// Events that one unit looks at.
const MOST_EVENTS: usize = 500;
/// Users who are compared in one unit, with everybody else kept from writing: some 100 ms.
const MOST_USERS: usize = 2000;

/// How much of the log is looked at: everything up to a position, and every entry up to a number, whatever position it
/// gets. What waits for its number has none yet, and counts all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    seq: Seq,
    entry: i64,
}

impl Mark {
    /// All that is there. The policy must be held, so that nothing of users is under way.
    pub(super) async fn now(unit: &mut Unit) -> Result<Self> {
        // In this order: what is numbered in between is seen at the end of the log.
        let waiting = unit.entries().last().await?;
        let end = unit.heads().find().await?;
        Ok(Self {
            seq: end.map_or(Seq(0), |end| end.head.seq),
            entry: end.map_or(0, |end| end.entry).max(waiting.unwrap_or(0)),
        })
    }
}

/// Who is to be compared again after some events.
pub(super) struct Touched {
    mark: Mark,
    behind: bool,
    users: BTreeSet<Pk>,
    /// Groups with another name: all users in them.
    groups: BTreeSet<Pk>,
    /// Users and groups that came into groups, or left them; and who was the owner.
    moved: BTreeSet<String>,
    /// Records that lie elsewhere.
    records: BTreeSet<RecordRef>,
}

/// What the particulars of events say, as far as it is needed here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Particulars {
    attributes: Vec<String>,
    members_added: Vec<String>,
    members_removed: Vec<String>,
    records: Vec<String>,
    from: Option<String>,
}

impl Touched {
    /// By what happened after a mark, or the first part of it. The policy must be held, so that no earlier event is
    /// under way.
    ///
    /// # Errors
    /// `Stale` when something happened that does not say whose access it changes.
    pub(super) async fn since(unit: &mut Unit, mark: Mark) -> Result<Self> {
        // In this order: what is numbered in between is seen twice, and nothing is missed.
        let waiting = unit.entries().after(mark.entry, MOST_EVENTS + 1).await?;
        let end = Mark::now(unit).await?;
        let moves = unit.events().moves_since(mark.seq, mark.entry, MOST_EVENTS + 1).await?;
        let mut touched = Self {
            mark,
            behind: moves.len() > MOST_EVENTS,
            users: BTreeSet::new(),
            groups: BTreeSet::new(),
            moved: BTreeSet::new(),
            records: BTreeSet::new(),
        };
        for one in moves.iter().take(MOST_EVENTS) {
            if touched.size() >= MOST_EVENTS {
                touched.behind = true;
                break;
            }
            touched.note(one)?;
            touched.mark.seq = Seq(one.seq);
        }
        if !touched.behind {
            touched.look_at_waiting(waiting, end)?;
        }
        Ok(touched)
    }

    /// What waits for its number is looked at as a whole or not at all: it has no position to go on after.
    fn look_at_waiting(&mut self, waiting: Vec<Written>, end: Mark) -> Result<()> {
        if waiting.len() > MOST_EVENTS {
            self.behind = true;
            return Ok(());
        }
        for written in waiting {
            for one in moves(written)? {
                self.note(&one)?;
            }
        }
        self.mark = end;
        Ok(())
    }

    /// How much is looked at.
    pub(super) fn mark(&self) -> Mark {
        self.mark
    }

    /// Whether more happened than is looked at.
    pub(super) fn is_behind(&self) -> bool {
        self.behind
    }

    fn size(&self) -> usize {
        self.users.len() + self.groups.len() + self.moved.len() + self.records.len()
    }

    fn note(&mut self, one: &Move) -> Result<()> {
        let told: Particulars = serde_json::from_str(&one.data).map_err(|_| Error::Stale)?;
        match (one.kind.as_str(), one.resource) {
            // The grant of a group moves the policy, so there is none here.
            (
                "user.created" | "user.updated" | "user.deleted" | "grant.created" | "grant.updated" | "grant.deleted",
                Some(user),
            ) => {
                self.users.insert(user);
            }
            ("ownership.transferred", Some(user)) => {
                self.users.insert(user);
                self.moved.extend(told.from);
            }
            ("group.created" | "group.updated", Some(group)) => {
                // Of the attributes of a group, rules read this one.
                if told.attributes.iter().any(|name| name == "displayName") {
                    self.groups.insert(group);
                }
                self.moved.extend(told.members_added);
                self.moved.extend(told.members_removed);
            }
            ("records.added" | "records.removed", _) => {
                let records = told.records.iter().map(|record| RecordRef::parse(record));
                self.records
                    .extend(records.collect::<Option<Vec<_>>>().ok_or(Error::Stale)?);
            }
            // What is neither a user nor a group has no access, and is read by no rule. Somebody waits for an administrator.
            (
                "resource.created"
                | "resource.updated"
                | "resource.deleted"
                | "request.parked"
                | "ownership.transfer_needed",
                _,
            ) => {}
            // Who was in a group that is gone is not known any more.
            _ => return Err(Error::Stale),
        }
        Ok(())
    }

    /// The users, each once. Whoever got into a group by a way that is new is below the first group on it that came into
    /// another, and whoever lost a way is still below the first that left: so these are all.
    ///
    /// # Errors
    /// `Stale` when there are too many, or what changed is part of what was compared with all of them.
    pub(super) async fn users(self, unit: &mut Unit, work: &Work, shared: &Records) -> Result<Vec<Pk>> {
        let Self {
            mut users, mut groups, ..
        } = self;
        if !self.moved.is_empty() {
            let ids: Vec<ResourceId> = self.moved.into_iter().map(ResourceId::new).collect();
            // Who is not there any more has an event of its own.
            for (_, pk, kind) in unit.resources().pks(&ids).await? {
                match kind {
                    Kind::User => users.insert(pk),
                    Kind::Group => groups.insert(pk),
                    Kind::Own(_) => false,
                };
            }
        }
        if groups.iter().any(|group| work.knows(*group)) || self.records.iter().any(|one| shared.contains_key(one)) {
            return Err(Error::Stale);
        }
        if !groups.is_empty() {
            let groups: Vec<Pk> = groups.into_iter().collect();
            users.extend(unit.members().users_below(&groups, MOST_USERS + 1).await?);
        }
        if !self.records.is_empty() {
            let records: Vec<RecordRef> = self.records.into_iter().collect();
            users.extend(unit.records().held_by(&records, MOST_USERS + 1).await?);
        }
        if users.len() > MOST_USERS {
            return Err(Error::Stale);
        }
        Ok(users.into_iter().collect())
    }
}

/// What an entry says of users, groups and records.
fn moves(written: Written) -> Result<Vec<Move>> {
    let Written {
        at, txn, head, records, ..
    } = written;
    let entry = Entry::read(at, txn, &head, &records).map_err(|_| Error::Stale)?;
    let moves = entry.records.into_iter().map(|record| Move {
        seq: 0,
        resource: record.subject.and_then(|subject| subject.pk),
        kind: record.kind.as_str().to_owned(),
        data: record.data.as_str().to_owned(),
    });
    Ok(moves
        .filter(|one| one.resource.is_some() || one.kind.starts_with("records."))
        .collect())
}
