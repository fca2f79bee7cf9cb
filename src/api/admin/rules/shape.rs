//! Rules as they stand in requests and answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::admin::grants::{Made, validity};
use crate::api::admin::wire::{self, Instant, Place, Record};
use crate::service::access::rules::{self, OutcomeAsked, OutcomeShown};
use crate::service::access::{State, names};

/// What a rule is to give: `{role, scope}` or `{role, record}` a role, `{scope}` the bare membership of a scope,
/// `{group}` membership of a group, which is a smart group then.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOutcome {
    /// Id of a role.
    #[serde(default)]
    role: Option<String>,
    /// Id of a scope; `all` for everything.
    #[serde(default)]
    scope: Option<String>,
    /// A record.
    #[serde(default)]
    record: Option<Record>,
    /// Id of a group.
    #[serde(default)]
    group: Option<String>,
}

/// What a rule gives.
#[derive(Debug, Serialize, ToSchema)]
pub struct Outcome {
    /// Id of the role.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    role_name: Option<String>,
    /// Where, or the scope itself.
    #[serde(flatten)]
    place: Option<Place>,
    /// Id of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_name: Option<String>,
}

/// A user made up to show what a condition is meant to say. A rule that contradicts its examples is not saved.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// A SCIM representation.
    #[schema(value_type = Object)]
    user: Value,
    /// Display names of groups the user is in.
    #[serde(default)]
    groups: Vec<String>,
    /// Whether the condition is to hold.
    holds: bool,
}

/// Where a rule is in its life.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Life {
    /// Being written: counts for nothing.
    Draft,
    /// Counts.
    Active,
    /// Kept for history: counts for nothing.
    Retired,
}

/// How a rule begins.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Birth {
    /// Being written: counts for nothing.
    Draft,
    /// Counts.
    Active,
}

/// A rule to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRule {
    /// Unique in any letter case.
    name: String,
    /// The condition: a SCIM filter over users.
    when: String,
    /// What it gives.
    then: Vec<NewOutcome>,
    /// When absent a draft; in a preview, active.
    #[serde(default)]
    state: Option<Birth>,
    /// From when it counts, this instant included.
    #[serde(default)]
    valid_from: Option<Instant>,
    /// Until when it counts, this instant excluded.
    #[serde(default)]
    valid_to: Option<Instant>,
    /// What it is meant to say.
    #[serde(default)]
    examples: Vec<Example>,
}

/// What becomes of a rule; what is absent stays.
#[expect(
    clippy::option_option,
    reason = "absent, null and an instant are three things to say"
)]
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleChange {
    /// The version this is a change of: 412 when the rule is at another.
    #[serde(default)]
    version: Option<i64>,
    /// Another name.
    #[serde(default)]
    name: Option<String>,
    /// Another condition.
    #[serde(default)]
    when: Option<String>,
    /// Other outcomes: all of them.
    #[serde(default)]
    then: Option<Vec<NewOutcome>>,
    /// Another state.
    #[serde(default)]
    state: Option<Life>,
    /// Another start; null is none.
    #[serde(default, deserialize_with = "wire::nullable")]
    #[schema(value_type = Option<Instant>)]
    valid_from: Option<Option<Instant>>,
    /// Another end; null is none.
    #[serde(default, deserialize_with = "wire::nullable")]
    #[schema(value_type = Option<Instant>)]
    valid_to: Option<Option<Instant>>,
    /// Other examples: all of them.
    #[serde(default)]
    examples: Option<Vec<Example>>,
}

/// A rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rule {
    /// A UUID.
    id: String,
    /// For people.
    name: String,
    /// Counts every change.
    version: i64,
    /// Whether it counts.
    state: Life,
    /// The condition: a SCIM filter over users.
    when: String,
    /// What it gives.
    then: Vec<Outcome>,
    /// From when it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<Instant>,
    /// Until when it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<Instant>,
    /// What it is meant to say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    examples: Vec<Example>,
    /// All of it in one plain sentence.
    sentence: String,
    /// The version that comes into force as soon as its users are found, and how far that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
    /// When it was made.
    created: Instant,
    /// When it last changed.
    modified: Instant,
}

/// How far a version is on its way into force.
#[derive(Debug, Serialize, ToSchema)]
pub struct Progress {
    /// `preparing`.
    state: &'static str,
    /// The version.
    version: i64,
    /// Users that were looked at.
    done: u64,
    /// Users that there are.
    total: u64,
}

