//! JSON as a request may carry it: valid UTF-8, bounded depth, no member twice.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::fmt;

use super::Error;

/// Most values in a body, at whatever depth: each takes some seventy bytes of memory, however short it is written. The largest
/// group that a body of the usual size can name has a third of it.
const MOST_VALUES: usize = 1_000_000;

/// Reads a request body.
///
/// A member that occurs twice in one object is refused: which of the two the sender meant cannot be known, and two
/// readers that choose differently are a security hole. Depth is bounded by `serde_json` (128).
///
/// # Errors
/// `invalidSyntax` with line and column for anything that is not such JSON, status 413 for too many values. The text of the
/// body is not repeated.
pub fn parse(body: &[u8]) -> Result<Value, Error> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::invalid_syntax("the request needs a JSON body"));
    }
    let left = Cell::new(MOST_VALUES + 1);
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = Unique(&left).deserialize(&mut reader);
    read.and_then(|value| reader.end().map(|()| value)).map_err(|fault| {
        if left.get() == 0 {
            return Error::plain(413, format!("the body has more than {MOST_VALUES} values"));
        }
        let (line, column) = (fault.line(), fault.column());
        let what = match fault.classify() {
            serde_json::error::Category::Eof => "the JSON body ends too early",
            serde_json::error::Category::Data => "an object of the JSON body has the same member twice",
            // There is no other way to ask.
            _ if fault.to_string().starts_with("recursion limit") => {
                "the JSON body is nested more than 127 levels deep"
            }
            _ => "the body is not valid JSON",
        };
        Error::invalid_syntax(format!("{what} (line {line}, column {column})"))
    })
}

/// How a body is kept within something else: as a text of its own, so that its depth is bounded by what it holds alone. For
/// serde's `with`.
pub mod whole {
    use serde::de::{Deserialize, Deserializer, Error as _};
    use serde::ser::{Error as _, Serialize, Serializer};
    use serde_json::Value;
    use serde_json::value::RawValue;

    /// Writes a body.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn serialize<T: Serialize, S: Serializer>(body: &T, to: S) -> Result<S::Ok, S::Error> {
        let text = serde_json::to_string(body).map_err(S::Error::custom)?;
        let whole = RawValue::from_string(text).map_err(S::Error::custom)?;
        whole.serialize(to)
    }

    /// Reads a body, as [`parse`](super::parse) does.
    ///
    /// # Errors
    /// When it is none.
    pub fn deserialize<'de, T: From<Value>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        let whole = <Box<RawValue>>::deserialize(from)?;
        let body = super::parse(whole.get().as_bytes()).map_err(D::Error::custom)?;
        Ok(body.into())
    }
}

/// A JSON value in which no object has a member twice, among so many that are left.
#[derive(Clone, Copy)]
struct Unique<'l>(&'l Cell<usize>);

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.0.get().checked_sub(1) {
            None | Some(0) => {
                self.0.set(0);
                Err(serde::de::Error::custom("too many values"))
            }
            Some(left) => {
                self.0.set(left);
                deserializer.deserialize_any(self)
            }
        }
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(self)?;
            if members.insert(name, value).is_some() {
                return Err(serde::de::Error::custom("duplicate member"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_member_that_occurs_twice_is_refused() {
        let error = parse(br#"{"a": 1, "b": {"c": 1, "c": 2}}"#).unwrap_err();
        assert_eq!(error.scim_type, Some(crate::scim::ScimType::InvalidSyntax));
        assert!(error.detail.contains("twice"));
    }

    #[test]
    fn what_is_nested_too_deep_is_called_so() {
        let nested = |depth| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(127).as_bytes()).is_ok());
        let error = parse(nested(128).as_bytes()).unwrap_err();
        assert_eq!(error.scim_type, Some(crate::scim::ScimType::InvalidSyntax));
        assert!(error.detail.contains("nested"), "{}", error.detail);
    }

    #[test]
    fn what_is_valid_is_read_as_serde_json_reads_it() {
        let text = br#"{"a": [1, -2, 1.5e3, true, null, "x\u00e9"], "b": {}}"#;
        assert_eq!(parse(text).unwrap(), serde_json::from_slice::<Value>(text).unwrap());
        assert_eq!(parse(b" 7 ").unwrap(), json!(7));
    }

    #[test]
    fn a_body_has_an_end_also_where_its_values_are_short() {
        let of = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
        assert!(parse(of(MOST_VALUES).as_bytes()).is_ok());
        let error = parse(of(MOST_VALUES + 1).as_bytes()).unwrap_err();
        assert_eq!((error.status, error.scim_type), (413, None));
    }

    #[test]
    fn broken_input_is_named_by_position_and_never_repeated() {
        let inputs: [&[u8]; 5] = [b"", b"{\"secret\": ", b"[1,]", b"\"\\ud800\"", b"{\"a\":\"\xff\"}"];
        for input in inputs {
            let error = parse(input).unwrap_err();
            assert_eq!(error.scim_type, Some(crate::scim::ScimType::InvalidSyntax));
            assert!(!error.detail.contains("secret"));
        }
        let deep = [vec![b'['; 10_000], vec![b']'; 10_000]].concat();
        assert!(parse(&deep).is_err());
    }
}
