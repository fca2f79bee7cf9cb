//! What happened as a security event token (RFC 8417): SCIM's own events (RFC 9967), and those of CAEP and RISC by which
//! the end of an account is known elsewhere.
//!
//! One event of the log is one token for a stream, a function of the event and of the stream alone: sent again, it has the
//! same id and says the same.

mod answer;
mod uris;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::change::Changes;
use super::kind::Kind;
use super::numbered::{Event, Seq};

pub use answer::Answer;
pub use uris::SetEvent;

/// `typ` of the header (RFC 8417 §2.3).
pub const TYPE: &str = "secevent+jwt";

/// Longest `state` of a verification, in bytes.
pub const MAX_STATE_BYTES: usize = 255;

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

type Object = Map<String, Value>;

/// Members of the details of an event about a group: who joined and who left.
pub const ADDED: &str = "members_added";
/// See [`ADDED`].
pub const REMOVED: &str = "members_removed";

/// By which request something was changed: it was given a new whole.
const VIA_PUT: &str = "put";
/// It was made, and the event tells more of that.
pub const VIA_CREATE: &str = "create";

/// It came back, and the event tells more of that.
pub const VIA_RESTORE: &str = "restore";

/// Of how many extensions something else is kept aside of a resource.
pub const ASIDE: &str = "aside";

/// Of a part of a change that is not the first: true.
pub const MORE: &str = "more";

/// The event of a token that tries a stream; no stream has to ask for it.
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its id: ids of its tokens begin with it.
    pub uid: String,
    /// What URLs of this server begin with.
    pub issuer: String,
    /// Who the tokens are for.
    pub audience: String,
    /// What it wants to be told.
    pub events: BTreeSet<SetEvent>,
}

/// What is known of the values of an event: nothing, once the person was erased.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values {
    /// What the event changed.
    pub changes: Option<Changes>,
    /// The whole after it.
    pub whole: Option<Object>,
}

impl Stream {
    /// The id of the token about the event at a position.
    #[must_use]
    pub fn jti(&self, seq: Seq) -> String {
        format!("{}-{seq}", self.uid)
    }

    /// The position that an id of a token of this stream stands for.
    #[must_use]
    pub fn position(&self, jti: &str) -> Option<Seq> {
        let digits = jti.strip_prefix(self.uid.as_str())?.strip_prefix('-')?;
        let seq = digits.parse().ok().filter(|seq: &i64| seq.to_string() == digits)?;
        Some(Seq(seq))
    }

    /// Whether the stream is told of an event.
    #[must_use]
    pub fn tells(&self, event: &Event) -> bool {
        self.is_verification(event) || !self.meant(event).is_empty()
    }

    /// Whether the whole after an event has to be known to tell all of it.
    #[must_use]
    pub fn needs_whole(&self, event: &Event) -> bool {
        self.meant(event).contains(&SetEvent::PutFull)
    }

    /// The claims of the token about an event; `None` where the stream is not told of it.
    #[must_use]
    pub fn claims(&self, event: &Event, values: &Values) -> Option<Value> {
        let (subject, events) = if self.is_verification(event) {
            let state = data(event).get("state").cloned();
            let state: Object = state.map(|state| ("state".to_owned(), state)).into_iter().collect();
            let subject = json!({ "format": "opaque", "id": self.uid });
            (subject, json!({ VERIFICATION: state }))
        } else {
            self.happened(event, values)?
        };
        let seconds = event.at.0.div_euclid(1_000_000);
        Some(json!({
            "iss": self.issuer,
            "aud": [self.audience],
            "iat": seconds,
            "jti": self.jti(event.seq),
            "txn": event.txn,
            "toe": seconds,
            "sub_id": subject,
            "events": events,
        }))
    }

    /// Whether it tells values at all.
    #[must_use]
    pub fn tells_values(&self) -> bool {
        self.events.iter().any(|one| one.is_full())
    }

    fn is_verification(&self, event: &Event) -> bool {
        event.kind() == Some(Kind::ReceiverTested) && event.subject_id.as_deref() == Some(self.uid.as_str())
    }

    /// What an event means, as far as the stream wants to be told.
    fn meant(&self, event: &Event) -> BTreeSet<SetEvent> {
        let mut meant = meaning(event);
        meant.retain(|one| self.events.contains(one));
        // Who joined and left is no part of a whole: whoever wants the whole with its values is told it beside it.
        let whole = match via(event).as_deref() {
            Some(VIA_PUT) => Some(SetEvent::PutFull),
            Some(VIA_CREATE | VIA_RESTORE) => Some(SetEvent::CreateFull),
            _ => None,
        };
        if whole.is_some_and(|whole| self.events.contains(&whole)) && moves_members(event) {
            meant.insert(SetEvent::PatchFull);
        }
        meant
    }

