//! The log told forward by somebody who reads nothing else, and shares no code with the product: slow, and plain.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::api::bodies::ENTERPRISE;

/// What somebody has: id of the role, none for the bare membership of a scope; and where, as text.
pub type Had = BTreeSet<(Option<String>, String)>;

/// What the log says there is.
#[derive(Debug, Clone, Default)]
pub struct Naive {
    /// Documents by id, `externalId` not among them.
    pub users: BTreeMap<String, Map<String, Value>>,
    /// The same of groups.
    pub groups: BTreeMap<String, Map<String, Value>>,
    /// Members by group.
    pub members: BTreeMap<String, BTreeSet<String>>,
    /// Images by id.
    pub roles: BTreeMap<String, Value>,
    pub scopes: BTreeMap<String, Value>,
    /// As they are in force, or drafts.
    pub rules: BTreeMap<String, Value>,
    /// By id: kind and id of the holder, and the grant.
    pub grants: BTreeMap<String, (String, String, Value)>,
    /// Scope and `kind:id`.
    pub records: BTreeSet<(String, String)>,
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

fn instant(value: &Value) -> Option<&str> {
    value.as_str()
}

impl Naive {
    /// All of these, in order.
    pub fn told<'e>(events: impl IntoIterator<Item = &'e Value>) -> Self {
        let mut naive = Self::default();
        for event in events {
            naive.tell(event);
        }
        naive
    }

    /// One more, as `GET /events` has it.
    pub fn tell(&mut self, event: &Value) {
        let (subject, id) = (&event["subject"]["kind"], &event["subject"]["id"]);
        let (kind, data) = (text(&event["kind"]), &event["data"]);
        let Some(id) = id.as_str().map(str::to_owned) else {
            return;
        };
        match kind.as_str() {
            "user.created" | "user.updated" => write(self.users.entry(id).or_default(), event),
            "group.created" | "group.updated" => {
                write(self.groups.entry(id.clone()).or_default(), data);
                let members = self.members.entry(id).or_default();
                members.extend(texts(&data["members_added"]));
                for left in texts(&data["members_removed"]) {
                    members.remove(&left);
                }
            }
            "user.restored" if data["into"].is_null() => write(self.users.entry(id).or_default(), event),
            "group.restored" if data["into"].is_null() => write(self.groups.entry(id).or_default(), data),
            "user.deleted" => drop(self.users.remove(&id)),
            "group.deleted" => {
                self.groups.remove(&id);
                self.members.remove(&id);
            }
            "grant.created" | "grant.updated" => {
                let grant = (text(subject), id, data.clone());
                self.grants.insert(text(&data["grant"]), grant);
            }
            "grant.deleted" => assert!(self.grants.remove(&text(&data["grant"])).is_some(), "{event}"),
            "role.created" | "role.updated" => drop(self.roles.insert(id, data["after"].clone())),
            "role.deleted" => assert!(self.roles.remove(&id).is_some(), "{event}"),
            "scope.created" | "scope.updated" => drop(self.scopes.insert(id, data["after"].clone())),
            "scope.deleted" => {
                assert!(self.scopes.remove(&id).is_some(), "{event}");
                self.records.retain(|(scope, _)| *scope != id);
            }
            "records.added" => {
                for record in texts(&data["records"]) {
                    assert!(
                        self.records.insert((id.clone(), record)),
                        "it was there already: {event}"
                    );
                }
            }
            "records.removed" => {
                for record in texts(&data["records"]) {
                    assert!(self.records.remove(&(id.clone(), record)), "it was not there: {event}");
                }
            }
            "rule.created" | "rule.updated" | "rule.activated" | "rule.retired" if data["state"] != "preparing" => {
                self.rules.insert(id, data.clone());
            }
            "rule.created" => {
                // A draft, until it is in force.
                let mut draft = data.clone();
                draft["state"] = "draft".into();
                draft["version"] = 1.into();
                self.rules.insert(id, draft);
            }
            "rule.deleted" => drop(self.rules.remove(&id)),
            _ => {}
        }
    }

