//! Two policies compared, over all users: read a page at a time, and looked at on several processors.

use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::ask::Trial;
use super::compute::{Counts, Delta, MAX_DELTAS};
use crate::access::diff::{Access, Diff, Differ, Moment};
use crate::access::rule::condition::Atom;
use crate::access::{Facts, Grant, Outcome, Reach, RecordRef, Restriction, RuleBits, Rulebook, evaluate};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ScopeKey};
use crate::scim::filter::Checked;
use crate::service::access::names;
use crate::service::access::policy::Book;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::Reader;
use crate::store::access::facts::DecisionRow;
use crate::store::access::matches::Range;

/// Users that are read in one statement.
const USERS_OF_A_PAGE: u32 = 2000;
/// Pages that are looked at while the next is read.
const PAGES_AT_ONCE: usize = 2;

/// What is compared.
pub(super) struct Work {
    /// The policy that is.
    pub(super) book: Arc<Book>,
    /// What would change.
    pub(super) trial: Trial,
    /// The policy that would be.
    pub(super) after: Rulebook,
    /// The instant, for both.
    pub(super) now: Timestamp,
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) gains: Vec<Delta>,
    pub(super) losses: Vec<Delta>,
    pub(super) counts: Counts,
    /// Over all gains and losses, in the order of users: says nothing of how they were paged.
    pub(super) digest: Sha256,
    /// Of everybody for whom something changes, by row number.
    pub(super) prints: Vec<(Pk, Print)>,
}

/// The gains and losses of one user, short enough to be kept of everybody: the beginning of a SHA-256.
pub(super) type Print = [u8; 16];

/// Users, and what is known of them.
pub(super) struct Page {
    pub(super) rows: Vec<DecisionRow>,
    /// What the profile of each says of conditions that nobody has kept matches of.
    pub(super) bits: HashMap<Pk, Vec<RuleBits>>,
    /// Where the records lie that their own grants name.
    pub(super) records: Records,
}

/// The scopes that records lie in.
pub(super) type Records = BTreeMap<RecordRef, Vec<ScopeKey>>;

/// What was found on one page.
#[derive(Default)]
pub(super) struct Found {
    gains: Vec<Delta>,
    losses: Vec<Delta>,
    counts: Counts,
    lines: String,
    /// In the order of the page.
    pub(super) prints: Vec<(Pk, Print)>,
}

impl Work {
    /// What was found, and where the records lie that the policies name. None when the policy moved.
    pub(super) async fn over_all_users(
        self: &Arc<Self>,
        services: &Services,
        caller: &Caller,
    ) -> Result<Option<(Tally, Arc<Records>)>> {
        let reader = services.read(caller);
        let shared = Arc::new(records(&reader, self.shared_records().into_iter().collect()).await?);
        let mut tally = Tally::default();
        let mut under_way: VecDeque<JoinHandle<Found>> = VecDeque::new();
        let mut from = Pk(0);
        while let Some((range, _)) = reader.matches().next_range(from, USERS_OF_A_PAGE).await? {
            let page = self.page(&reader, range).await?;
            let version = self.book.rulebook.version();
            if page.rows.iter().any(|row| row.policy_version != version) {
                return Ok(None);
            }
            from = range.to;
            if under_way.len() == PAGES_AT_ONCE
                && let Some(first) = under_way.pop_front()
            {
                tally.add(first.await.map_err(|fault| Error::Internal(Box::new(fault)))?);
            }
            let (work, shared) = (Arc::clone(self), Arc::clone(&shared));
            under_way.push_back(spawn_blocking(move || work.look_at(page, &shared)));
        }
        for page in under_way {
            tally.add(page.await.map_err(|fault| Error::Internal(Box::new(fault)))?);
        }
        Ok(Some((tally, shared)))
    }

    /// The users of a range.
    async fn page(&self, reader: &Reader, range: Range) -> Result<Page> {
        let rows = reader.facts().of_range(range).await?;
        let mut bits: HashMap<Pk, Vec<RuleBits>> = HashMap::new();
        for (rule, when) in &self.trial.conditions {
            let atoms: Vec<&Checked> = when.atoms().iter().map(Atom::checked).collect();
            for (user, found) in reader.matches().would_match(&atoms, range).await? {
                bits.entry(user).or_default().push(RuleBits {
                    rule: *rule,
                    version: 1,
                    bits: found,
                });
            }
        }
        let records = records(reader, own_records(&rows)).await?;
        Ok(Page { rows, bits, records })
    }

    /// The records that either policy or a new grant names.
    fn shared_records(&self) -> BTreeSet<RecordRef> {
        let mut found = BTreeSet::new();
        for policy in [self.book.rulebook.policy(), self.after.policy()] {
            let outcomes = policy.rules.iter().flat_map(|rule| &rule.then);
            let given = outcomes.filter_map(|outcome| match outcome {
                Outcome::Role {
                    reach: Reach::Record(record),
                    ..
                } => Some(record),
                Outcome::Role { .. } | Outcome::Member(_) | Outcome::Group(_) => None,
            });
            found.extend(given.chain(policy.grants.iter().filter_map(named)).cloned());
        }
        let new = self.trial.given.values().flatten();
        found.extend(new.filter_map(named).cloned());
        found
    }