/// One version of a rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleVersion {
    /// Its number.
    version: i64,
    /// `draft`, `active`, `retired`, `preparing` or `abandoned`.
    state: &'static str,
    /// For people.
    name: String,
    /// The condition.
    when: String,
    /// What it gives.
    then: Vec<Outcome>,
    /// From when it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<Instant>,
    /// Until when it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<Instant>,
    /// Who made it.
    made: Made,
}

impl From<Life> for State {
    fn from(life: Life) -> Self {
        match life {
            Life::Draft => Self::Draft,
            Life::Active => Self::Active,
            Life::Retired => Self::Retired,
        }
    }
}

impl From<State> for Life {
    fn from(state: State) -> Self {
        match state {
            State::Draft => Self::Draft,
            State::Active => Self::Active,
            State::Retired => Self::Retired,
        }
    }
}

impl From<NewOutcome> for OutcomeAsked {
    fn from(outcome: NewOutcome) -> Self {
        Self {
            role: outcome.role,
            scope: outcome.scope,
            record: outcome.record.map(|record| (record.kind, record.id)),
            group: outcome.group,
        }
    }
}

impl From<OutcomeShown> for Outcome {
    fn from(outcome: OutcomeShown) -> Self {
        let (role, place, group) = match outcome {
            OutcomeShown::Role { role, place } => (Some(role), Some(place), None),
            OutcomeShown::Member(scope) => (None, Some(names::Place::Scope(scope)), None),
            OutcomeShown::Group(group) => (None, None, Some(group)),
        };
        let (role, role_name) = role.map(|role| (role.id, role.name)).unzip();
        let (group, group_name) = group.map(|group| (group.id, group.name)).unzip();
        Self {
            role,
            role_name,
            place: place.map(Place::from),
            group,
            group_name,
        }
    }
}

impl From<Example> for rules::Example {
    fn from(example: Example) -> Self {
        Self {
            user: example.user,
            groups: example.groups,
            holds: example.holds,
        }
    }
}

impl From<rules::Example> for Example {
    fn from(example: rules::Example) -> Self {
        Self {
            user: example.user,
            groups: example.groups,
            holds: example.holds,
        }
    }
}

impl From<rules::Rule> for Rule {
    fn from(rule: rules::Rule) -> Self {
        Self {
            id: rule.id,
            name: rule.name,
            version: rule.version,
            state: rule.state.into(),
            when: rule.when,
            then: each(rule.then),
            valid_from: wire::at(rule.validity.from),
            valid_to: wire::at(rule.validity.to),
            examples: each(rule.examples),
            sentence: rule.sentence,
            progress: rule.progress.map(Progress::from),
            created: Instant(rule.created),
            modified: Instant(rule.modified),
        }
    }
}

impl From<rules::Progress> for Progress {
    fn from(progress: rules::Progress) -> Self {
        Self {
            state: "preparing",
            version: progress.version,
            done: progress.done,
            total: progress.total,
        }
    }
}

impl From<rules::Version> for RuleVersion {
    fn from(version: rules::Version) -> Self {
        Self {
            version: version.version,
            state: version.state,
            name: version.name,
            when: version.when,
            then: each(version.then),
            valid_from: wire::at(version.validity.from),
            valid_to: wire::at(version.validity.to),
            made: version.made.into(),
        }
    }
}

fn each<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(U::from).collect()
}

impl NewRule {
    /// The rule in the words of the use case; without a state, it is this one.
    #[must_use]
    pub fn read(self, absent: State) -> rules::NewRule {
        rules::NewRule {
            name: self.name,
            when: self.when,
            then: each(self.then),
            state: self.state.map_or(absent, |state| match state {
                Birth::Draft => State::Draft,
                Birth::Active => State::Active,
            }),
            validity: validity(self.valid_from, self.valid_to),
            examples: each(self.examples),
        }
    }
}

impl RuleChange {
    /// The change in the words of the use case.
    #[must_use]
    pub fn read(self) -> rules::RuleChange {
        rules::RuleChange {
            name: self.name,
            when: self.when,
            then: self.then.map(each),
            state: self.state.map(State::from),
            valid_from: self.valid_from.map(|at| at.map(|at| at.0)),
            valid_to: self.valid_to.map(|at| at.map(|at| at.0)),
            examples: self.examples.map(each),
            expected: self.version,
        }
    }
}