    /// What somebody has at an instant; nothing where they are not there or not active.
    pub fn access(&self, user: &str, at: &str) -> Had {
        let Some(document) = self
            .users
            .get(user)
            .filter(|document| document.get("active") != Some(&json!(false)))
        else {
            return Had::new();
        };
        let counts = |image: &Value| {
            instant(&image["valid_from"]).is_none_or(|from| from <= at)
                && instant(&image["valid_to"]).is_none_or(|to| at < to)
        };
        let active = self
            .rules
            .values()
            .filter(|rule| rule["state"] == "active" && counts(rule));
        let active: Vec<&Value> = active.collect();
        let mut groups = self.above(&BTreeSet::from([user.to_owned()]));
        loop {
            let fills = active.iter().filter(|rule| holds(rule, document, &groups));
            let filled = fills.flat_map(|rule| rule["then"].as_array().unwrap());
            let filled = filled.filter_map(|outcome| outcome["group"].as_str().map(str::to_owned));
            let there: BTreeSet<String> = filled.filter(|group| self.groups.contains_key(group)).collect();
            let more: BTreeSet<String> = self.above(&there).union(&there).cloned().collect();
            if more.is_subset(&groups) {
                break;
            }
            groups.extend(more);
        }
        let mut had = Had::new();
        for (_, holder, grant) in self.grants.values() {
            if counts(grant) && (holder == user || groups.contains(holder)) {
                had.extend(self.given(grant));
            }
        }
        for rule in active.iter().filter(|rule| holds(rule, document, &groups)) {
            let then = rule["then"].as_array().unwrap().iter();
            had.extend(then.filter_map(|outcome| self.given(outcome)));
        }
        had
    }

    /// The groups that one of these is in, at any distance.
    fn above(&self, of: &BTreeSet<String>) -> BTreeSet<String> {
        let mut above = BTreeSet::new();
        loop {
            let is_in = |members: &BTreeSet<String>| members.iter().any(|one| of.contains(one) || above.contains(one));
            let found = self.members.iter().filter(|(_, members)| is_in(members));
            let found: Vec<String> = found.map(|(group, _)| group.clone()).collect();
            let before = above.len();
            above.extend(found);
            if above.len() == before {
                return above;
            }
        }
    }

    /// What a grant or an outcome gives.
    fn given(&self, image: &Value) -> Option<(Option<String>, String)> {
        let role = image["role"].as_str().map(str::to_owned);
        let place = match (image["scope"].as_str(), &image["record"]) {
            (Some(scope), _) => {
                assert!(scope == "all" || self.scopes.contains_key(scope), "{scope} is gone");
                scope.to_owned()
            }
            (None, Value::Null) => return None,
            (None, record) => format!("{}:{}", text(&record["kind"]), text(&record["id"])),
        };
        Some((role, place))
    }
}

/// Values before and after, by paths.
fn write(document: &mut Map<String, Value>, sides: &Value) {
    let (before, after) = (sides["before"].as_object(), sides["after"].as_object());
    let gone = before
        .into_iter()
        .flatten()
        .filter(|(path, _)| !after.is_some_and(|after| after.contains_key(*path)));
    for (path, _) in gone {
        at(document, path, None);
    }
    for (path, value) in after.into_iter().flatten() {
        at(document, path, Some(value));
    }
}

fn at(document: &mut Map<String, Value>, path: &str, value: Option<&Value>) {
    if path == "externalId" {
        return;
    }
    let set = |object: &mut Map<String, Value>, name: &str| match value {
        Some(value) => drop(object.insert(name.to_owned(), value.clone())),
        None => drop(object.remove(name)),
    };
    match path.strip_prefix(ENTERPRISE).and_then(|rest| rest.strip_prefix(':')) {
        None => set(document, path),
        Some("") => set(document, ENTERPRISE),
        Some(name) => {
            let extension = document.entry(ENTERPRISE).or_insert_with(|| json!({}));
            set(extension.as_object_mut().unwrap(), name);
            if extension.as_object().unwrap().is_empty() {
                document.remove(ENTERPRISE);
            }
        }
    }
}

/// Whether a condition of the town holds.
fn holds(rule: &Value, document: &Map<String, Value>, groups: &BTreeSet<String>) -> bool {
    let when = text(&rule["when"]);
    if when == "userName pr" {
        return true;
    }
    let (path, value) = when.split_once(" eq ").unwrap();
    let value = value.trim_matches('"');
    match path {
        "groups.value" => groups.contains(value),
        "title" => document.get("title").is_some_and(|title| title == value),
        _ => document
            .get(ENTERPRISE)
            .is_some_and(|extension| extension["department"] == value),
    }
}
