//! An explanation as JSON: the tree that a use case gives, with ids and names in place of keys.

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::service::access::explain::Explained as Answer;
use crate::service::access::{
    Basis, ExplainedPlace as Place, Explanation as Explained, Lack, Lookup, Miss, Obstacle, Offer, Proof, Reason,
    ScopeLabel, Source, Support, Way, WayIn, names,
};

/// Why a user may do something, or why not.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explanation {
    /// Id of the user.
    user: String,
    /// `active`, or `invited`, `suspended` or `deactivated`: then nothing else counts.
    status: &'static str,
    /// Whether the user has the permission; where none was asked for, whether they have any.
    allowed: bool,
    /// The permission that was asked for.
    permission: Option<String>,
    /// What was asked about: a `scope`, `all` for the organisation as a whole, or a `record`.
    #[schema(value_type = Object)]
    place: Value,
    /// What the user has there, of what was asked: keys.
    permissions: Vec<String>,
    /// Every way in which they have it, each of which stands on its own.
    #[schema(value_type = Vec<Object>)]
    supports: Vec<Value>,
    /// Whether there are more ways than are listed.
    cut: bool,
    /// What would come nearest to giving the permission, nearest first, and what stands in the way.
    #[schema(value_type = Vec<Object>)]
    misses: Vec<Value>,
    /// How many further ones are not listed.
    more_misses: usize,
    /// The whole as a tree of text.
    text: String,
    /// Version of the policy.
    policy_version: i64,
}

impl From<Answer> for Explanation {
    fn from(explained: Answer) -> Self {
        let Answer {
            explanation,
            permissions,
            status,
        } = explained;
        Self {
            text: explanation.to_string(),
            status: status.as_str(),
            allowed: explanation.allowed(),
            place: place(&explanation.place),
            permissions,
            supports: explanation
                .supports
                .iter()
                .map(|each| support(&explanation, each))
                .collect(),
            cut: explanation.cut,
            misses: explanation.misses.iter().map(miss).collect(),
            more_misses: explanation.more_misses,
            user: explanation.user,
            permission: explanation.permission,
            policy_version: explanation.version,
        }
    }
}

fn scope(label: &ScopeLabel) -> Value {
    json!({ "id": label.id, "name": label.name, "kind": label.kind.as_str() })
}

fn place(place: &Place) -> Value {
    match place {
        Place::All => json!({ "scope": names::ALL, "scope_name": "All" }),
        Place::Scope(label) => json!({ "scope": label.id, "scope_name": label.name, "kind": label.kind.as_str() }),
        Place::Record(record) => json!({ "record": { "kind": record.kind, "id": record.id } }),
    }
}

/// Both objects in one.
fn with(mut said: Value, more: Value) -> Value {
    if let (Some(said), Value::Object(more)) = (said.as_object_mut(), more) {
        said.extend(more);
    }
    said
}

/// Who wrote something, where that is known.
fn sourced(mut said: Value, source: Option<&Source>) -> Value {
    if let Some(source) = source {
        said["source"] = json!({
            "at": source.at.rfc3339(),
            "by": source.by,
            "request_id": source.request_id,
        });
    }
    said
}

fn support(explanation: &Explained, support: &Support) -> Value {
    let sources = Lookup::of(explanation, support);
    let mut said = with(
        json!({ "role": support.role.id, "role_name": support.role.name, "permissions": support.keys }),
        place(&support.held),
    );
    if !support.restriction.is_empty() {
        said["restrict"] = json!(support.restriction.0);
    }
    if let Some((_, report)) = &support.report {
        said["report"] = report.as_str().into();
    }
    if !support.lies.is_empty() {
        said["lies"] = support.lies.iter().map(scope).collect();
    }
    match &support.basis {
        Basis::Grant {
            id, origin, through, ..
        } => {
            said["grant"] = id.as_str().into();
            said["origin"] = origin.as_str().into();
            if let Some(through) = through {
                said["through"] = way(through, sources);
            }
            said = sourced(said, sources.grant(&support.basis));
        }
        Basis::Rule(rule) => said = with(said, proof(rule, sources)),
    }
    said
}

