//! One attribute's value: its type, its spelling, its size (RFC 7643 §2.3).

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::elements::{MAX_ELEMENTS, tidy};
use crate::base::instant::parse_date_time;
use crate::scim::Error;
use crate::scim::message::unambiguous;
use crate::scim::schema::{Attribute, Mutability, Returned, Type};

/// Longest text in bytes: room for a photo or a certificate in base64, small enough for a row.
pub const MAX_TEXT: usize = 64 * 1024;

/// Most unknown names that are reported; the rest is dropped without a word.
const MAX_REPORTED: usize = 100;

/// Padding may be left out (RFC 7643 §2.3.6).
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Whether a value counts as no value: `null`, `[]` and `{}` are one state (RFC 7643 §2.5).
pub(in crate::scim) fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// What becomes of a read-only sub-attribute in a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::scim) enum ReadOnly {
    /// Left out without a word, as in a whole resource (RFC 7644 §3.3, §3.5.1).
    #[default]
    Skipped,
    /// Left out, and named.
    LeftOut,
    /// Refused (RFC 7644 §3.5.2).
    Refused,
}

/// Brings values into clean form, and collects what is worth saying about them.
#[derive(Debug, Default)]
pub(in crate::scim) struct Cleaner {
    /// Whether a lone value may stand for an array that holds it, as in PATCH (RFC 7644 §3.5.2.1).
    pub lone: bool,
    /// What becomes of read-only sub-attributes.
    pub read_only: ReadOnly,
    /// Paths that name no attribute.
    pub ignored: Vec<String>,
    /// How often a path named none, also where it is not reported.
    pub ignored_times: usize,
    /// Canonical paths that were given a value and are shown on request only.
    pub asked_for: Vec<String>,
    /// Canonical paths of attributes that are never returned and were spoken of, as often as they were.
    pub secrets: Vec<String>,
}

impl Cleaner {
    /// Notes a name that means nothing here.
    pub fn ignore(&mut self, path: impl Into<String>) {
        self.ignored_times += 1;
        if self.ignored.len() < MAX_REPORTED {
            self.ignored.push(path.into());
        }
    }

    /// Notes that the client specified an attribute (RFC 7643 §7, `returned` of `request`).
    pub fn specified(&mut self, attribute: &Attribute, path: &str) {
        if attribute.returned == Returned::Request && !self.asked_for.iter().any(|known| known == path) {
            self.asked_for.push(path.to_owned());
        }
        if attribute.returned == Returned::Never {
            self.secrets.push(path.to_owned());
        }
    }

    /// Judges a value for a read-only sub-attribute. What says no more than is so already is fine, and so is `$ref`, which
    /// clients send back as it was shown and which follows from `value`.
    ///
    /// # Errors
    /// `mutability` where such a value is refused.
    pub fn given_read_only(
        &mut self,
        sub: &Attribute,
        path: &str,
        value: &Value,
        before: Option<&Value>,
    ) -> Result<(), Error> {
        let says_nothing = before == Some(value) || before.is_none() && is_absent(value);
        if says_nothing || sub.name == "$ref" {
            return Ok(());
        }
        match self.read_only {
            ReadOnly::Skipped => {}
            ReadOnly::LeftOut => self.ignore(path),
            ReadOnly::Refused => return Err(Error::mutability(format!("`{path}` is read-only"))),
        }
        Ok(())
    }

    /// The clean value of the attribute at this canonical path; `None` when it amounts to none.
    ///
    /// # Errors
    /// `invalidValue` when the value does not fit, `invalidSyntax` for a member given twice in different letter case.
    pub fn value(&mut self, attribute: &Attribute, path: &str, value: &Value) -> Result<Option<Value>, Error> {
        self.specified(attribute, path);
        if !attribute.multi_valued {
            return self.single(attribute, path, value);
        }
        let items = match value {
            Value::Null => return Ok(None),
            Value::Array(items) => items.as_slice(),
            lone if self.lone => std::slice::from_ref(lone),
            _ => return Err(Error::invalid_value(format!("`{path}` must be an array"))),
        };
        if items.len() > MAX_ELEMENTS {
            return Err(Error::invalid_value(format!(
                "`{path}` has more than {MAX_ELEMENTS} values"
            )));
        }
        let mut clean = Vec::with_capacity(items.len());
        for item in items {
            clean.extend(self.single(attribute, path, item)?);
        }
        let clean = tidy(attribute, path, clean)?;
        Ok(Some(Value::Array(clean)).filter(|value| !is_absent(value)))
    }

