//! Members whose names are paths.

use serde_json::{Map, Value};

use super::Rule;
use crate::scim::patch::selects;
use crate::scim::path::PatchPath;
use crate::scim::schema::{Place, ResourceType};

/// `"urn:…:User:department": "Lab"`, `"urn:…:User:manager.value": "…"` and `"name.givenName": "Ada"` as members of a
/// POST or PUT body, or of a PATCH value without a path: Entra ID with its compatibility flag, and clients that reuse
/// their PATCH attribute names. Also within the object of an extension.
///
/// No attribute can have such a name (RFC 7643 §2.1), so it can only mean the path. Where the attribute has another value
/// beside, the path stays where it is and is refused. A key that selects elements, such as
/// `emails[type eq "work"].value`, has no other form; PATCH reads it as it is.
/// Departs from RFC 7643 §3.3: attributes of an extension stand in an object named by its URN.
pub(super) const FLAT_KEYS_NESTED: Rule = Rule {
    name: "flat-keys-nested",
    clients: "Entra ID mappings, scripts",
    does: "moves members named by a path to where the path leads",
    departs: "RFC 7643 §2.1, §3.3",
};

/// Moves every member named by a path.
pub(super) fn nest(ty: &ResourceType, body: &mut Map<String, Value>) -> u32 {
    let mut count = 0;
    let within = |(urn, value): (&String, &Value)| {
        let dotted = value.as_object()?.keys().filter(|name| name.contains('.'));
        Some(dotted.map(|name| (urn.clone(), name.clone())).collect::<Vec<_>>())
    };
    let extensions = body.iter().filter(|(name, _)| ty.extension(name).is_some());
    let dotted: Vec<(String, String)> = extensions.filter_map(within).flatten().collect();
    for (urn, name) in dotted {
        let inner = |body: &mut Map<String, Value>| -> Option<Value> {
            body.get_mut(&urn)?.as_object_mut()?.shift_remove(&name)
        };
        if let Some(place) = ty.flat(&format!("{urn}:{name}"))
            && let Some(value) = body.get(&urn).and_then(|members| members.get(&name)).cloned()
            && put(body, &place, value)
            && inner(body).is_some()
        {
            count += 1;
        }
    }
    let flat: Vec<String> = body.keys().filter(|name| name.contains([':', '.'])).cloned().collect();
    count + flat.iter().map(|name| u32::from(nest_one(ty, body, name))).sum::<u32>()
}

/// How many keys of a PATCH value, or of an extension in it, select elements.
pub(super) fn count_selecting(ty: &ResourceType, value: &Map<String, Value>) -> u32 {
    let selecting = |name: &str| PatchPath::parse(name).is_ok_and(|path| selects(ty, &path));
    let within = |urn: &str, inner: &Value| {
        let names = inner.as_object().into_iter().flat_map(Map::keys);
        names.filter(|name| selecting(&format!("{urn}:{name}"))).count()
    };
    let count = |(name, inner): (&String, &Value)| {
        if ty.extension(name).is_some() {
            within(name, inner)
        } else {
            usize::from(name.contains(['.', '[']) && selecting(name))
        }
    };
    u32::try_from(value.iter().map(count).sum::<usize>()).unwrap_or(u32::MAX)
}

fn nest_one(ty: &ResourceType, body: &mut Map<String, Value>, name: &str) -> bool {
    let Some(place) = ty.flat(name) else {
        return false;
    };
    let Some(value) = body.get(name).cloned() else {
        return false;
    };
    if !put(body, &place, value) {
        return false;
    }
    body.shift_remove(name);
    true
}

/// Sets the value at the place, unless another one is there or something in the way.
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
    let Some(holder) = holder else { return false };
    if let Some((_, there)) = holder.iter().find(|(known, _)| known.eq_ignore_ascii_case(leaf)) {
        return *there == value;
    }
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
