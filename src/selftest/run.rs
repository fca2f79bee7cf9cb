//! A run: every chosen check against one server, and what came of it.

use std::sync::Arc;
use std::time::Instant;
use url::Url;

use super::choose::Choice;
use super::client::Server;
use super::data::Book;
use super::procedure::{
    attribute, each_attribute, every_answer, every_resource, race, walk, with_attribute, with_type,
};
use super::report::{Finding, Record, Report, Verdict, of_check, of_requirement};
use super::requirement::{Check, Level, Requirement, Work};
use super::steps::run_steps;
use super::stop::{Outcome, Said, Stop};
use super::values::Values;
use super::world::World;
use crate::base::clock::Clock;
use crate::base::secret::Secret;

/// The server under test, and as whom it is asked.
#[derive(Debug, Clone)]
pub struct Target {
    /// The base URL: `https://host/scim/v2`.
    pub url: Url,
    /// The bearer token.
    pub token: Secret<String>,
    /// That of another client of the same tenant.
    pub second: Option<Secret<String>>,
    /// That of a client of another tenant, under the same address.
    pub foreign: Option<Secret<String>>,
    /// Whether the server is to refuse what lenient ones take: level `tol`.
    pub strict: bool,
    /// Whether it is Muster, which departs from some requirements on purpose.
    pub departs: bool,
}

/// How far a run is.
#[derive(Debug)]
pub struct Progress<'a> {
    /// Checks that are done.
    pub done: usize,
    /// All of them.
    pub all: usize,
    /// The requirement at work.
    pub id: &'a str,
    /// Checks that failed so far.
    pub failed: usize,
}

/// The server cannot be tested at all.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(String);

/// Runs the chosen requirements against a server, and deletes what was made. When `stop` resolves it ends early, and
/// what was made is deleted all the same.
///
/// # Errors
/// A server that does not answer, or no client to ask it with.
pub async fn run(
    book: &Book,
    target: Target,
    choice: &Choice,
    stop: impl Future<Output = ()>,
    told: impl FnMut(Progress<'_>),
) -> Result<Report, Unreachable> {
    let began = Instant::now();
    let started = Clock::system().now().rfc3339();
    let mark = format!("q{:06x}", rand::random::<u32>() >> 8);
    let server = Server::new(target.url.clone(), target.token.clone(), mark);
    let server = Arc::new(server.map_err(|fault| Unreachable(fault.to_string()))?);
    let secrets: Vec<String> = [Some(&target.token), target.second.as_ref(), target.foreign.as_ref()]
        .into_iter()
        .flatten()
        .map(|token| token.expose().clone())
        .collect();
    let tokens = [("second", &target.second), ("foreign", &target.foreign)].into_iter();
    let tokens = tokens.filter_map(|(name, token)| Some((name, token.as_ref()?.expose().clone())));
    let world = World::new(Arc::clone(&server), &book.fixtures, tokens.collect());
    let mut judge = Judge {
        book,
        target: &target,
        world,
        secrets,
        told,
        tally: (0, 0, 0),
    };
    let records = {
        let all = judge.all(choice);
        tokio::pin!(all, stop);
        tokio::select! {
            records = &mut all => records,
            // What is under way may make something: its answer says where it is.
            () = &mut stop => {
                server.halt.cancel();
                all.await
            }
        }
    };
    server.search().await;
    server.clean(0).await;
    if server.halt.is_cancelled() {
        return Err(Unreachable("interrupted; what was made has been deleted".to_owned()));
    }
    let records = records?;
    let url = target.url.as_str().trim_end_matches('/').to_owned();
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Report::new(
        (url, started, millis),
        target.strict,
        server.left(),
        records,
    ))
}

struct Judge<'b, F> {
    book: &'b Book,
    target: &'b Target,
    world: World<'b>,
    /// What a report must not show.
    secrets: Vec<String>,
    told: F,
    /// Checks done, all, failed.
    tally: (usize, usize, usize),
}

