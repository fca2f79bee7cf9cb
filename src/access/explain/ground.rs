//! What an explanation rests on that somebody wrote, and who it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::explanation::{Basis, Explanation, Proof, Reason, Support, Way, WayIn};
use super::leaf::Leaf;
use crate::access::wording::instant;
use crate::base::clock::Timestamp;
use crate::base::id::{GrantKey, Pk, RuleKey};

/// Something that is there because of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ground {
    /// A grant.
    Grant(GrantKey),
    /// A user or a group is a member of a group.
    Member {
        /// Who.
        member: Pk,
        /// Of which group.
        group: Pk,
    },
    /// A version of a rule.
    Rule {
        /// Of which rule.
        rule: RuleKey,
        /// Which version.
        version: i64,
    },
    /// What a user's profile satisfies of a rule's condition.
    Profile {
        /// Whose.
        user: Pk,
        /// Which rule.
        rule: RuleKey,
    },
}

impl Ground {
    /// Where a leaf of this user's explanation was written; nothing for what no request wrote.
    fn of(user: Pk, leaf: Leaf) -> Option<Self> {
        match leaf {
            Leaf::Grant(grant) => Some(Self::Grant(grant)),
            Leaf::Member(group) => Some(Self::Member { member: user, group }),
            Leaf::Nested { group, parent } => Some(Self::Member {
                member: group,
                group: parent,
            }),
            Leaf::Rule { rule, version } => Some(Self::Rule { rule, version }),
            Leaf::Profile { rule, .. } => Some(Self::Profile { user, rule }),
            Leaf::SomeNesting(_) | Leaf::NoGroup { .. } | Leaf::LiesIn(_) | Leaf::Below { .. } | Leaf::Report(_) => {
                None
            }
        }
    }
}

/// The request that wrote something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// When.
    pub at: Timestamp,
    /// Who asked for it, e.g. `connection okta`; nothing where that is not kept.
    pub by: Option<String>,
    /// Id of the request.
    pub request_id: Option<String>,
}

/// `2026-03-01T12:00:00Z, by connection okta, request 0199…`
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&instant(self.at))?;
        if let Some(by) = &self.by {
            write!(f, ", by {by}")?;
        }
        match &self.request_id {
            Some(id) => write!(f, ", request {id}"),
            None => Ok(()),
        }
    }
}

/// What is known of the grounds of an explanation.
pub type Sources = BTreeMap<Ground, Source>;

impl Explanation {
    /// Everything the explanation rests on that a request wrote: what [`Explanation::sources`] should know.
    #[must_use]
    pub fn grounds(&self) -> BTreeSet<Ground> {
        let of = |support: &Support| {
            let user = self.whose(support);
            support
                .leaves()
                .into_iter()
                .filter_map(move |leaf| Ground::of(user, leaf))
        };
        self.supports.iter().flat_map(of).collect()
    }

    /// Whose groups and profile a support speaks of: the user's, or a report's.
    pub(super) fn whose(&self, support: &Support) -> Pk {
        support.report.as_ref().map_or(self.key, |(report, _)| *report)
    }
}

/// The explanation's sources, looked up for the facts of one user.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    sources: &'a Sources,
    user: Pk,
}

impl<'a> Lookup<'a> {
    /// For what a support of the explanation says.
    #[must_use]
    pub fn of(explanation: &'a Explanation, support: &Support) -> Self {
        Self {
            sources: &explanation.sources,
            user: explanation.whose(support),
        }
    }

    /// Who gave the grant that a basis is.
    #[must_use]
    pub fn grant(self, basis: &Basis) -> Option<&'a Source> {
        match basis {
            Basis::Grant { key, .. } => self.sources.get(&Ground::Grant(*key)),
            Basis::Rule(_) => None,
        }
    }

    /// Who wrote this version of a rule.
    #[must_use]
    pub fn rule(self, proof: &Proof) -> Option<&'a Source> {
        self.sources.get(&Ground::Rule {
            rule: proof.rule.key,
            version: proof.version,
        })
    }

    /// Since when the profile satisfies what the reason says, or does not.
    #[must_use]
    pub fn profile(self, proof: &Proof, reason: &Reason) -> Option<&'a Source> {
        match reason {
            Reason::Profile { .. } => self.sources.get(&Ground::Profile {
                user: self.user,
                rule: proof.rule.key,
            }),
            Reason::Group { .. } | Reason::NoGroup { .. } => None,
        }
    }

    /// Who made each step of a way: into the first group, then from each group into the next.
    #[must_use]
    pub fn steps(self, way: &Way) -> Vec<Option<&'a Source>> {
        let first = way.groups.first().map(|group| match way.entry {
            WayIn::Member => self.member(self.user, group.key),
            WayIn::Rule(_) | WayIn::Unknown => None,
        });
        let nested = way.groups.windows(2).map(|pair| self.member(pair[0].key, pair[1].key));
        first.into_iter().chain(nested).collect()
    }

    fn member(self, member: Pk, group: Pk) -> Option<&'a Source> {
        self.sources.get(&Ground::Member { member, group })
    }
}