    pub(super) fn look_at(&self, page: Page, shared: &Records) -> Found {
        let Page {
            rows,
            mut bits,
            mut records,
        } = page;
        records.extend(shared.iter().map(|(record, scopes)| (record.clone(), scopes.clone())));
        let moment = |rulebook| Moment {
            rulebook,
            now: self.now,
            records: &records,
        };
        let differ = Differ::new(moment(&self.book.rulebook), moment(&self.after));
        let mut found = Found::default();
        for row in rows {
            found.counts.users += 1;
            let before = evaluate(&row.facts, &self.book.rulebook, self.now);
            let facts = self.changed(row.facts, &mut bits);
            let diff = differ.diff(&before, &evaluate(&facts, &self.after, self.now));
            if !diff.is_empty() {
                found.counts.changed += 1;
                let before = found.lines.len();
                self.tell(&facts.id, diff, &mut found);
                let print = print(&found.lines[before..]);
                found.prints.push((facts.user, print));
            }
        }
        found
    }

    /// What would be known of a user.
    fn changed(&self, mut facts: Facts, bits: &mut HashMap<Pk, Vec<RuleBits>>) -> Facts {
        facts.grants.retain(|grant| !self.trial.taken.contains(&grant.id));
        facts
            .grants
            .extend(self.trial.given.get(&facts.user).into_iter().flatten().cloned());
        facts.bits.extend(bits.remove(&facts.user).into_iter().flatten());
        facts
    }

    fn tell(&self, user: &str, diff: Diff, found: &mut Found) {
        let delta = |access: Access| Delta {
            user: user.to_owned(),
            place: names::place(&self.book, &access.reach),
            restrict: access.restriction,
            permissions: self.book.keys(access.permissions),
        };
        let bare = |scope| Delta {
            user: user.to_owned(),
            place: names::place(&self.book, &Reach::Scope(scope)),
            restrict: Restriction::NONE,
            permissions: Vec::new(),
        };
        let gains = diff.gained.into_iter().map(delta);
        for gain in gains.chain(diff.joined.into_iter().map(bare)) {
            found.counts.gains += 1;
            line(&mut found.lines, '+', &gain);
            keep(&mut found.gains, gain);
        }
        let losses = diff.lost.into_iter().map(delta);
        for loss in losses.chain(diff.left.into_iter().map(bare)) {
            found.counts.losses += 1;
            line(&mut found.lines, '-', &loss);
            keep(&mut found.losses, loss);
        }
    }
}

impl Tally {
    /// Pages come in the order of users.
    fn add(&mut self, page: Found) {
        self.digest.update(page.lines);
        self.prints.extend(page.prints);
        self.counts.users += page.counts.users;
        self.counts.changed += page.counts.changed;
        self.counts.gains += page.counts.gains;
        self.counts.losses += page.counts.losses;
        page.gains.into_iter().for_each(|gain| keep(&mut self.gains, gain));
        page.losses.into_iter().for_each(|loss| keep(&mut self.losses, loss));
    }
}

fn keep(list: &mut Vec<Delta>, delta: Delta) {
    if list.len() < MAX_DELTAS {
        list.push(delta);
    }
}

fn line(lines: &mut String, sign: char, delta: &Delta) {
    // Writing to a text cannot fail.
    let _ = writeln!(lines, "{sign}{delta:?}");
}

fn print(lines: &str) -> Print {
    let hash: [u8; 32] = Sha256::digest(lines).into();
    let mut print = Print::default();
    let length = print.len();
    print.copy_from_slice(&hash[..length]);
    print
}

/// The record a grant is about.
fn named(grant: &Grant) -> Option<&RecordRef> {
    match &grant.reach {
        Reach::Record(record) => Some(record),
        Reach::All | Reach::Scope(_) => None,
    }
}

/// The records that grants of the users themselves name, each once.
pub(super) fn own_records(rows: &[DecisionRow]) -> Vec<RecordRef> {
    let own = rows.iter().flat_map(|row| &row.facts.grants).filter_map(named);
    let each: BTreeSet<RecordRef> = own.cloned().collect();
    each.into_iter().collect()
}

/// Where records lie, each of them once.
async fn records(reader: &Reader, wanted: Vec<RecordRef>) -> Result<Records> {
    if wanted.is_empty() {
        return Ok(Records::new());
    }
    let rows = reader.records().scopes_of_each(&wanted).await?;
    Ok(by_record(wanted, rows))
}

/// The same out of the rows that say it; records in no scope are there, too.
pub(super) fn by_record(wanted: Vec<RecordRef>, rows: Vec<(RecordRef, ScopeKey)>) -> Records {
    let mut found: Records = wanted.into_iter().map(|record| (record, Vec::new())).collect();
    for (record, scope) in rows {
        found.entry(record).or_default().push(scope);
    }
    found
}
