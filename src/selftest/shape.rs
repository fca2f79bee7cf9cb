//! The small shapes of the language: JSON as text, facts, refusals, one or many.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;
use std::fmt;

/// One value, or a list of them.
pub(super) fn one_or_many<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let rows = match Value::deserialize(from)? {
        Value::Array(rows) => rows,
        one => vec![one],
    };
    rows.into_iter()
        .map(|row| serde_json::from_value(row).map_err(D::Error::custom))
        .collect()
}

/// A list of facts.
pub(super) fn facts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Fact>, D::Error> {
    let rows = Vec::<Value>::deserialize(from)?;
    rows.iter()
        .map(|row| Fact::read(row).map_err(D::Error::custom))
        .collect()
}

/// JSON in which placeholders are still to be filled in; written as JSON text.
#[derive(Debug, Clone)]
pub(super) struct Template(pub Value);

impl Default for Template {
    fn default() -> Self {
        Self(Value::Object(serde_json::Map::new()))
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        serde_json::from_str(&text)
            .map(Self)
            .map_err(|fault| D::Error::custom(format!("`{text}` is no JSON: {fault}")))
    }
}

/// `400 invalidValue`: a status and a `scimType`; with `?` that one or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: u16,
    pub scim_type: Option<String>,
    pub may_be_missing: bool,
}

impl<'de> Deserialize<'de> for Refusal {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let mut words = text.split_whitespace();
        let status = words.next().and_then(|word| word.parse().ok());
        let (Some(status), word, None) = (status, words.next(), words.next()) else {
            return Err(D::Error::custom(format!("`{text}` is no status with a scimType")));
        };
        Ok(Self {
            status,
            scim_type: word.map(|word| word.trim_end_matches('?').to_owned()),
            may_be_missing: word.is_some_and(|word| word.ends_with('?')),
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        self.scim_type.iter().try_for_each(|word| write!(f, " {word}"))?;
        f.write_str(if self.may_be_missing { "?" } else { "" })
    }
}

/// What is asked of an answer.
#[derive(Debug, Clone)]
pub(super) enum Fact {
    /// One of several lists of facts.
    Any(Vec<Vec<Fact>>),
    One {
        place: String,
        operator: Operator,
        operand: Option<Value>,
    },
}

impl Fact {
    fn read(row: &Value) -> Result<Self, String> {
        let parts = row.as_array().map(Vec::as_slice).unwrap_or_default();
        let unknown = || format!("what is {row}?");
        match parts {
            [Value::String(any), ways @ ..] if any == "any" => {
                let ways = ways.iter().map(|way| {
                    let facts = way.as_array().ok_or_else(unknown)?;
                    facts.iter().map(Self::read).collect()
                });
                Ok(Self::Any(ways.collect::<Result<_, _>>()?))
            }
            [Value::String(place), Value::String(word), rest @ ..] if rest.len() < 2 => {
                let operator = Operator::named(word).ok_or_else(unknown)?;
                let alone = matches!(operator, Operator::Exists | Operator::Absent | Operator::Unique);
                if alone != rest.is_empty() {
                    return Err(unknown());
                }
                Ok(Self::One {
                    place: place.clone(),
                    operator,
                    operand: rest.first().map(|one| operator.read(one)).transpose()?,
                })
            }
            _ => Err(unknown()),
        }
    }
}

macro_rules! operators {
    ($($name:ident $word:literal),+ $(,)?) => {
        /// How a place and an operand belong together.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Operator {
            $($name),+
        }

        impl Operator {
            fn named(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// The word of the data.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word),+
                }
            }
        }
    };
}

operators! {
    Exists "exists", Absent "absent",
    Is "is", Not "not", In "in", Matches "matches", Avoids "avoids", Type "type", Like "like", Same "same",
    Identical "identical", Instant "instant", Later "later", FoldsTo "folds to", AtLeastValue ">=", AtMostValue "<=",
    Has "has", Lacks "lacks", Set "set", IsList "is list", Count "count", AtLeast "at least", AtMost "at most",
    Unique "unique",
}

impl Operator {
    /// The operand as a value: that of `like` is JSON text.
    fn read(self, operand: &Value) -> Result<Value, String> {
        match operand {
            Value::String(text) if self == Self::Like => {
                serde_json::from_str(text).map_err(|fault| format!("`{text}` is no JSON: {fault}"))
            }
            other => Ok(other.clone()),
        }
    }
}
