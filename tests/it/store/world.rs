//! A random directory of users and groups, and what a client would see of each.

use muster::base::clock::Timestamp;
use muster::base::id::{Pk, ResourceId};
use muster::scim::schema::{Registry, Schema};
use muster::store::Kind;
use muster::store::members::ByRule;
use serde_json::{Map, Value, json};

use super::shelf::Shelf;
use crate::support::dice::Dice;

/// A schema with an attribute of every type.
pub const BADGE: &str = "urn:example:params:scim:schemas:extension:badge:2.0:User";
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The registry with the badge extension.
pub fn registry() -> Registry {
    let attribute = |name: &str, kind: &str, many: bool, exact: bool| {
        json!({"name": name, "type": kind, "multiValued": many, "description": name, "required": false,
            "caseExact": exact, "mutability": "readWrite", "returned": "default", "uniqueness": "none"})
    };
    let schema = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"], "id": BADGE, "name": "Badge", "description": "Badge",
        "attributes": [
            attribute("level", "integer", false, false),
            attribute("score", "decimal", false, false),
            attribute("verified", "boolean", false, false),
            attribute("issuedAt", "dateTime", false, false),
            attribute("tags", "string", true, false),
            attribute("code", "string", false, true),
            attribute("seal", "binary", false, true),
            attribute("link", "reference", false, true),
        ],
    });
    Registry::builtin()
        .with_extension("User", Schema::parse(&schema).unwrap())
        .unwrap()
}

/// Words that are near each other in every way that matters: case, width, accents, order, prefixes, length.
pub fn words() -> Vec<String> {
    let mut words: Vec<String> = [
        "a",
        "A",
        "ab",
        "AB",
        "aB c",
        "abc",
        "b",
        "ba",
        "B-1",
        "Éa",
        "E\u{301}a",
        "éa",
        "zoe",
        "Zoë",
        "ß",
        "SS",
        "日本",
        "日",
        "\u{1f600}",
        "\u{ffff}x",
        "100%",
        "50_50",
        "x*y",
        "it's",
        "qu\"ote",
        "back\\slash",
        "work",
        "home",
        "true",
        "1",
        "10",
        "9",
        "ａｂ",
        "İ",
        "i̇",
        "σς",
        "ΣΣ",
    ]
    .map(str::to_owned)
    .to_vec();
    // Around the border between the indexed part of a value and the rest.
    for length in [255, 256, 257, 300] {
        for tail in ["", "a", "B", "é"] {
            words.push(format!("{}{tail}", "l".repeat(length)));
        }
    }
    words.push("é".repeat(256));
    words.push(format!("{}x", "é".repeat(256)));
    words
}

/// Instants that are near each other.
pub const INSTANTS: [&str; 7] = [
    "2024-01-15T08:00:00Z",
    "2024-01-15T09:00:00+01:00",
    "2024-01-15T08:00:00.000000001Z",
    "2024-01-15T08:00:00.000001Z",
    "1969-12-31T23:59:59.999999Z",
    "2031-02-03T04:05:06.5-07:00",
    "0001-01-01T00:00:00Z",
];

/// One resource, and its representation.
pub struct Item {
    pub kind: Kind,
    pub pk: Pk,
    pub id: ResourceId,
    pub shown: Value,
}

/// Writes users and groups that are members of each other, and reads everything back.
pub async fn fill(shelf: &Shelf, dice: &mut Dice, users: usize, groups: usize) -> Vec<Item> {
    let words = words();
    let mut ids = Vec::new();
    for at in 0..users + groups {
        let kind = if at < users { Kind::User } else { Kind::Group };
        let document = match kind {
            Kind::User => user(dice, &words, at),
            Kind::Group | Kind::Own(_) => group(dice, &words, at),
        };
        let id = shelf.ids.next();
        let external_id = (dice.below(3) == 0).then(|| dice.pick(&words).clone());
        let pk = shelf.put(kind, &id, external_id.as_deref(), &document).await;
        ids.push((kind, pk, id));
    }
    for (_, group, own) in ids.iter().filter(|(kind, ..)| *kind == Kind::Group) {
        let members: Vec<_> = (0..dice.below(8))
            .map(|_| dice.pick(&ids).2.clone())
            .filter(|id| id != own)
            .collect();
        let mut unit = shelf.unit().await;
        let members: Vec<_> = members.into_iter().map(|id| (id, None)).collect();
        unit.members().add(*group, &members, shelf.now()).await.unwrap();
        unit.save().await.unwrap();
    }
    let mut items = Vec::new();
    for (kind, pk, id) in ids {
        items.push(Item {
            kind,
            pk,
            shown: show(shelf, kind, pk, &id).await,
            id,
        });
    }
    items
}

