//! A JSON value into a typed one, where a fault knows its place and what would have been right there.
//!
//! `serde_json` gives a fault as a sentence about a line and a column; a program wants a pointer, and people want to
//! read which name they mistyped. Values are never converted: `"7"` is no number.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde_json::{Map, Value, map};

use crate::api::problem::{Code, Problem};
use crate::base::near::nearest;
use crate::scim;

const UNKNOWN_FIELD: Code = Code {
    name: "unknown-field",
    title: "The body has a field that does not exist",
};
const MISSING_FIELD: Code = Code {
    name: "missing-field",
    title: "The body lacks a field",
};
const WRONG_VALUE: Code = Code {
    name: "invalid-value",
    title: "A value cannot be used",
};

/// Reads a value as a type.
///
/// # Errors
/// The first fault in the order of the body.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Fault> {
    T::deserialize(Node(value))
}

/// What is wrong with a body, and where.
#[derive(Debug)]
pub struct Fault {
    code: Code,
    text: String,
    /// What was probably meant.
    suggestion: Option<String>,
    /// From the inside out.
    path: Vec<String>,
}

impl Fault {
    fn new(code: Code, text: String) -> Self {
        Self {
            code,
            text,
            suggestion: None,
            path: Vec::new(),
        }
    }

    /// A name that is not one of the known ones.
    fn unknown(code: Code, what: &str, name: &str, known: &[&str]) -> Self {
        let near = nearest(name, known.iter().copied());
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "none is expected here".to_owned(),
            None => format!("known are {}", listed(known)),
        };
        Self {
            suggestion: near.map(str::to_owned),
            ..Self::new(code, format!("there is no {what} {}; {hint}", repeated(name)))
        }
    }

    fn within(mut self, step: impl Into<String>) -> Self {
        self.path.push(step.into());
        self
    }

    /// JSON Pointer to the place (RFC 6901).
    #[must_use]
    pub fn pointer(&self) -> String {
        let steps = self.path.iter().rev();
        steps.fold(String::new(), |pointer, step| {
            pointer + "/" + &step.replace('~', "~0").replace('/', "~1")
        })
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let pointer = fault.pointer();
        Self::from(scim::Error::invalid_syntax(fault.text))
            .coded(fault.code)
            .suggesting(fault.suggestion.as_deref())
            .at(pointer)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Fault {}

/// Longest name of the request that a message repeats, in characters.
const MAX_REPEATED: usize = 64;

fn repeated(name: &str) -> String {
    if name.chars().count() <= MAX_REPEATED && !name.chars().any(char::is_control) {
        format!("`{name}`")
    } else {
        "of this name".to_owned()
    }
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// What was found, without its content: it may be personal.
fn found(unexpected: &Unexpected<'_>) -> &'static str {
    match unexpected {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Str(_) | Unexpected::Char(_) | Unexpected::Bytes(_) => "a text",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq => "a list",
        Unexpected::Map => "an object",
        _ => "something else",
    }
}

/// What serde calls the kinds of JSON, in the words of people who write JSON.
fn wanted(expected: &dyn de::Expected) -> String {
    let text = expected.to_string();
    match text.as_str() {
        "a string" | "a borrowed string" | "a character" => "a text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "an object".to_owned(),
        "a boolean" => text,
        _ if text.starts_with("struct ") => "an object".to_owned(),
        _ if text.starts_with("enum ") || text.starts_with("variant ") => "one of the known words".to_owned(),
        "i64" | "u64" | "u32" | "i32" | "usize" | "u16" => "a whole number".to_owned(),
        _ => text,
    }
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::new(WRONG_VALUE, text.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let text = format!("{} stands where {} belongs", found(&unexpected), wanted(expected));
        Self::new(WRONG_VALUE, text)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(WRONG_VALUE, format!("the value is not {}", wanted(expected)))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown(WRONG_VALUE, "value", variant, expected)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown(UNKNOWN_FIELD, "field", field, expected).within(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(MISSING_FIELD, format!("the field `{field}` is missing")).within(field)
    }
}

/// A value that is being read.
struct Node<'de>(&'de Value);

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(whole), _, _) => visitor.visit_u64(whole),
                (_, Some(whole), _) => visitor.visit_i64(whole),
                (_, _, float) => visitor.visit_f64(float.unwrap_or(f64::NAN)),
            },
            // No database can hold it, and nobody types it.
            Value::String(text) if text.contains('\0') => Err(Fault::new(
                WRONG_VALUE,
                "a text must not hold the character U+0000".to_owned(),
            )),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Value::Object(members) => visitor.visit_map(Members::of(members)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    /// An object in every case: serde would take a list for the fields of a struct in their order.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Array(_) => Err(de::Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    /// A word, or an object whose only member is named by it.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::String(word) => visitor.visit_enum(word.as_str().into_deserializer()),
            Value::Object(members) => match members.iter().next() {
                Some((name, value)) if members.len() == 1 => visitor.visit_enum(Choice { name, value }),
                _ => Err(Fault::new(
                    WRONG_VALUE,
                    format!("exactly one of {} belongs here", listed(known)),
                )),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

struct Items<'de>(std::iter::Enumerate<std::slice::Iter<'de, Value>>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let read = |(index, value): (usize, &'de Value)| {
            seed.deserialize(Node(value))
                .map_err(|fault| fault.within(index.to_string()))
        };
        self.0.next().map(read).transpose()
    }
}

struct Members<'de> {
    rest: map::Iter<'de>,
    current: Option<(&'de str, &'de Value)>,
}

