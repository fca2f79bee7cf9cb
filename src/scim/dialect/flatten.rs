//! Members whose names are paths.

use serde_json::{Map, Value};

use super::Rule;
use super::lookup::{Spot, spot};
use crate::scim::schema::{Place, ResourceType};

/// `"urn:…:User:department": "Lab"`, `"urn:…:User:manager.value": "…"` and `"name.givenName": "Ada"` as members of a
/// POST or PUT body: clients that reuse their PATCH attribute names.
///
/// No attribute can have such a name (RFC 7643 §2.1), so it can only mean the path. In PATCH values these names are
/// understood without this rule. A member that is there in RFC form wins, and the path then stays an unknown name.
/// Departs from RFC 7643 §3.3: attributes of an extension stand in an object named by its URN.
pub(super) const FLAT_KEYS_NESTED: Rule = Rule {
    name: "flat-keys-nested",
    clients: "Entra ID mappings, scripts",
    does: "moves members named by a path to where the path leads",
    departs: "RFC 7643 §2.1, §3.3",
};

/// Moves every member named by a path.
pub(super) fn nest(ty: &ResourceType, body: &mut Map<String, Value>) -> u32 {
    let flat: Vec<String> = body.keys().filter(|name| name.contains([':', '.'])).cloned().collect();
    flat.iter().map(|name| u32::from(nest_one(ty, body, name))).sum()
}

fn nest_one(ty: &ResourceType, body: &mut Map<String, Value>, name: &str) -> bool {
    let Some(Spot::Attribute(place)) = spot(ty, name) else {
        return false;
    };
    if place.sub().is_some() && place.top().multi_valued {
        return false;
    }
    let Some(value) = body.get(name).cloned() else {
        return false;
    };
    if !put(body, &place, value) {
        return false;
    }
    body.shift_remove(name);
    true
}

/// Sets the value at the place, unless something is there or in the way.
fn put(body: &mut Map<String, Value>, place: &Place<'_>, value: Value) -> bool {
    let home = match place.extension() {
        Some(urn) => inner(body, urn),
        None => Some(body),
    };
    let holder = match place.sub() {
        Some(_) => home.and_then(|home| inner(home, &place.top().name)),
        None => home,
    };
    let leaf = &place.leaf().name;
    let Some(holder) = holder.filter(|holder| !holder.keys().any(|known| known.eq_ignore_ascii_case(leaf))) else {
        return false;
    };
    holder.insert(leaf.clone(), value);
    true
}

/// The object of this name, made if absent or null; none when something else is there.
fn inner<'a>(object: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    let known = object.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned();
    let slot = object
        .entry(known.unwrap_or_else(|| name.to_owned()))
        .or_insert(Value::Null);
    if slot.is_null() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut()
}
