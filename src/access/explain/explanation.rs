//! An explanation as data: it names everything, so that it can be shown without the policy it was made from.

use std::collections::BTreeSet;

use super::ground::Sources;
use super::leaf::Leaf;
use crate::access::grant::{Origin, Restriction};
use crate::access::permission::Permissions;
use crate::access::rulebook::Rulebook;
use crate::access::scope::{Reach, RecordRef, ScopeKind};
use crate::access::target::Target;
use crate::base::clock::Timestamp;
use crate::base::id::{GrantKey, Pk, RoleKey, RuleKey, ScopeKey};

/// Key, id on the wire and name of something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label<K> {
    /// Inside.
    pub key: K,
    /// On the wire.
    pub id: String,
    /// For people.
    pub name: String,
}

/// The same of a scope, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScopeLabel {
    /// Inside.
    pub key: ScopeKey,
    /// On the wire.
    pub id: String,
    /// For people.
    pub name: String,
    /// What it is.
    pub kind: ScopeKind,
}

/// What was asked about, or where a role is held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The organisation as a whole, and *All*.
    All,
    /// A scope.
    Scope(ScopeLabel),
    /// A record.
    Record(RecordRef),
}

/// Why a user may do something, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Number of the user.
    pub key: Pk,
    /// Id of the user.
    pub user: String,
    /// Who wrote what it rests on, as far as whoever asked has looked it up.
    pub sources: Sources,
    /// Whether the account is active: if not, there is nothing else to say.
    pub active: bool,
    /// Whether the organisation is suspended or deleted: then, too, there is nothing else to say.
    pub closed: bool,
    /// Version of the policy.
    pub version: i64,
    /// Key of the permission that was asked for; none when everything was.
    pub permission: Option<String>,
    /// What was asked about.
    pub place: Place,
    /// What the user has there, of what was asked.
    pub permissions: Permissions,
    /// Every way in which they have it.
    pub supports: Vec<Support>,
    /// Whether there are more ways than are listed: then each source is there, but not all ways to it.
    pub cut: bool,
    /// What would come nearest to giving the permission, nearest first; only where one was asked for and is missing.
    pub misses: Vec<Miss>,
    /// How many further ones are not listed.
    pub more_misses: usize,
}

impl Explanation {
    /// Whether the user has the permission; where none was asked for, whether they have any.
    #[must_use]
    pub fn allowed(&self) -> bool {
        !self.permissions.is_empty()
    }
}

/// One way in which a user has permissions. It stands on its own and needs every one of its leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Support {
    /// What it gives, of what was asked.
    pub permissions: Permissions,
    /// Their keys.
    pub keys: Vec<String>,
    /// The report through whom a manager has it (key and id), and whose grants and groups the rest speaks of.
    pub report: Option<(Pk, String)>,
    /// The role that allows it.
    pub role: Label<RoleKey>,
    /// Where the role is held.
    pub held: Place,
    /// Which records it is narrowed to.
    pub restriction: Restriction,
    /// From the scope asked about, or one the record belongs to, up to the scope the role is held on; empty where it
    /// is held on *All* or on the record itself.
    pub lies: Vec<ScopeLabel>,
    /// What gives the role.
    pub basis: Basis,
}

/// What gives a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// A grant.
    Grant {
        /// Inside.
        key: GrantKey,
        /// On the wire.
        id: String,
        /// How it came to be.
        origin: Origin,
        /// How the user is in the group that holds it; none for their own.
        through: Option<Way>,
    },
    /// A rule whose condition holds.
    Rule(Proof),
}

/// A way from a user into a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// How they are in the first group.
    pub entry: WayIn,
    /// The group they are a member of, then each group the one before is nested in. Not empty.
    pub groups: Vec<Label<Pk>>,
}

/// How a user is in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WayIn {
    /// As a member.
    Member,
    /// Because a rule says so.
    Rule(Box<Proof>),
    /// Through some group nested in it; which, the facts do not say.
    Unknown,
}

/// Why a condition holds: nothing of it can be left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The rule.
    pub rule: Label<RuleKey>,
    /// Which version of it.
    pub version: i64,
    /// What makes it hold, together.
    pub reasons: Vec<Reason>,
}

