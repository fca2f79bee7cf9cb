//! Everything a user has, with what gives it.

use super::assignment::{Assignment, Assignments, Provenance};
use super::facts::Facts;
use super::grant::{Grant, Restriction};
use super::groups::Routes;
use super::path::Path;
use super::rule::{Outcome, Rule};
use super::rulebook::Rulebook;
use super::scope::{Reach, RecordRef};
use super::standing::Standing;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, RoleKey, ScopeKey};

/// All assignments of a user at an instant: none, unless they are active and the organisation is open.
///
/// What is held on a program that does not run, or on a scope that is not there, is left out. A manager has, of each
/// active report, the roles that let them look.
#[must_use]
pub fn evaluate(facts: &Facts, rulebook: &Rulebook, now: Timestamp) -> Assignments {
    if !rulebook.lets_in(facts) {
        return Assignments::default();
    }
    let own = collect(facts, rulebook, now, None);
    let active = facts.reports.iter().filter(|report| report.active);
    let inherited = active.flat_map(|report| collect(report, rulebook, now, Some(report.user)));
    combine(own.into_iter().chain(inherited).collect())
}

/// One reason for one assignment.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found<'a> {
    what: What<'a>,
    why: Provenance,
}

/// An assignment without its reasons. The order of the fields is the order of assignments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct What<'a> {
    report: Option<Pk>,
    reach: Held<'a>,
    role: Option<RoleKey>,
    /// None where there is no restriction, as nearly everywhere: then there is nothing to compare.
    restriction: Option<&'a Restriction>,
}

/// A borrowed [`Reach`], in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Held<'a> {
    All,
    Scope(ScopeKey),
    Record(&'a RecordRef),
}

impl<'a> From<&'a Reach> for Held<'a> {
    fn from(reach: &'a Reach) -> Self {
        match reach {
            Reach::All => Self::All,
            Reach::Scope(scope) => Self::Scope(*scope),
            Reach::Record(record) => Self::Record(record),
        }
    }
}

impl From<Held<'_>> for Reach {
    fn from(held: Held<'_>) -> Self {
        match held {
            Held::All => Self::All,
            Held::Scope(scope) => Self::Scope(scope),
            Held::Record(record) => Self::Record(record.clone()),
        }
    }
}

/// Puts the reasons of each assignment together.
fn combine(mut found: Vec<Found<'_>>) -> Assignments {
    found.sort_unstable();
    found.dedup();
    let mut assignments: Vec<Assignment> = Vec::new();
    let mut last = None;
    for Found { what, why } in found {
        match assignments.last_mut() {
            Some(assignment) if last == Some(what) => assignment.why.push(why),
            _ => assignments.push(Assignment {
                report: what.report,
                reach: what.reach.into(),
                role: what.role,
                restriction: what.restriction.cloned().unwrap_or_default(),
                why: vec![why],
            }),
        }
        last = Some(what);
    }
    Assignments::ordered(assignments)
}

/// What one user, taken for active and without their reports, has. `report` says that it is for their manager.
fn collect<'a>(facts: &'a Facts, rulebook: &'a Rulebook, now: Timestamp, report: Option<Pk>) -> Vec<Found<'a>> {
    let standing = Standing::of(facts, rulebook, now);
    let mut collector = Collector {
        standing: &standing,
        routes: standing.routes(),
        report,
        found: Vec::new(),
    };
    for grant in &facts.grants {
        collector.grant(grant, |_| Path::default());
    }
    for group in standing.groups() {
        for grant in rulebook.grants_of(group.pk()) {
            collector.grant(grant, |routes| routes.path(group.pk()));
        }
    }
    for (number, rule) in rulebook.rules().iter().enumerate() {
        collector.rule(number, rule);
    }
    collector.found
}

struct Collector<'s, 'a> {
    standing: &'s Standing<'a>,
    routes: Routes<'s, 'a>,
    report: Option<Pk>,
    found: Vec<Found<'a>>,
}

impl<'a> Collector<'_, 'a> {
    fn grant(&mut self, grant: &'a Grant, through: impl Fn(&Routes<'_, 'a>) -> Path) {
        let counts = grant.validity.contains(self.standing.now());
        if counts && self.is_there((&grant.reach).into()) && self.is_for_report(Some(grant.role)) {
            let why = Provenance::Grant {
                grant: grant.key,
                through: through(&self.routes),
            };
            let restriction = Some(&grant.restriction).filter(|restriction| !restriction.is_empty());
            self.push((&grant.reach).into(), Some(grant.role), restriction, why);
        }
    }

    fn rule(&mut self, number: usize, rule: &'a Rule) {
        if !self.standing.rule_holds(number) {
            return;
        }
        let mut given = rule.then.iter().filter_map(assigned).peekable();
        if given.peek().is_none() {
            return;
        }
        let through = self.standing.ways(rule, &self.routes);
        for (reach, role) in given {
            if self.is_there(reach) && self.is_for_report(role) {
                let why = Provenance::Rule {
                    rule: rule.key,
                    version: rule.version,
                    through: through.clone(),
                };
                self.push(reach, role, None, why);
            }
        }
    }

    fn push(&mut self, reach: Held<'a>, role: Option<RoleKey>, restriction: Option<&'a Restriction>, why: Provenance) {
        let what = What {
            report: self.report,
            reach,
            role,
            restriction,
        };
        self.found.push(Found { what, why });
    }

    fn is_there(&self, reach: Held<'_>) -> bool {
        match reach {
            Held::Scope(scope) => {
                let scope = self.standing.rulebook().scope(scope);
                scope.is_some_and(|scope| scope.is_running(self.standing.now()))
            }
            Held::All | Held::Record(_) => true,
        }
    }

    /// Through a report a manager has roles that let them look, and no memberships.
    fn is_for_report(&self, role: Option<RoleKey>) -> bool {
        let rulebook = self.standing.rulebook();
        let looks = |role| !(rulebook.permissions(role) & rulebook.viewing()).is_empty();
        self.report.is_none() || role.is_some_and(looks)
    }
}

/// Reach and role of an outcome; none for membership of a group, which is no assignment.
fn assigned(outcome: &Outcome) -> Option<(Held<'_>, Option<RoleKey>)> {
    match outcome {
        Outcome::Role { role, reach } => Some((reach.into(), Some(*role))),
        Outcome::Member(scope) => Some((Held::Scope(*scope), None)),
        Outcome::Group(_) => None,
    }
}