fn proof(proof: &Proof, sources: Lookup<'_>) -> Value {
    let reasons = proof.reasons.iter().map(|each| reason(proof, each, sources));
    let said = json!({
        "rule": proof.rule.id,
        "rule_name": proof.rule.name,
        "version": proof.version,
        "reasons": reasons.collect::<Vec<_>>(),
    });
    sourced(said, sources.rule(proof))
}

fn reason(proof: &Proof, reason: &Reason, sources: Lookup<'_>) -> Value {
    let said = match reason {
        Reason::Profile { filter, holds, .. } => json!({ "about": "profile", "filter": filter, "holds": holds }),
        Reason::NoGroup { filter, holds, .. } => json!({ "about": "groups", "filter": filter, "holds": holds }),
        Reason::Group {
            filter,
            holds,
            way: through,
            ..
        } => json!({ "about": "groups", "filter": filter, "holds": holds, "through": way(through, sources) }),
    };
    sourced(said, sources.profile(proof, reason))
}

fn way(way: &Way, sources: Lookup<'_>) -> Value {
    let steps = way.groups.iter().zip(sources.steps(way));
    let groups = steps.map(|(group, source)| sourced(json!({ "group": group.id, "group_name": group.name }), source));
    let mut said = json!({ "groups": groups.collect::<Vec<_>>() });
    match &way.entry {
        WayIn::Member => said["by"] = "member".into(),
        WayIn::Unknown => said["by"] = "nested".into(),
        WayIn::Rule(rule) => {
            said["by"] = "rule".into();
            said = with(said, proof(rule, sources));
        }
    }
    said
}

fn miss(miss: &Miss) -> Value {
    let said = json!({
        "role": miss.role.id,
        "role_name": miss.role.name,
        "obstacles": miss.obstacles.iter().map(obstacle).collect::<Vec<_>>(),
    });
    let mut said = with(said, place(&miss.held));
    match &miss.offer {
        Offer::Grant { id, group, .. } => {
            said["grant"] = id.as_str().into();
            if let Some(group) = group {
                said["group"] = group.id.as_str().into();
                said["group_name"] = group.name.as_str().into();
            }
        }
        Offer::Rule(rule) => {
            said["rule"] = rule.id.as_str().into();
            said["rule_name"] = rule.name.as_str().into();
        }
    }
    said
}

fn obstacle(obstacle: &Obstacle) -> Value {
    let (kind, more) = match obstacle {
        Obstacle::NotYet(at) => ("not_yet_valid", json!({ "at": at.rfc3339() })),
        Obstacle::Over(at) => ("expired", json!({ "at": at.rfc3339() })),
        Obstacle::NotRunning(program) => ("program_not_running", json!({ "program": scope(program) })),
        Obstacle::Restricted(restriction) => ("restriction", json!({ "restrict": restriction.0 })),
        Obstacle::OnlyOnAll => ("only_on_all", Value::Object(Map::new())),
        Obstacle::RoleLacks => ("role_lacks_permission", Value::Object(Map::new())),
        Obstacle::Elsewhere => ("held_elsewhere", Value::Object(Map::new())),
        Obstacle::NotInGroup => ("not_in_group", Value::Object(Map::new())),
        Obstacle::Condition(missing) => ("condition", json!({ "lacks": lack(missing) })),
    };
    with(json!({ "kind": kind }), more)
}

fn lack(lack_of: &Lack) -> Value {
    match lack_of {
        Lack::All(parts) => json!({ "all_of": parts.iter().map(lack).collect::<Vec<_>>() }),
        Lack::Any(parts) => json!({ "one_of": parts.iter().map(lack).collect::<Vec<_>>() }),
        Lack::Part {
            filter,
            must_hold,
            of_groups,
        } => json!({
            "about": if *of_groups { "groups" } else { "profile" },
            "filter": filter,
            "must_hold": must_hold,
        }),
    }
}