/// The whole representation of a resource.
async fn show(shelf: &Shelf, kind: Kind, pk: Pk, id: &ResourceId) -> Value {
    let stored = shelf.find(kind, id).await.unwrap();
    let mut shown: Map<String, Value> = serde_json::from_str(&stored.document).unwrap();
    shown.insert("id".to_owned(), json!(id.as_str()));
    if let Some(external_id) = stored.external_id {
        shown.insert("externalId".to_owned(), json!(external_id));
    }
    let base = "https://muster.example/scim/v2";
    let link = |kind: Kind, id: &ResourceId| format!("{base}{}/{id}", kind.endpoint());
    let groups: Vec<_> = stored
        .groups
        .iter()
        .map(|group| {
            let kind = if group.direct { "direct" } else { "indirect" };
            json!({"value": group.id.as_str(), "display": group.display, "type": kind, "$ref": link(Kind::Group, &group.id)})
        })
        .collect();
    let members = shelf.reader().members().list(pk, None, &ByRule::NONE).await.unwrap();
    let members: Vec<_> = members
        .iter()
        .map(|one| {
            json!({"value": one.id.as_str(), "display": one.display, "type": one.kind.name(), "$ref": link(one.kind, &one.id)})
        })
        .collect();
    for (name, values) in [("groups", groups), ("members", members)] {
        if !values.is_empty() {
            shown.insert(name.to_owned(), json!(values));
        }
    }
    let time = |at: Timestamp| at.rfc3339();
    shown.insert(
        "meta".to_owned(),
        json!({"resourceType": kind.name(), "created": time(stored.created), "lastModified": time(stored.modified),
            "location": link(kind, id), "version": format!("W/\"{}\"", stored.version)}),
    );
    Value::Object(shown)
}

fn group(dice: &mut Dice, words: &[String], at: usize) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": format!("{} {at}", dice.pick(words))})
}

/// A user with some of everything.
pub fn user(dice: &mut Dice, words: &[String], at: usize) -> Value {
    let mut user = Map::new();
    let mut schemas = vec!["urn:ietf:params:scim:schemas:core:2.0:User"];
    user.insert("schemas".to_owned(), Value::Null);
    user.insert("userName".to_owned(), json!(format!("{}{at}", dice.pick(words))));
    for name in ["displayName", "nickName", "title", "userType"] {
        if dice.below(2) == 0 {
            let word = if dice.below(8) == 0 {
                String::new()
            } else {
                dice.pick(words).clone()
            };
            user.insert(name.to_owned(), json!(word));
        }
    }
    if dice.below(3) > 0 {
        user.insert("active".to_owned(), json!(dice.below(2) == 0));
    }
    let name = some(dice, words, &["familyName", "givenName"]);
    if !name.is_empty() {
        user.insert("name".to_owned(), Value::Object(name));
    }
    for name in ["emails", "phoneNumbers"] {
        let values: Vec<_> = (0..dice.below(4))
            .map(|_| element(dice, words))
            .filter(|one| one != &json!({}))
            .collect();
        if !values.is_empty() {
            user.insert(name.to_owned(), json!(values));
        }
    }
    if dice.below(3) == 0 {
        let mut extension = some(dice, words, &["department", "employeeNumber"]);
        if dice.below(2) == 0 {
            extension.insert("manager".to_owned(), json!({"value": dice.pick(words)}));
        }
        if !extension.is_empty() {
            schemas.push(ENTERPRISE);
            user.insert(ENTERPRISE.to_owned(), Value::Object(extension));
        }
    }
    if dice.below(2) == 0 {
        schemas.push(BADGE);
        user.insert(BADGE.to_owned(), badge(dice, words));
    }
    user.insert("schemas".to_owned(), json!(schemas));
    Value::Object(user)
}

fn some(dice: &mut Dice, words: &[String], names: &[&str]) -> Map<String, Value> {
    let mut map = Map::new();
    for name in names {
        if dice.below(2) == 0 {
            map.insert((*name).to_owned(), json!(dice.pick(words)));
        }
    }
    map
}

fn element(dice: &mut Dice, words: &[String]) -> Value {
    let mut element = some(dice, words, &["value", "display"]);
    if dice.below(2) == 0 {
        element.insert("type".to_owned(), json!(dice.pick(&["work", "home", "WORK", "other"])));
    }
    if dice.below(3) == 0 {
        element.insert("primary".to_owned(), json!(dice.below(2) == 0));
    }
    Value::Object(element)
}

fn badge(dice: &mut Dice, words: &[String]) -> Value {
    let mut badge = some(dice, words, &["code"]);
    badge.insert(
        "level".to_owned(),
        json!(*dice.pick(&[-10_i64, -9, 0, 3, 9, 10, i64::MAX, i64::MIN])),
    );
    badge.insert("score".to_owned(), json!(*dice.pick(&[4.0, 4.5, -0.25, 1e10, 0.1])));
    badge.insert("verified".to_owned(), json!(dice.below(2) == 0));
    badge.insert("issuedAt".to_owned(), json!(dice.pick(&INSTANTS)));
    let tags: Vec<_> = (0..dice.below(3)).map(|_| dice.pick(words)).collect();
    if !tags.is_empty() {
        badge.insert("tags".to_owned(), json!(tags));
    }
    badge.insert("seal".to_owned(), json!(dice.pick(&["AQID", "AQ==", "-_8="])));
    badge.insert(
        "link".to_owned(),
        json!(dice.pick(&["https://a.example/x", "https://A.example/x"])),
    );
    for name in ["level", "score", "verified", "issuedAt", "seal", "link"] {
        if dice.below(3) == 0 {
            badge.remove(name);
        }
    }
    if badge.is_empty() {
        badge.insert("level".to_owned(), json!(0));
    }
    Value::Object(badge)
}
