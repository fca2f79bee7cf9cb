//! What a caller says of a rule, checked before a unit begins.

use serde_json::{Value, json};

use crate::access::permission::Predefined;
use crate::access::{Condition, Facts, GroupFact, GroupSet, Outcome, Reach, State, Validity, invariant};
use crate::base::clock::Timestamp;
use crate::base::id::Pk;
use crate::scim::schema::ResourceType;
use crate::service::access::authority::Held;
use crate::service::access::desk::Desk;
use crate::service::access::grants::permissions_of;
use crate::service::access::{names, policy};
use crate::service::error::{Error, Refusal, Result};
use crate::store::Kind;

/// Most outcomes of a rule.
const MAX_OUTCOMES: usize = 100;
/// Most examples of a rule.
const MAX_EXAMPLES: usize = 50;

/// What a rule is to give: a role on a scope or record, membership of a scope, or membership of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutcomeAsked {
    /// Id of a role; with `scope` or `record`.
    pub role: Option<String>,
    /// Id of a scope; `all` is everywhere. Alone, it is the bare membership.
    pub scope: Option<String>,
    /// Kind and id of a record; with `role`.
    pub record: Option<(String, String)>,
    /// Id of a group; alone.
    pub group: Option<String>,
}

/// A user made up to show what the condition is meant to say; checked at every save.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// A SCIM representation of a user.
    pub user: Value,
    /// Display names of groups the user is in.
    pub groups: Vec<String>,
    /// Whether the condition is to hold.
    pub holds: bool,
}

/// What a new rule is.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRule {
    /// Unique in the tenant in any letter case.
    pub name: String,
    /// The condition: a SCIM filter over users.
    pub when: String,
    /// What it gives; not empty.
    pub then: Vec<OutcomeAsked>,
    /// Draft or active.
    pub state: State,
    /// When it counts.
    pub validity: Validity,
    /// What it is meant to say.
    pub examples: Vec<Example>,
}

/// What becomes of a rule; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleChange {
    /// Another name.
    pub name: Option<String>,
    /// Another condition.
    pub when: Option<String>,
    /// Other outcomes, all of them.
    pub then: Option<Vec<OutcomeAsked>>,
    /// Another state.
    pub state: Option<State>,
    /// Another start; `None` inside is no start.
    pub valid_from: Option<Option<Timestamp>>,
    /// Another end; `None` inside is no end.
    pub valid_to: Option<Option<Timestamp>>,
    /// Other examples, all of them.
    pub examples: Option<Vec<Example>>,
    /// The version this is a change of; refused when the rule is at another.
    pub expected: Option<i64>,
}

/// Reads a condition.
pub(in crate::service::access) fn condition(text: &str, user: &ResourceType) -> Result<Condition> {
    Condition::compile(text, user).map_err(|fault| Error::Invalid(Refusal::of_filter("/when", fault)))
}

pub(super) fn check_validity(validity: Validity) -> Result<()> {
    match (validity.from, validity.to) {
        (Some(from), Some(to)) if to <= from => Err(Error::invalid("/valid_to", "`valid_to` is after `valid_from`")),
        _ => Ok(()),
    }
}

/// Whether the condition says what its examples say.
pub(super) fn check_examples(condition: &Condition, examples: &[Example]) -> Result<()> {
    if examples.len() > MAX_EXAMPLES {
        return Err(Error::invalid("/examples", format!("at most {MAX_EXAMPLES} examples")));
    }
    for (at, example) in examples.iter().enumerate() {
        let mut facts = Facts::new(Pk(0), "", true);
        facts.groups = (1..)
            .zip(&example.groups)
            .map(|(number, name)| GroupFact {
                pk: Pk(number),
                id: name.clone(),
                display: name.clone(),
                direct: true,
                parents: Vec::new(),
            })
            .collect();
        let holds = condition.holds(condition.bits(&example.user), &GroupSet::stored(&facts));
        if holds != example.holds {
            let does = if holds { "holds" } else { "does not hold" };
            return Err(Error::invalid(
                format!("/examples/{at}"),
                format!("the condition {does} for this example"),
            ));
        }
    }
    Ok(())
}

