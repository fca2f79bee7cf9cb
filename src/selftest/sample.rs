//! Values that a client may make up for an attribute, from its published definition.

use serde_json::{Map, Value, json};

/// Attributes whose text has a form that everybody knows, with two values.
const KNOWN: &[(&str, [&str; 2])] = &[
    ("phoneNumbers", ["tel:+1-201-555-0123", "tel:+44-20-7946-0000"]),
    ("preferredLanguage", ["en", "de"]),
    ("locale", ["en-US", "de-DE"]),
    ("timezone", ["Europe/Berlin", "America/Los_Angeles"]),
    ("country", ["DE", "US"]),
    ("postalCode", ["10115", "91608"]),
    ("password", ["Sample-7!-alpha-Q", "Sample-8!-beta-Q"]),
];

/// The n-th, 0 or 1, valid value. `own` is a text of one resource alone: where values are unique, they are made of it.
pub(super) fn sample(definition: &Value, n: usize, own: &str) -> Value {
    let value = if definition["type"] == "complex" {
        Value::Object(parts(definition, n, own))
    } else {
        simple(definition, n, own, &word(definition, n, own))
    };
    if definition["multiValued"] == true {
        json!([value])
    } else {
        value
    }
}

/// A value for an attribute that a resource cannot be without; text is of that resource alone. `None` where no client can
/// make one up: a reference to another resource has to be to one that is there.
pub(super) fn needed(definition: &Value, own: &str) -> Option<Value> {
    let name = definition["name"].as_str().unwrap_or_default();
    if matches!(name, "manager" | "members" | "$ref") || definition["mutability"] == "readOnly" {
        return None;
    }
    if definition["type"] != "string" {
        return Some(sample(definition, 0, own));
    }
    let text = text(name, 0, own).unwrap_or_else(|| own.to_owned());
    let value = simple(definition, 0, own, &text);
    Some(if definition["multiValued"] == true {
        json!([value])
    } else {
        value
    })
}

/// The sub-attributes of a definition that a client may write.
pub(super) fn writable(definition: &Value) -> impl Iterator<Item = &Value> {
    let rows = definition["subAttributes"].as_array().into_iter().flatten();
    rows.filter(|row| row["mutability"] != "readOnly" && row["name"] != "$ref")
}

/// Of a complex value: what is required and the value itself, everything where that is nothing.
fn parts(definition: &Value, n: usize, own: &str) -> Map<String, Value> {
    let is_needed = |row: &&Value| row["required"] == true || row["name"] == "value";
    let some = writable(definition).any(|row| is_needed(&row));
    let rows = writable(definition).filter(|row| !some || is_needed(row));
    rows.filter_map(|row| {
        let name = row["name"].as_str()?;
        // The value of a list is known by the name of the list.
        let of = if name == "value" {
            definition["name"].as_str()?
        } else {
            name
        };
        let text = text(of, n, own).unwrap_or_else(|| word(row, n, own));
        Some((name.to_owned(), simple(row, n, own, &text)))
    })
    .collect()
}

/// A value that is not complex; `text` is what a string says that has no canonical values.
fn simple(definition: &Value, n: usize, own: &str, text: &str) -> Value {
    let known = definition["canonicalValues"]
        .as_array()
        .filter(|known| !known.is_empty());
    match (known, definition["type"].as_str()) {
        (Some(known), _) => known[n % known.len()].clone(),
        (None, Some("boolean")) => json!(n == 0),
        (None, Some("integer")) => json!([3, 10][n]),
        (None, Some("decimal")) => json!([4.5, 9.25][n]),
        (None, Some("binary")) => json!(["AQID", "BAUG"][n]),
        (None, Some("dateTime")) => json!(["2024-01-15T08:00:00Z", "2025-03-01T10:30:00Z"][n]),
        (None, Some("reference")) if is_unique(definition) => json!(format!("https://example.com/{own}-{n}")),
        (None, Some("reference")) => json!(["https://example.com/a", "https://example.com/b"][n]),
        (None, _) => json!(text),
    }
}

fn word(definition: &Value, n: usize, own: &str) -> String {
    let word = ["Alpha", "Beta"][n];
    if is_unique(definition) {
        format!("{word}-{own}")
    } else {
        word.to_owned()
    }
}

fn text(name: &str, n: usize, own: &str) -> Option<String> {
    if name.to_ascii_lowercase().contains("email") {
        return Some(format!("{own}-{n}@example.com"));
    }
    let known = KNOWN.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    known.map(|(_, values)| values[n].to_owned())
}

fn is_unique(definition: &Value) -> bool {
    matches!(definition["uniqueness"].as_str(), Some("server" | "global"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_the_type_of_their_attribute_and_differ_where_they_have_to() {
        let one = |definition: Value| needed(&definition, "own").unwrap_or_default();
        assert_eq!(
            one(json!({"name": "kind", "type": "string", "canonicalValues": ["b", "c"]})),
            "b"
        );
        assert_eq!(one(json!({"name": "nickName", "type": "string"})), "own");
        assert_eq!(one(json!({"name": "locale", "type": "string"})), "en-US");
        assert_eq!(one(json!({"name": "level", "type": "integer"})), 3);
        assert_eq!(
            one(json!({"name": "tags", "type": "string", "multiValued": true})),
            json!(["own"])
        );
        let emails = json!({"name": "emails", "type": "complex", "multiValued": true, "subAttributes": [
            {"name": "value", "type": "string"}, {"name": "display", "type": "string"},
            {"name": "type", "type": "string", "required": true, "canonicalValues": ["work", "home"]}]});
        assert_eq!(one(emails), json!([{"value": "own-0@example.com", "type": "work"}]));
        let name = json!({"name": "name", "type": "complex", "subAttributes": [
            {"name": "givenName", "type": "string"}, {"name": "formatted", "type": "string", "mutability": "readOnly"}]});
        assert_eq!(one(name), json!({"givenName": "Alpha"}));
        let unique = json!({"name": "number", "type": "string", "uniqueness": "server"});
        assert_eq!(
            (sample(&unique, 0, "a"), sample(&unique, 1, "a")),
            (json!("Alpha-a"), json!("Beta-a"))
        );
        assert_eq!(needed(&json!({"name": "manager", "type": "complex"}), "own"), None);
    }
}