impl<'de> Members<'de> {
    fn of(members: &'de Map<String, Value>) -> Self {
        Self {
            rest: members.iter(),
            current: None,
        }
    }
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((name, value)) = self.rest.next() else {
            return Ok(None);
        };
        if name.contains('\0') {
            return Err(Fault::new(
                UNKNOWN_FIELD,
                "a name must not hold the character U+0000".to_owned(),
            ));
        }
        self.current = Some((name, value));
        let name: StrDeserializer<'de, Fault> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        let (name, value) = self.current.unwrap_or(("", &Value::Null));
        seed.deserialize(Node(value)).map_err(|fault| fault.within(name))
    }
}

struct Choice<'de> {
    name: &'de str,
    value: &'de Value,
}

impl<'de> EnumAccess<'de> for Choice<'de> {
    type Error = Fault;
    type Variant = Chosen<'de>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self::Variant), Fault> {
        let name: StrDeserializer<'de, Fault> = self.name.into_deserializer();
        let variant = seed.deserialize(name).map_err(|fault| fault.within(self.name))?;
        Ok((variant, Chosen(self)))
    }
}

/// The content of a variant that is named.
struct Chosen<'de>(Choice<'de>);

impl<'de> VariantAccess<'de> for Chosen<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        serde::Deserialize::deserialize(Node(self.0.value)).map_err(|fault: Fault| fault.within(self.0.name))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(Node(self.0.value))
            .map_err(|fault| fault.within(self.0.name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        Node(self.0.value)
            .deserialize_any(visitor)
            .map_err(|fault| fault.within(self.0.name))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        Node(self.0.value)
            .deserialize_any(visitor)
            .map_err(|fault| fault.within(self.0.name))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        #[serde(rename = "name")]
        _name: String,
        #[serde(default)]
        lines: Vec<Line>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        #[serde(rename = "count")]
        _count: u32,
        #[serde(default)]
        color: Option<Color>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Color {
        Red,
        Mixed(Vec<String>),
    }

    #[track_caller]
    fn fault(body: &Value) -> (String, String) {
        let fault = from_value::<Order>(body).unwrap_err();
        (fault.pointer(), fault.text)
    }

    #[test]
    fn what_fits_is_read() {
        let body = json!({ "name": "x", "lines": [{ "count": 1 }, { "count": 2, "color": "red" }, { "count": 3, "color": { "mixed": ["a"] } }] });
        let order = from_value::<Order>(&body).unwrap();
        assert!(matches!(&order.lines[2].color, Some(Color::Mixed(parts)) if parts == &["a"]));
    }

    #[test]
    fn every_fault_has_its_place_and_says_what_belongs_there() {
        let cases = [
            (
                json!({ "nmae": "x" }),
                "/nmae",
                "there is no field `nmae`; did you mean `name`?",
            ),
            (
                json!({ "name": "x", "zz/z": 1 }),
                "/zz~1z",
                "there is no field `zz/z`; known are `name`, `lines`",
            ),
            (json!({}), "/name", "the field `name` is missing"),
            (json!({ "name": 7 }), "/name", "a number stands where a text belongs"),
            (
                json!({ "name": "x", "lines": [{ "count": 1 }, { "count": "2" }] }),
                "/lines/1/count",
                "a text stands where a whole number belongs",
            ),
            (
                json!({ "name": "x", "lines": [{ "count": -1 }] }),
                "/lines/0/count",
                "the value is not a whole number",
            ),
            (
                json!({ "name": "x", "lines": [{ "count": 1, "color": "rad" }] }),
                "/lines/0/color",
                "there is no value `rad`; did you mean `red`?",
            ),
            (
                json!({ "name": "x", "lines": [{ "count": 1, "color": { "mixed": [1] } }] }),
                "/lines/0/color/mixed/0",
                "a number stands where a text belongs",
            ),
            (json!(["x", []]), "", "a list stands where an object belongs"),
            (json!(null), "", "null stands where an object belongs"),
        ];
        for (body, pointer, text) in cases {
            assert_eq!(fault(&body), (pointer.to_owned(), text.to_owned()), "{body}");
        }
    }
}