/// Part of why a condition holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The user's profile satisfies a part of the condition, or does not where it must not.
    Profile {
        /// Number of the document atom.
        atom: usize,
        /// The part, as a filter.
        filter: String,
        /// Whether it is satisfied.
        holds: bool,
    },
    /// Being in a group decides a test of groups.
    Group {
        /// Number of the group test.
        test: usize,
        /// The test, as a filter.
        filter: String,
        /// Whether it is satisfied.
        holds: bool,
        /// How the user is in the group.
        way: Way,
    },
    /// Not being in other groups decides a test of groups.
    NoGroup {
        /// Number of the group test.
        test: usize,
        /// The test, as a filter.
        filter: String,
        /// Whether it is satisfied.
        holds: bool,
    },
}

/// Something that does not give the permission, and why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// The role it gives.
    pub role: Label<RoleKey>,
    /// Where.
    pub held: Place,
    /// What it is.
    pub offer: Offer,
    /// Everything that stands in the way; not empty.
    pub obstacles: Vec<Obstacle>,
}

/// A grant or a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offer {
    /// A grant.
    Grant {
        /// Inside.
        key: GrantKey,
        /// On the wire.
        id: String,
        /// The group that holds it; none for the user's own.
        group: Option<Label<Pk>>,
    },
    /// A rule.
    Rule(Label<RuleKey>),
}

/// Why something does not give a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// It begins later.
    NotYet(Timestamp),
    /// It ended.
    Over(Timestamp),
    /// A program on the way from the target to where the role is held does not run.
    NotRunning(ScopeLabel),
    /// The record does not satisfy the restriction.
    Restricted(Restriction),
    /// The permission counts only where its role is held on *All*, unrestricted.
    OnlyOnAll,
    /// The role reaches the target, but does not have the permission.
    RoleLacks,
    /// The role is held where the target does not lie.
    Elsewhere,
    /// The condition of the rule does not hold.
    Condition(Lack),
    /// The user is not in the group.
    NotInGroup,
}

/// What a condition lacks to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// All of these.
    All(Vec<Lack>),
    /// Any of these.
    Any(Vec<Lack>),
    /// One part of the condition.
    Part {
        /// As a filter.
        filter: String,
        /// Whether it would have to be satisfied; else it would have to be not.
        must_hold: bool,
        /// Whether it asks about groups; else about the profile.
        of_groups: bool,
    },
}

impl Support {
    /// Every single fact it stands on: what a store can tell the cause of.
    #[must_use]
    pub fn leaves(&self) -> BTreeSet<Leaf> {
        let mut leaves = BTreeSet::new();
        leaves.extend(self.report.as_ref().map(|(report, _)| Leaf::Report(*report)));
        leaves.extend(self.lies.first().map(|scope| Leaf::LiesIn(scope.key)));
        for pair in self.lies.windows(2) {
            leaves.insert(Leaf::Below {
                scope: pair[0].key,
                parent: pair[1].key,
            });
        }
        match &self.basis {
            Basis::Grant { key, through, .. } => {
                leaves.insert(Leaf::Grant(*key));
                leaves.extend(through.iter().flat_map(Way::leaves));
            }
            Basis::Rule(proof) => leaves.extend(proof.leaves()),
        }
        leaves
    }
}

pub(super) fn scope(rulebook: &Rulebook, key: ScopeKey) -> ScopeLabel {
    let known = rulebook.scope(key);
    ScopeLabel {
        key,
        id: known.map_or_else(|| key.to_string(), |scope| scope.id.clone()),
        name: known.map_or_else(|| key.to_string(), |scope| scope.name.clone()),
        kind: known.map_or(ScopeKind::Territory, |scope| scope.kind),
    }
}

pub(super) fn held(rulebook: &Rulebook, reach: &Reach) -> Place {
    match reach {
        Reach::All => Place::All,
        Reach::Scope(key) => Place::Scope(scope(rulebook, *key)),
        Reach::Record(record) => Place::Record(record.clone()),
    }
}

pub(super) fn place(rulebook: &Rulebook, target: &Target<'_>) -> Place {
    match target {
        Target::Organisation => Place::All,
        Target::Scope(key) => Place::Scope(scope(rulebook, *key)),
        Target::Record { record, .. } => Place::Record((*record).clone()),
    }
}

pub(super) fn role(rulebook: &Rulebook, key: RoleKey) -> Label<RoleKey> {
    let known = rulebook.role(key);
    Label {
        key,
        id: known.map_or_else(|| key.to_string(), |role| role.id.clone()),
        name: known.map_or_else(|| key.to_string(), |role| role.name.clone()),
    }
}
