//! An instant: its position in the log, and the policy that was in force.

use crate::access::{Condition, Facts, RecordRef, RuleBits};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId};
use crate::event::Seq;
use crate::event::past::{Gap, PersonPast, PolicyPast, Sides, Stage, Ties, Told};
use crate::scim::Document;
use crate::service::access::authority::{AUDIT, require};
use crate::service::access::policy::{self, Book, Watched};
use crate::service::context::{Caller, Services};
use crate::service::derive;
use crate::service::error::{Error, Result};
use crate::service::log::settled;

/// Events of the policy that are read in one statement.
const AT_ONCE: u32 = 1_000;

/// What an answer about the past cannot know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Incomplete {
    /// Positions and kinds of events that do not say what they should: the log is from before they did.
    pub gaps: Vec<(i64, String)>,
    /// Values of the person cannot be read any more: rules over them count as not fulfilled.
    pub erased: bool,
    /// Managers saw what those see who report to them; that is not part of the answer.
    pub reports: bool,
    /// Something that was saved by then has no position yet: the answer may be another one when it has.
    pub behind: bool,
}

impl Incomplete {
    /// What either of two answers cannot know.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.gaps.extend(other.gaps);
        self.gaps.sort_unstable();
        self.gaps.dedup();
        Self {
            gaps: self.gaps,
            erased: self.erased || other.erased,
            reports: self.reports || other.reports,
            behind: self.behind || other.behind,
        }
    }
}

/// An instant that is asked about, and how far the log is told for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    /// The last position that was not after it.
    pub(super) seq: Seq,
    /// Whether something that was saved by then has no position yet.
    pub(super) behind: bool,
}

/// A moment, and what all shared then.
pub(super) struct Scene {
    pub(super) moment: Moment,
    pub(super) stage: Stage,
    pub(super) book: Book,
}

/// The moments of these instants, each with the name by which it is refused; where none is given, that at which the log
/// ends.
///
/// # Errors
/// `Forbidden`; `Invalid` for an instant that is still to come.
pub(super) async fn moments<const N: usize>(
    services: &Services,
    caller: &Caller,
    asked: [(&'static str, Option<Timestamp>); N],
) -> Result<[Moment; N]> {
    require(services, caller, &[AUDIT]).await?;
    let behind = !settled(services, caller).await?;
    let reader = services.read(caller);
    let (end, last) = reader.events().end().await?;
    // Instants of the log may be ahead of the clock: that of another node was, or much happened at once.
    let latest = last.max(services.clock().now());
    let now = Moment {
        at: latest,
        seq: end,
        behind,
    };
    let mut moments = [now; N];
    for (moment, (name, at)) in moments.iter_mut().zip(asked) {
        let Some(at) = at else { continue };
        if at > latest {
            let reason = "what will be is not known: an instant that has passed belongs here";
            return Err(Error::invalid(name, reason));
        }
        moment.at = at;
        // What gets its position from now on has a later instant than the last.
        moment.behind = behind && at > last;
        if at < last {
            moment.seq = reader.events().position(at).await?;
        }
    }
    Ok(moments)
}

impl Scene {
    /// The scene at a moment. Of records only this one is looked at.
    pub(super) async fn at(
        services: &Services,
        caller: &Caller,
        moment: Moment,
        record: Option<RecordRef>,
    ) -> Result<Self> {
        let policy = policy_at(services, caller, moment.seq, record).await?;
        let groups: Vec<Pk> = policy.groups().map(|group| group.pk).collect();
        let nesting = services.read(caller).events().ties(&groups, moment.seq).await?;
        let stage = Stage {
            policy,
            nesting: Ties::told(nesting),
        };
        let user = caller.user_type()?;
        let policy = stage.policy(services.catalogue(), |when| Condition::compile(when, user).ok());
        let watched = policy.rules.iter().map(|rule| Watched {
            rule: rule.key,
            version: rule.matched,
            condition: rule.when.clone(),
            in_force: true,
        });
        let watched = watched.collect();
        Ok(Self {
            moment,
            book: policy::bound(policy, watched),
            stage,
        })
    }

    /// What the access engine is told of somebody.
    pub(super) fn facts(&self, person: &PersonPast, ties: &Ties) -> Facts {
        let mut facts = self.stage.facts(person, ties);
        let (created, modified, version) = person.meta();
        let id = ResourceId::new(person.id.as_str());
        let meta = derive::Meta {
            id: &id,
            version,
            created,
            modified,
        };
        let whole = derive::whole(&document(person), &meta);
        let bits = self.book.watched.iter().map(|watched| RuleBits {
            rule: watched.rule,
            version: watched.version,
            bits: watched.condition.bits(&whole),
        });
        facts.bits = bits.filter(|one| one.bits != 0).collect();
        facts
    }

    /// What is not known of somebody's access.
    pub(super) fn incomplete(&self, person: &PersonPast) -> Incomplete {
        let gaps = self.stage.policy.gaps().iter().chain(person.gaps());
        Incomplete {
            gaps: told(gaps),
            erased: person.is_erased(),
            reports: self.stage.policy.managers_see_reports(),
            behind: self.moment.behind,
        }
    }
}

/// Gaps in words of the wire.
pub(super) fn told<'g>(gaps: impl IntoIterator<Item = &'g Gap>) -> Vec<(i64, String)> {
    let mut told: Vec<(i64, String)> = gaps.into_iter().map(|gap| (gap.seq.0, gap.kind.clone())).collect();
    told.sort_unstable();
    told
}

/// The document of somebody, as conditions are asked of it.
fn document(person: &PersonPast) -> Document {
    let text = serde_json::Value::Object(person.document().clone()).to_string();
    Document::from_stored(&text).unwrap_or_default()
}

/// The policy at a position.
async fn policy_at(services: &Services, caller: &Caller, seq: Seq, record: Option<RecordRef>) -> Result<PolicyPast> {
    let mut policy = PolicyPast::begin(record);
    let reader = services.read(caller);
    let mut after = Seq(0);
    loop {
        let events = reader.events().of_policy(after, seq, AT_ONCE).await?;
        for witness in &events {
            policy.tell(&Told::of(&witness.kept.event, witness.pk, Sides::None));
        }
        match events.last() {
            Some(last) if events.len() == AT_ONCE as usize => after = last.kept.event.seq,
            _ => return Ok(policy),
        }
    }
}
