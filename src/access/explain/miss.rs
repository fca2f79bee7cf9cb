//! What comes nearest to giving a permission that a user does not have.

use super::explanation::{self, Label, Lack, Miss, Obstacle, Offer, ScopeLabel};
use super::prove::rule_label;
use super::support::starts;
use crate::access::facts::Facts;
use crate::access::grant::{Grant, Restriction, Subject, Validity};
use crate::access::permission::Permission;
use crate::access::rule::{Rule, Tree};
use crate::access::rulebook::Rulebook;
use crate::access::scope::Reach;
use crate::access::standing::Standing;
use crate::access::target::{Located, Target};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, RoleKey, ScopeKey};

/// Most misses that are listed: the nearest come first, so the others hardly matter.
pub const MAX_MISSES: usize = 20;

/// What fails to give a permission to an active user who does not have it: the nearest, and how many more there are.
pub(super) fn misses(
    facts: &Facts,
    rulebook: &Rulebook,
    now: Timestamp,
    wanted: Permission,
    target: &Target<'_>,
) -> (Vec<Miss>, usize) {
    let standing = Standing::of(facts, rulebook, now);
    let mut more = 0;
    let search = Search {
        standing: &standing,
        rulebook,
        now,
        wanted,
        target: rulebook.locate(*target, now),
    };
    let own = facts.grants.iter();
    let grants = own
        .chain(&rulebook.policy().grants)
        .filter_map(|grant| search.near(grant));
    let rules = rulebook
        .rules()
        .iter()
        .enumerate()
        .flat_map(|(number, rule)| search.rule(number, rule));
    let mut found: Vec<_> = grants.chain(rules).collect();
    // Names are for the few that are told, and for those that come as near as the last of them.
    found.sort_by_cached_key(Near::rank);
    if let Some(last) = found.get(MAX_MISSES - 1).map(Near::rank) {
        let as_near = found.partition_point(|near| near.rank() <= last);
        more = found.len() - as_near;
        found.truncate(as_near);
    }
    let mut found: Vec<_> = found.into_iter().map(|near| search.named(near)).collect();
    found.sort_by_cached_key(|miss| {
        let ranks: Vec<_> = miss.obstacles.iter().map(rank).collect();
        (ranks.len(), ranks, miss.offer.clone(), miss.role.key, miss.held.clone())
    });
    more += found.len().saturating_sub(MAX_MISSES);
    found.truncate(MAX_MISSES);
    (found, more)
}

/// What could give the permission, and why it does not.
struct Near<'a> {
    source: Source<'a>,
    role: RoleKey,
    reach: &'a Reach,
    obstacles: Vec<Obstacle>,
}

/// A grant, or a rule.
#[derive(Clone, Copy)]
enum Source<'a> {
    Grant(&'a Grant),
    Rule(&'a Rule),
}

impl Near<'_> {
    /// The fewer obstacles the nearer, then the smaller they are.
    fn rank(&self) -> (usize, Vec<u8>) {
        (self.obstacles.len(), self.obstacles.iter().map(rank).collect())
    }
}

/// Of the obstacles that say "this is not meant for that", one may be there; with two it is not near.
fn is_near(obstacles: &[Obstacle]) -> bool {
    let foreign = obstacles
        .iter()
        .filter(|obstacle| rank(obstacle) >= rank(&Obstacle::OnlyOnAll));
    foreign.count() <= 1
}

/// How much would have to change: time, then the target, then what was given to whom.
fn rank(obstacle: &Obstacle) -> u8 {
    match obstacle {
        Obstacle::NotYet(_) => 0,
        Obstacle::Over(_) => 1,
        Obstacle::NotRunning(_) => 2,
        Obstacle::Restricted(_) => 3,
        Obstacle::OnlyOnAll => 4,
        Obstacle::RoleLacks => 5,
        Obstacle::Elsewhere => 6,
        Obstacle::Condition(_) => 7,
        Obstacle::NotInGroup => 8,
    }
}

struct Search<'s, 'a> {
    standing: &'s Standing<'a>,
    rulebook: &'a Rulebook,
    now: Timestamp,
    wanted: Permission,
    target: Located<'a>,
}