/// Examples as they are kept.
pub(super) fn examples_text(examples: &[Example]) -> String {
    let rows: Vec<Value> = examples
        .iter()
        .map(|example| json!({"user": example.user, "groups": example.groups, "holds": example.holds}))
        .collect();
    Value::Array(rows).to_string()
}

/// The same, read back; what cannot be read is left out.
pub(super) fn read_examples(text: &str) -> Vec<Example> {
    let rows: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    let read = |row: &Value| Example {
        user: row["user"].clone(),
        groups: row["groups"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        holds: row["holds"].as_bool().unwrap_or(true),
    };
    rows.iter().map(read).collect()
}

/// What outcomes mean, in the unit: the policy must be held.
pub(super) async fn outcomes(desk: &mut Desk, asked: &[OutcomeAsked], held: Held) -> Result<Vec<Outcome>> {
    if asked.is_empty() || asked.len() > MAX_OUTCOMES {
        return Err(Error::invalid(
            "/then",
            format!("a rule gives 1 to {MAX_OUTCOMES} things"),
        ));
    }
    let mut outcomes = Vec::with_capacity(asked.len());
    for (at, asked) in asked.iter().enumerate() {
        let outcome = outcome(desk, &format!("/then/{at}"), asked, held).await?;
        if !outcomes.contains(&outcome) {
            outcomes.push(outcome);
        }
    }
    fills(desk, &outcomes, held).await?;
    Ok(outcomes)
}

/// Lets pass who holds all that being in the groups can come to: who fills a group gives what it gives. The policy must
/// be held.
pub(super) async fn fills(desk: &mut Desk, outcomes: &[Outcome], held: Held) -> Result<()> {
    let group = |outcome: &Outcome| match outcome {
        Outcome::Group(group) => Some(*group),
        Outcome::Role { .. } | Outcome::Member(_) => None,
    };
    let groups: Vec<Pk> = outcomes.iter().filter_map(group).collect();
    if groups.is_empty() {
        return Ok(());
    }
    // The policy may not know the groups yet, nor what they are nested in.
    let nested = desk.unit.policy().groups(&groups).await?;
    let shared = desk.unit.policy().load().await?;
    let (mut policy, _) = policy::read(&desk.services, &desk.caller, shared)?;
    policy.groups.extend(nested);
    held.covers(&desk.services, policy.reachable(&groups))
}

async fn outcome(desk: &mut Desk, pointer: &str, asked: &OutcomeAsked, held: Held) -> Result<Outcome> {
    let at = |member: &str| format!("{pointer}/{member}");
    match (&asked.role, &asked.scope, &asked.record, &asked.group) {
        (Some(role), scope, record, None) => {
            let reach = match (scope, record) {
                (Some(scope), None) => names::find_reach(&mut desk.unit, &at("scope"), scope).await?,
                (None, Some((kind, id))) => Reach::Record(names::record(&at("record"), kind, id)?),
                _ => return Err(Error::invalid(pointer, "a role is given on a `scope` or on a `record`")),
            };
            let role = names::find_role(&mut desk.unit, &at("role"), role).await?;
            if role == Predefined::Owner.key() {
                return Err(invariant::Violation::OwnerIsTransferred.into());
            }
            let permissions = permissions_of(desk, role).await?;
            held.covers(&desk.services, permissions)?;
            Ok(Outcome::Role { role, reach })
        }
        (None, Some(scope), None, None) => {
            if scope == names::ALL {
                return Err(Error::invalid(
                    at("scope"),
                    "everybody is a member of `all`; name a role, too",
                ));
            }
            let scope = names::find_scope(&mut desk.unit, &at("scope"), scope).await?;
            Ok(Outcome::Member(scope.scope.key))
        }
        (None, None, None, Some(group)) => {
            let (pk, _) = names::find_resource(&mut desk.unit, &at("group"), Kind::Group, group).await?;
            Ok(Outcome::Group(pk))
        }
        _ => Err(Error::invalid(
            pointer,
            "an outcome is `role` with `scope` or `record`, `scope` alone, or `group` alone",
        )),
    }
}