    /// Subject and events of a token about a user or group.
    fn happened(&self, event: &Event, values: &Values) -> Option<(Value, Value)> {
        let meant = self.meant(event);
        let id = event.subject_id.as_deref()?;
        let of_scim = |one: &SetEvent| !matches!(one, SetEvent::SessionRevoked | SetEvent::AccountDisabled);
        let subject = if meant.iter().any(of_scim) {
            let uri = match Answer::of(event) {
                Some(answer) => answer.uri(),
                None => format!("{}/{id}", endpoint(event)),
            };
            let mut subject = json!({ "format": "scim", "uri": uri });
            // It may be a number of an employee: a value as others are.
            let told = values.changes.as_ref().filter(|_| self.tells_values());
            if let Some(called) = told.and_then(external_id) {
                subject["externalId"] = called;
            }
            subject
        } else {
            json!({ "format": "iss_sub", "iss": self.issuer, "sub": id })
        };
        let payloads: Object = meant
            .into_iter()
            .map(|one| match self.payload(one, event, values) {
                Some(payload) => (one.uri().to_owned(), payload),
                None => (one.notice().uri().to_owned(), notice(event, values)),
            })
            .collect();
        (!payloads.is_empty()).then(|| (subject, Value::Object(payloads)))
    }

    /// What is said of an event; `None` where values are wanted that nobody knows any more.
    fn payload(&self, one: SetEvent, event: &Event, values: &Values) -> Option<Value> {
        Some(match one {
            SetEvent::CreateNotice | SetEvent::PatchNotice | SetEvent::PutNotice => notice(event, values),
            SetEvent::CreateFull => {
                let mut whole = Object::new();
                values.changes.as_ref()?.forward(&mut whole);
                let members = members(&data(event), ADDED);
                if !members.is_empty() {
                    whole.insert("members".to_owned(), members.into());
                }
                versioned(event, "data", &self.representation(event, whole))
            }
            SetEvent::PutFull => versioned(event, "data", &self.representation(event, values.whole.clone()?)),
            SetEvent::PatchFull => {
                let operations = operations(event, values.changes.as_ref()?);
                let data = json!({ "schemas": [PATCH_OP], "Operations": operations });
                versioned(event, "data", &data)
            }
            SetEvent::AsyncResponse => Answer::of(event)?.payload(&format!("{}/scim/v2", self.issuer), None),
            SetEvent::SessionRevoked => json!({
                "event_timestamp": event.at.0.div_euclid(1_000_000),
                "initiating_entity": initiator(event),
            }),
            SetEvent::Delete | SetEvent::Activate | SetEvent::Deactivate | SetEvent::AccountDisabled => json!({}),
        })
    }

    /// A resource in SCIM's words.
    fn representation(&self, event: &Event, mut whole: Object) -> Value {
        let id = event.subject_id.as_deref().unwrap_or_default();
        let location = format!("{}/scim/v2{}/{id}", self.issuer, endpoint(event));
        let resource_type = if is_group(event) { "Group" } else { "User" };
        whole.insert("id".to_owned(), id.into());
        let meta = json!({
            "resourceType": resource_type,
            "location": location,
            "version": version(event),
        });
        whole.insert("meta".to_owned(), meta);
        Value::Object(whole)
    }
}

/// What an event of the log means to who is told of provisioning.
fn meaning(event: &Event) -> BTreeSet<SetEvent> {
    use SetEvent::{
        AccountDisabled, Activate, AsyncResponse, CreateFull, CreateNotice, Deactivate, Delete, PatchFull, PatchNotice,
        PutFull, PutNotice, SessionRevoked,
    };
    let Some(kind) = event.kind() else {
        return BTreeSet::new();
    };
    let meant: &[SetEvent] = match kind {
        Kind::UserCreated | Kind::GroupCreated => &[CreateNotice, CreateFull],
        // What somebody else was given is told as their change.
        Kind::UserRestored | Kind::GroupRestored if data(event).get("into").is_none_or(Value::is_null) => {
            &[CreateNotice, CreateFull]
        }
        // What is kept aside is no part of the resource.
        Kind::UserUpdated | Kind::GroupUpdated if is_aside(event) => &[],
        // Of a change that is told in several parts the first one says the whole.
        Kind::UserUpdated | Kind::GroupUpdated if via(event).as_deref() == Some(VIA_PUT) && is_first(event) => {
            &[PutNotice, PutFull]
        }
        Kind::UserUpdated | Kind::GroupUpdated => &[PatchNotice, PatchFull],
        Kind::GroupDeleted => &[Delete],
        Kind::UserDeleted => &[Delete, SessionRevoked, AccountDisabled],
        Kind::UserActivated => &[Activate],
        Kind::RequestAnswered => &[AsyncResponse],
        // Who was kept out before has nothing open.
        Kind::UserSuspended | Kind::UserDeactivated if data(event).get("from") == Some(&json!("active")) => {
            &[Deactivate, SessionRevoked, AccountDisabled]
        }
        _ => &[],
    };
    meant.iter().copied().collect()
}

