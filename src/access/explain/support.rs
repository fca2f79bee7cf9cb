//! Everything that gives a user permissions on a target, by every way.

use super::explanation::{self, Basis, ScopeLabel, Support, Way};
use super::prove::Prover;
use crate::access::facts::Facts;
use crate::access::grant::{Grant, Restriction};
use crate::access::permission::Permissions;
use crate::access::rulebook::Rulebook;
use crate::access::scope::Reach;
use crate::access::standing::Standing;
use crate::access::target::{Located, Target};
use crate::base::clock::Timestamp;
use crate::base::id::{RoleKey, ScopeKey};

/// Most supports that are listed; a page of them is already too much to read.
pub const MAX_SUPPORTS: usize = 500;

/// The supports of an active user, and whether some were left out.
pub(super) fn supports(
    facts: &Facts,
    rulebook: &Rulebook,
    now: Timestamp,
    asked: Permissions,
    target: &Target<'_>,
) -> (Vec<Support>, bool) {
    let mut search = Search {
        rulebook,
        now,
        asked,
        target: rulebook.locate(*target, now),
        report: None,
        found: Vec::new(),
        cut: false,
    };
    search.user(facts);
    search.asked = asked & rulebook.viewing();
    for report in facts.reports.iter().filter(|report| report.active) {
        search.report = Some(report);
        search.user(report);
    }
    (search.found, search.cut)
}

struct Search<'a> {
    rulebook: &'a Rulebook,
    now: Timestamp,
    asked: Permissions,
    target: Located<'a>,
    report: Option<&'a Facts>,
    found: Vec<Support>,
    cut: bool,
}

impl Search<'_> {
    /// What one user, taken for active and without their reports, has.
    fn user(&mut self, facts: &Facts) {
        let standing = Standing::of(facts, self.rulebook, self.now);
        let mut prover = Prover::new(&standing);
        for grant in &facts.grants {
            self.grant(grant, || vec![None]);
        }
        for group in standing.groups() {
            for grant in self.rulebook.grants_of(group.pk()) {
                self.grant(grant, || prover.ways(group.pk()).into_iter().map(Some).collect());
            }
        }
        for (number, rule) in self.rulebook.rules().iter().enumerate() {
            for (role, reach) in rule.roles() {
                let permissions = self.given(role, reach, &Restriction::NONE);
                if !permissions.is_empty() {
                    let proofs = prover.proofs(number).into_iter().map(Basis::Rule);
                    self.add(
                        permissions,
                        role,
                        reach,
                        &Restriction::NONE,
                        &proofs.collect::<Vec<_>>(),
                    );
                }
            }
        }
        self.cut |= prover.cut;
    }

    fn grant(&mut self, grant: &Grant, ways: impl FnOnce() -> Vec<Option<Way>>) {
        if !grant.validity.contains(self.now) {
            return;
        }
        let permissions = self.given(grant.role, &grant.reach, &grant.restriction);
        if permissions.is_empty() {
            return;
        }
        let bases = ways().into_iter().map(|through| Basis::Grant {
            key: grant.key,
            id: grant.id.clone(),
            origin: grant.origin,
            through,
        });
        self.add(
            permissions,
            grant.role,
            &grant.reach,
            &grant.restriction,
            &bases.collect::<Vec<_>>(),
        );
    }

    /// What is left on the target of a role held with this reach, of what was asked.
    fn given(&self, role: RoleKey, reach: &Reach, restriction: &Restriction) -> Permissions {
        let held = self.rulebook.permissions(role) & self.asked;
        self.target
            .hold(reach)
            .map_or(Permissions::NONE, |hold| self.target.effective(held, hold, restriction))
    }

    /// One support for each basis and each way the target lies in the reach.
    fn add(
        &mut self,
        permissions: Permissions,
        role: RoleKey,
        reach: &Reach,
        restriction: &Restriction,
        bases: &[Basis],
    ) {
        for lies in self.lies(reach) {
            for basis in bases {
                if self.found.len() == MAX_SUPPORTS {
                    self.cut = true;
                    return;
                }
                self.found.push(Support {
                    permissions,
                    keys: self.rulebook.catalogue().keys(permissions).map(str::to_owned).collect(),
                    report: self.report.map(|report| (report.user, report.id.clone())),
                    role: explanation::role(self.rulebook, role),
                    held: explanation::held(self.rulebook, reach),
                    restriction: restriction.clone(),
                    lies: lies.clone(),
                    basis: basis.clone(),
                });
            }
        }
    }

    /// The chains of scopes from the target up to where a role is held.
    fn lies(&self, reach: &Reach) -> Vec<Vec<ScopeLabel>> {
        let Reach::Scope(top) = reach else {
            return vec![Vec::new()];
        };
        let mut chains = Vec::new();
        for start in starts(&self.target.target()) {
            let located = self.rulebook.locate(Target::Scope(start), self.now);
            if let Some(end) = located.scopes().iter().position(|scope| scope == top) {
                let chain = &located.scopes()[..=end];
                chains.push(
                    chain
                        .iter()
                        .map(|key| explanation::scope(self.rulebook, *key))
                        .collect(),
                );
            }
        }
        chains
    }
}

/// The scopes a target directly lies in, each once.
pub(super) fn starts(target: &Target<'_>) -> Vec<ScopeKey> {
    let mut starts = match target {
        Target::Organisation => Vec::new(),
        Target::Scope(scope) => vec![*scope],
        Target::Record { scopes, .. } => scopes.to_vec(),
    };
    starts.sort_unstable();
    starts.dedup();
    starts
}