impl<F: FnMut(Progress<'_>)> Judge<'_, F> {
    /// A record for each requirement. What looks at all answers of the run comes last.
    async fn all(&mut self, choice: &Choice) -> Result<Vec<Record>, Unreachable> {
        self.world.discover().await.map_err(|stop| Unreachable(said(stop)))?;
        let chosen: Vec<_> = self.book.all().filter(|(_, one)| choice.takes(one)).collect();
        let weighs = |one: &Requirement, check: &Check| choice.range.holds(check.level.unwrap_or(one.level));
        let mut findings: Vec<Vec<(usize, Finding)>> = chosen.iter().map(|_| Vec::new()).collect();
        let all = chosen
            .iter()
            .map(|(_, one)| one.checks.iter().filter(|check| weighs(one, check)).count());
        self.tally.1 = all.sum();
        for late in [false, true] {
            for ((_, one), findings) in chosen.iter().zip(&mut findings) {
                for (n, check) in one.checks.iter().enumerate().filter(|(_, check)| weighs(one, check)) {
                    if check.work.is_late() == late {
                        findings.push((n, self.check(one, check).await));
                    }
                }
            }
        }
        let records = chosen.into_iter().zip(findings).map(|((chapter, one), mut findings)| {
            findings.sort_by_key(|(n, _)| *n);
            let checks = findings.into_iter().map(|(_, finding)| finding).collect();
            of_requirement(&chapter.title, one, self.departure(one), checks)
        });
        Ok(records.collect())
    }

    /// Why Muster does otherwise, if it is Muster that is tested and it does.
    fn departure(&self, one: &Requirement) -> Option<&str> {
        let known = self.book.departures.iter().filter(|_| self.target.departs);
        known
            .filter(|row| row.id == one.id)
            .map(|row| row.reason.as_str())
            .next()
    }

    async fn check(&mut self, one: &Requirement, check: &Check) -> Finding {
        (self.told)(Progress {
            done: self.tally.0,
            all: self.tally.1,
            id: &one.id,
            failed: self.tally.2,
        });
        let (verdict, found) = self.verdict(one, check).await;
        let level = check.level.unwrap_or(one.level);
        let verdict = match verdict {
            Verdict::Failed if self.departure(one).is_some() => Verdict::Departs,
            Verdict::Failed if !self.counts(level) => Verdict::Noted,
            other => other,
        };
        self.tally.0 += 1;
        self.tally.2 += usize::from(verdict == Verdict::Failed);
        of_check((one, check, level), verdict, found, &self.secrets)
    }

    /// Whether a check that fails is a failure, and not a note.
    fn counts(&self, level: Level) -> bool {
        matches!(level, Level::Must | Level::Should) || (self.target.strict && level == Level::Tol)
    }

    /// The worst that comes of a check with each combination of its values.
    async fn verdict(&mut self, one: &Requirement, check: &Check) -> (Verdict, Option<Said>) {
        let combinations = match self.combinations(check) {
            Ok(combinations) => combinations,
            Err(stop) => return ended(Err(stop)),
        };
        let nothing = Said {
            what: "the server announces nothing of the kind".to_owned(),
            exchange: None,
        };
        let mut worst = (Verdict::Skipped, Some(nothing));
        for (n, more) in combinations.into_iter().enumerate() {
            let keep = self.world.server.made();
            let outcome = self.once(one, check, more).await;
            self.world.server.clean(keep).await;
            let now = ended(outcome);
            // What could not be set up is not hidden by another combination that passed.
            let hides = (worst.0, now.0) == (Verdict::Passed, Verdict::NotSetUp);
            let hidden = (worst.0, now.0) == (Verdict::NotSetUp, Verdict::Passed);
            if n == 0 || hides || (now.0.weight() > worst.0.weight() && !hidden) {
                worst = now;
            }
        }
        worst
    }

    /// Every combination of the values of `each`.
    fn combinations(&mut self, check: &Check) -> Outcome<Vec<Vec<(String, serde_json::Value)>>> {
        let values = self.world.values();
        let mut all = vec![Vec::new()];
        for (name, row) in &check.each {
            let row = if row.is_string() {
                values.fill(row)?
            } else {
                row.clone()
            };
            let row = row.as_array().cloned().unwrap_or_default();
            let longer = |before: Vec<(String, serde_json::Value)>| {
                row.iter().map(move |value| {
                    let mut after = before.clone();
                    after.push((name.clone(), value.clone()));
                    after
                })
            };
            all = all.into_iter().flat_map(longer).collect();
        }
        Ok(all)
    }

    async fn once(&mut self, one: &Requirement, check: &Check, more: Vec<(String, serde_json::Value)>) -> Outcome {
        let world = &mut self.world;
        world.needs(&one.feature).await?;
        world.needs(&check.feature).await?;
        let mut values: Values = world.values();
        values.each = more.into_iter().collect();
        let values = &mut values;
        match &check.work {
            Work::Steps { steps } => run_steps(world, values, steps).await,
            Work::EveryAnswer(check) => every_answer(world, values, check).await,
            Work::EveryResource(check) => every_resource(world, values, check).await,
            Work::EachAttribute(check) => each_attribute(world, values, check),
            Work::Attribute(check) => attribute(world, values, check),
            Work::WithAttribute(check) => with_attribute(world, values, check).await,
            Work::WithType(check) => with_type(world, values, check).await,
            Work::Walk(check) => walk(world, values, check).await,
            Work::Race(check) => race(world, values, check).await,
        }
    }
}

fn ended(outcome: Outcome) -> (Verdict, Option<Said>) {
    match outcome {
        Ok(()) => (Verdict::Passed, None),
        Err(Stop::Skip(what)) => (Verdict::Skipped, Some(Said { what, exchange: None })),
        Err(Stop::Blocked(said)) => (Verdict::NotSetUp, Some(said)),
        Err(Stop::Wrong(said)) => (Verdict::Failed, Some(said)),
    }
}

fn said(stop: Stop) -> String {
    match stop {
        Stop::Skip(what) => what,
        Stop::Blocked(said) | Stop::Wrong(said) => said.what,
    }
}