impl<'a> Search<'_, 'a> {
    /// None where it is not near.
    fn near(&self, grant: &'a Grant) -> Option<Near<'a>> {
        let outside = match grant.subject {
            Subject::User(_) => false,
            Subject::Group(group) => !self.standing.groups().contains(group),
        };
        // Most grants are others' and of no use: no need to look at where they count.
        if outside && !self.rulebook.permissions(grant.role).contains(self.wanted) {
            return None;
        }
        let mut obstacles = self.obstacles(grant.role, &grant.reach, &grant.restriction, &grant.validity);
        obstacles.extend(outside.then_some(Obstacle::NotInGroup));
        is_near(&obstacles).then_some(Near {
            source: Source::Grant(grant),
            role: grant.role,
            reach: &grant.reach,
            obstacles,
        })
    }

    /// What of a rule is near.
    fn rule(&self, number: usize, rule: &'a Rule) -> Vec<Near<'a>> {
        let mut lack = None;
        let mut found = Vec::new();
        for (role, reach) in rule.roles() {
            let mut obstacles = self.obstacles(role, reach, &Restriction::NONE, &rule.validity);
            if !is_near(&obstacles) {
                continue;
            }
            let lack = lack.get_or_insert_with(|| self.lack(rule, self.standing.bits(number), rule.when.tree(), true));
            obstacles.extend(lack.clone().map(Obstacle::Condition));
            if is_near(&obstacles) {
                found.push(Near {
                    source: Source::Rule(rule),
                    role,
                    reach,
                    obstacles,
                });
            }
        }
        found
    }

    fn named(&self, near: Near<'_>) -> Miss {
        Miss {
            role: explanation::role(self.rulebook, near.role),
            held: explanation::held(self.rulebook, near.reach),
            offer: match near.source {
                Source::Grant(grant) => Offer::Grant {
                    key: grant.key,
                    id: grant.id.clone(),
                    group: match grant.subject {
                        Subject::User(_) => None,
                        Subject::Group(group) => Some(self.group(group)),
                    },
                },
                Source::Rule(rule) => Offer::Rule(rule_label(rule)),
            },
            obstacles: near.obstacles,
        }
    }

    fn group(&self, key: Pk) -> Label<Pk> {
        let known = self
            .standing
            .groups()
            .get(key)
            .map(|member| (member.id(), member.display()));
        let known = known.or_else(|| {
            self.rulebook
                .group(key)
                .map(|group| (group.id.as_str(), group.display.as_str()))
        });
        let (id, name) = known.map_or_else(
            || (key.to_string(), key.to_string()),
            |(id, name)| (id.to_owned(), name.to_owned()),
        );
        Label { key, id, name }
    }

    /// Why a role, held so, does not give the permission; says nothing of whether the user holds it.
    fn obstacles(&self, role: RoleKey, reach: &Reach, restriction: &Restriction, validity: &Validity) -> Vec<Obstacle> {
        let mut found = Vec::new();
        match validity {
            Validity { from: Some(from), .. } if self.now < *from => found.push(Obstacle::NotYet(*from)),
            Validity { to: Some(to), .. } if *to <= self.now => found.push(Obstacle::Over(*to)),
            Validity { .. } => {}
        }
        if !self.rulebook.permissions(role).contains(self.wanted) {
            found.push(Obstacle::RoleLacks);
        }
        if self.rulebook.organisation().contains(self.wanted) {
            if *reach != Reach::All || !restriction.is_empty() {
                found.push(Obstacle::OnlyOnAll);
            }
            return found;
        }
        if self.target.hold(reach).is_none() {
            let resting = self.resting(reach);
            if resting.is_empty() {
                found.push(Obstacle::Elsewhere);
            }
            found.extend(resting.into_iter().map(Obstacle::NotRunning));
        }
        if !self.target.admits(restriction) {
            found.push(Obstacle::Restricted(restriction.clone()));
        }
        found
    }

    /// The programs that keep a role from reaching the target, although the target lies where it is held.
    fn resting(&self, reach: &Reach) -> Vec<ScopeLabel> {
        let chains = reach.scope().into_iter().flat_map(|top| {
            let starts = starts(&self.target.target());
            starts.into_iter().filter_map(move |start| self.chain(start, top))
        });
        let mut resting: Vec<_> = chains.min_by_key(Vec::len).unwrap_or_default();
        resting.retain(|key| {
            self.rulebook
                .scope(*key)
                .is_some_and(|scope| !scope.is_running(self.now))
        });
        resting
            .into_iter()
            .map(|key| explanation::scope(self.rulebook, key))
            .collect()
    }

    /// The scopes from one up to another above it, whatever the time; none if it is not above.
    fn chain(&self, from: ScopeKey, top: ScopeKey) -> Option<Vec<ScopeKey>> {
        let mut chain = Vec::new();
        let mut next = Some(from);
        while let Some(scope) = next.and_then(|key| self.rulebook.scope(key)) {
            if chain.contains(&scope.key) {
                return None;
            }
            chain.push(scope.key);
            if scope.key == top {
                return Some(chain);
            }
            next = scope.parent;
        }
        None
    }

    /// What a branch of a condition lacks to hold, or not to, as wanted; none if it lacks nothing.
    fn lack(&self, rule: &Rule, bits: u64, branch: &Tree, wanted: bool) -> Option<Lack> {
        if rule.when.branch_holds(branch, bits, self.standing.groups()) == wanted {
            return None;
        }
        let part = |filter: String, of_groups| Lack::Part {
            filter,
            must_hold: wanted,
            of_groups,
        };
        let each = |parts: &[Tree]| -> Vec<Lack> {
            parts
                .iter()
                .filter_map(|part| self.lack(rule, bits, part, wanted))
                .collect()
        };
        Some(match branch {
            Tree::Not(inner) => return self.lack(rule, bits, inner, !wanted),
            Tree::Atom(number) => part(rule.when.atoms()[*number].filter().to_string(), false),
            Tree::Groups(number) => part(rule.when.group_tests()[*number].filter().to_string(), true),
            Tree::All(parts) if wanted => joined(each(parts), Lack::All),
            Tree::Any(parts) if !wanted => joined(each(parts), Lack::All),
            Tree::All(parts) | Tree::Any(parts) => joined(each(parts), Lack::Any),
        })
    }
}

fn joined(mut parts: Vec<Lack>, join: fn(Vec<Lack>) -> Lack) -> Lack {
    if parts.len() == 1 {
        parts.swap_remove(0)
    } else {
        join(parts)
    }
}