    /// The clean form of one value: that of a singular attribute, or an element of a multi-valued one.
    ///
    /// # Errors
    /// As [`Cleaner::value`].
    pub fn single(&mut self, attribute: &Attribute, path: &str, value: &Value) -> Result<Option<Value>, Error> {
        if is_absent(value) {
            return Ok(None);
        }
        match (attribute.kind, value) {
            (Type::Complex, Value::Object(members)) => {
                let clean = self.complex(attribute, path, members)?;
                Ok(Some(Value::Object(clean)).filter(|value| !is_absent(value)))
            }
            (Type::Complex, _) => Err(Error::invalid_value(format!(
                "`{path}` must be an object of sub-attributes"
            ))),
            (kind, _) => simple(kind, path, value).map(|()| Some(value.clone())),
        }
    }

    fn complex(
        &mut self,
        attribute: &Attribute,
        path: &str,
        members: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Error> {
        unambiguous(members)?;
        let mut clean = Map::new();
        for (name, value) in members {
            let Some(sub) = attribute.sub(name) else {
                self.ignore(format!("{path}.{name}"));
                continue;
            };
            let path = format!("{path}.{}", sub.name);
            if sub.mutability == Mutability::ReadOnly {
                self.given_read_only(sub, &path, value, None)?;
                continue;
            }
            if let Some(value) = self.value(sub, &path, value)? {
                clean.insert(sub.name.clone(), value);
            }
        }
        Ok(clean)
    }
}

/// Whether a value is of a simple kind.
pub(super) fn is_of(kind: Type, value: &Value) -> bool {
    match (kind, value) {
        (Type::Boolean, Value::Bool(_))
        | (Type::Decimal, Value::Number(_))
        | (Type::String | Type::Reference, Value::String(_)) => true,
        (Type::Integer, Value::Number(number)) => number.is_i64() || number.is_u64(),
        (Type::DateTime, Value::String(text)) => parse_date_time(text).is_some(),
        (Type::Binary, Value::String(text)) => BASE64.decode(text).is_ok(),
        _ => false,
    }
}

fn simple(kind: Type, path: &str, value: &Value) -> Result<(), Error> {
    if let (Type::String | Type::Reference | Type::DateTime | Type::Binary, Value::String(text)) = (kind, value) {
        storable(path, text)?;
    }
    if is_of(kind, value) {
        return Ok(());
    }
    let wanted = match kind {
        Type::Boolean => "`true` or `false`, without quotes",
        Type::Decimal => "a number",
        Type::Integer => "a number without fraction or exponent, from -2^63 to 2^64-1",
        Type::DateTime => "text such as `2026-01-31T09:00:00Z`, of a year from 0000 to 9999",
        Type::Binary => "base64 text",
        Type::String | Type::Reference | Type::Complex => "text",
    };
    Err(Error::invalid_value(format!("`{path}` must be {wanted}")))
}

/// Refuses text that a store cannot hold: U+0000 is no character in PostgreSQL, and a row has an end.
pub(super) fn storable(path: &str, text: &str) -> Result<(), Error> {
    if text.len() > MAX_TEXT {
        return Err(Error::invalid_value(format!(
            "`{path}` is longer than {MAX_TEXT} bytes"
        )));
    }
    if text.contains('\0') {
        return Err(Error::invalid_value(format!(
            "`{path}` must not hold the character U+0000"
        )));
    }
    Ok(())
}