/// Whether nothing of a resource changed but what is kept aside of it.
fn is_aside(event: &Event) -> bool {
    let data = data(event);
    let nothing = data.get("attributes").is_none_or(|names| names == &json!([]));
    data.get(ASIDE).is_some() && nothing && !moves_members(event)
}

/// Names of what changed, in the words of PATCH.
fn notice(event: &Event, values: &Values) -> Value {
    let data = data(event);
    let mut attributes: Vec<String> = match data.get("attributes") {
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        // What came back as a whole is told by its values.
        _ => values
            .changes
            .iter()
            .flat_map(Changes::paths)
            .map(str::to_owned)
            .collect(),
    };
    if moves_members(event) {
        attributes.push("members".to_owned());
    }
    let attributes: Vec<&str> = attributes.iter().map(|path| path.trim_end_matches(':')).collect();
    versioned(event, "attributes", &json!(attributes))
}

/// One of the two that a token says of a change, and the version after it.
fn versioned(event: &Event, name: &str, said: &Value) -> Value {
    let mut payload = json!({ name: said });
    if let Some(version) = version(event) {
        payload["version"] = version;
    }
    payload
}

/// What does to the document before what the event did; beside a whole, what it did to the members.
fn operations(event: &Event, changes: &Changes) -> Vec<Value> {
    let schemas = |path: &str| path == "schemas";
    let beside = via(event).is_some_and(|via| via == VIA_PUT);
    let told = changes.iter().filter(|change| !beside && !schemas(&change.path));
    let mut operations: Vec<Value> = told
        .map(|change| {
            let path = change.path.trim_end_matches(':');
            match &change.after {
                Some(value) => json!({ "op": "replace", "path": path, "value": value }),
                None => json!({ "op": "remove", "path": path }),
            }
        })
        .collect();
    let data = data(event);
    let joined = members(&data, ADDED);
    if !joined.is_empty() {
        operations.push(json!({ "op": "add", "path": "members", "value": joined }));
    }
    let left = members(&data, REMOVED);
    operations.extend(
        left.iter()
            .map(|member| json!({ "op": "remove", "path": format!("members[value eq {}]", member["value"]) })),
    );
    operations
}

/// Members of a group that an event names.
fn members(data: &Object, name: &str) -> Vec<Value> {
    let ids = data.get(name).and_then(Value::as_array);
    ids.into_iter().flatten().map(|id| json!({ "value": id })).collect()
}

fn moves_members(event: &Event) -> bool {
    let data = data(event);
    [ADDED, REMOVED].iter().any(|name| data.contains_key(*name))
}

/// By which request something was changed, where the event says so.
fn via(event: &Event) -> Option<String> {
    data(event).get("via")?.as_str().map(str::to_owned)
}

/// Whether an event is all there is of a change, or the first of its parts: those after it name members alone.
fn is_first(event: &Event) -> bool {
    data(event).get(MORE).is_none()
}

/// What a connection calls the resource, where the event says so.
fn external_id(changes: &Changes) -> Option<Value> {
    let change = changes.iter().find(|change| change.path == "externalId")?;
    change.after.clone()
}

/// `meta.version` after the event.
fn version(event: &Event) -> Option<Value> {
    let version = data(event).get("version").and_then(Value::as_i64)?;
    Some(format!("W/\"{version}\"").into())
}

/// Who set it in motion, in the words of CAEP 1.0 §2.
fn initiator(event: &Event) -> &'static str {
    match event.actor_kind.as_str() {
        "admin" | "user" | "operator" => "admin",
        "connection" => "policy",
        _ => "system",
    }
}

fn is_group(event: &Event) -> bool {
    event.subject_kind.as_deref() == Some("group")
}

fn endpoint(event: &Event) -> &'static str {
    if is_group(event) { "/Groups" } else { "/Users" }
}

/// Particulars of an event; nothing where they are damaged.
fn data(event: &Event) -> Object {
    serde_json::from_str(&event.data).unwrap_or_default()
}
