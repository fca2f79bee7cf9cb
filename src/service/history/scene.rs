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
}

/// An instant.
pub(super) struct Scene {
    pub(super) at: Timestamp,
    pub(super) seq: Seq,
    pub(super) stage: Stage,
    pub(super) book: Book,
}

/// Whether history may be asked about at these instants, each with the name by which it is refused.
///
/// # Errors
/// `Forbidden`; `Invalid` for an instant that is still to come.
pub(super) async fn admit(services: &Services, caller: &Caller, asked: &[(&'static str, Timestamp)]) -> Result<()> {
    require(services, caller, &[AUDIT]).await?;
    let now = services.clock().now();
    match asked.iter().find(|(_, at)| *at > now) {
        None => Ok(()),
        Some((name, _)) => {
            let reason = "what will be is not known: an instant that has passed belongs here";
            Err(Error::invalid(*name, reason))
        }
    }
}

/// The position of an instant that may be asked about.
pub(super) async fn position(services: &Services, caller: &Caller, at: Timestamp) -> Result<Seq> {
    settled(services, caller).await?;
    Ok(services.read(caller).events().position(at).await?)
}

impl Scene {
    /// The scene at an instant whose position is known. Of records only this one is looked at.
    pub(super) async fn at(
        services: &Services,
        caller: &Caller,
        (at, seq): (Timestamp, Seq),
        record: Option<RecordRef>,
    ) -> Result<Self> {
        let policy = policy_at(services, caller, seq, record).await?;
        let groups: Vec<Pk> = policy.groups().map(|group| group.pk).collect();
        let nesting = services.read(caller).events().ties(&groups, seq).await?;
        let stage = Stage {
            policy,
            nesting: Ties::told(nesting),
        };
        let user = services.user_type()?;
        let policy = stage.policy(services.catalogue(), |when| Condition::compile(when, user).ok());
        let watched = policy.rules.iter().map(|rule| Watched {
            rule: rule.key,
            version: rule.matched,
            condition: rule.when.clone(),
            in_force: true,
        });
        let watched = watched.collect();
        Ok(Self {
            at,
            seq,
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
