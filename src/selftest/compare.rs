//! When two values are equal, alike, or the same state; what type a value has; what instant a text names.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// Equal, whatever the order of members; 1 and 1.0 are equal, 1 and true are not.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

/// Null, `[]` and `{}` stand for nothing.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(rows) => rows.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// `have` holds at least what `wanted` holds; lists match one to one in any order.
pub(super) fn like(have: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Object(wanted) => {
            let Some(have) = have.as_object() else { return false };
            wanted
                .iter()
                .all(|(name, wanted)| like(have.get(name).unwrap_or(&Value::Null), wanted))
        }
        Value::Array(wanted) if !wanted.is_empty() => {
            let mut rest: Vec<&Value> = have.as_array().into_iter().flatten().collect();
            for wanted in wanted {
                let Some(hit) = rest.iter().position(|have| like(have, wanted)) else {
                    return false;
                };
                rest.remove(hit);
            }
            rest.is_empty()
        }
        Value::Null | Value::Array(_) => is_nothing(have),
        _ => equal(have, wanted),
    }
}

/// A form in which equal states are equal: nothing is left out, `primary` false is unset, the order of values is open.
pub(super) fn canon(value: &Value) -> Value {
    match value {
        Value::Array(rows) => {
            let mut rows: Vec<Value> = rows.iter().map(canon).collect();
            rows.sort_by_cached_key(sorted);
            Value::Array(rows)
        }
        Value::Object(members) => {
            let kept = members.iter().map(|(name, value)| (name.clone(), canon(value)));
            let says =
                |name: &str, value: &Value| !is_nothing(value) && (name, value) != ("primary", &Value::Bool(false));
            Value::Object(kept.filter(|(name, value)| says(name, value)).collect())
        }
        other => other.clone(),
    }
}

/// JSON text with its members in the order of their names.
pub(super) fn sorted(value: &Value) -> String {
    fn order(value: &Value) -> Value {
        match value {
            Value::Array(rows) => Value::Array(rows.iter().map(order).collect()),
            Value::Object(members) => {
                let mut rows: Vec<_> = members.iter().collect();
                rows.sort_by_key(|(name, _)| name.as_str());
                Value::Object(
                    rows.into_iter()
                        .map(|(name, value)| (name.clone(), order(value)))
                        .collect(),
                )
            }
            other => other.clone(),
        }
    }
    order(value).to_string()
}

/// A resource without `meta`.
pub(super) fn without_meta(value: &Value) -> Value {
    let Value::Object(members) = value else {
        return value.clone();
    };
    let kept = members.iter().filter(|(name, _)| *name != "meta");
    Value::Object(
        kept.map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Map<_, _>>(),
    )
}

/// The instant of an `xsd:dateTime`, to the microsecond; without an offset it is UTC.
pub(super) fn instant(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T')?;
    let digits = |text: &str, shape: &[usize]| {
        let parts: Vec<&str> = text.split(['-', ':']).collect();
        parts.len() == shape.len()
            && parts
                .iter()
                .zip(shape)
                .all(|(part, length)| part.len() == *length && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let at = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, offset) = time.split_at(at);
    let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let is_offset = |text: &str| matches!(text, "" | "Z") || (text.len() == 6 && digits(&text[1..], &[2, 2]));
    let whole = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(date, &[4, 2, 2]) || !digits(seconds, &[2, 2, 2]) || !whole || !is_offset(offset) {
        return None;
    }
    let offset = if offset.is_empty() { "Z" } else { offset };
    let fraction = &fraction[..fraction.len().min(6)];
    let instant: Timestamp = format!("{date}T{seconds}.{fraction}{offset}").parse().ok()?;
    Some(instant.as_microsecond())
}

const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Whether a value has a type of the language; `None` for a type that there is not.
pub(super) fn is_type(value: &Value, name: &str) -> Option<bool> {
    Some(match (name, value) {
        ("string", _) => value.is_string(),
        ("boolean", _) => value.is_boolean(),
        ("object", _) => value.is_object(),
        ("array", _) => value.is_array(),
        ("number", _) => value.is_number(),
        ("integer", _) => value.is_i64() || value.is_u64(),
        ("dateTime", Value::String(text)) => instant(text).is_some(),
        ("base64", Value::String(text)) => ANY_PADDING.decode(text).is_ok_and(|bytes| !bytes.is_empty()),
        ("uri", Value::String(text)) => {
            let odd = |c: char| c.is_whitespace() || "<>\"{}|\\^`".contains(c);
            !text.is_empty() && !text.contains(odd)
        }
        ("dateTime" | "base64" | "uri", _) => false,
        _ => return None,
    })
}
