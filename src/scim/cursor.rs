//! What a cursor says (RFC 9865): how far a walk through a list has come. Sealed, it is what the client holds.

use serde_json::{Value, json};

/// A place in an order: right behind the resource that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The value that the resource was sorted by, as far as an index holds it; `None` where it had none, or nothing is
    /// sorted.
    pub key: Option<String>,
    /// What orders resources of one value.
    pub tie: String,
}

/// Which page of a walk is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// The first.
    Start,
    /// The one that begins behind a place.
    After(Mark),
    /// The one that ends in front of it.
    Before(Mark),
    /// The one that begins with it, or behind it where it is gone.
    From(Mark),
    /// The one that ends with it, or in front of it where it is gone.
    UpTo(Mark),
}

impl Turn {
    /// The place it goes on from.
    #[must_use]
    pub const fn mark(&self) -> Option<&Mark> {
        match self {
            Self::Start => None,
            Self::After(mark) | Self::Before(mark) | Self::From(mark) | Self::UpTo(mark) => Some(mark),
        }
    }

    /// Whether it goes against the order.
    #[must_use]
    pub const fn is_back(&self) -> bool {
        matches!(self, Self::Before(_) | Self::UpTo(_))
    }

    /// Whether the place itself is part of the page.
    #[must_use]
    pub const fn is_with(&self) -> bool {
        matches!(self, Self::From(_) | Self::UpTo(_))
    }
}

/// How far a walk has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// When the page was made that the cursor is of, in microseconds.
    pub made: i64,
    /// How many matches there were when the walk began.
    pub total: u64,
    /// Most resources of a page.
    pub count: u64,
    /// The page it stands for; never [`Turn::Start`].
    pub turn: Turn,
}

impl Cursor {
    /// As text, which [`Self::parse`] reads.
    #[must_use]
    pub fn to_text(&self) -> String {
        let (key, tie) = self
            .turn
            .mark()
            .map_or((None, ""), |mark| (mark.key.as_deref(), &mark.tie));
        let (back, with) = (self.turn.is_back(), self.turn.is_with());
        json!([self.made, self.total, self.count, back, with, key, tie]).to_string()
    }

    /// What was written as text; `None` where nobody wrote it so.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let Ok(Value::Array(parts)) = serde_json::from_slice(text) else {
            return None;
        };
        let [made, total, count, back, with, key, tie] = <[Value; 7]>::try_from(parts).ok()?;
        let key = match key {
            Value::Null => None,
            key => Some(key.as_str()?.to_owned()),
        };
        let tie = tie.as_str()?.to_owned();
        let mark = Mark { key, tie };
        Some(Self {
            made: made.as_i64()?,
            total: total.as_u64()?,
            count: count.as_u64()?,
            turn: match (back.as_bool()?, with.as_bool()?) {
                (false, false) => Turn::After(mark),
                (false, true) => Turn::From(mark),
                (true, false) => Turn::Before(mark),
                (true, true) => Turn::UpTo(mark),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let marks = [(None, "7"), (Some("\u{1f600}\"\u{0}"), "x"), (Some(""), "")];
        for (key, tie) in marks {
            let mark = Mark {
                key: key.map(str::to_owned),
                tie: tie.to_owned(),
            };
            let turns = [Turn::After, Turn::Before, Turn::From, Turn::UpTo];
            for turn in turns.map(|turn| turn(mark.clone())) {
                let cursor = Cursor {
                    made: -1,
                    total: u64::MAX,
                    count: 0,
                    turn,
                };
                assert_eq!(Cursor::parse(cursor.to_text().as_bytes()), Some(cursor));
            }
        }
    }

    #[test]
    fn what_nobody_wrote_is_nothing() {
        for text in [
            "",
            "[]",
            "{}",
            "[1,2,3,true,null,\"a\"]",
            "[1,2,3,true,true,null,\"a\",1]",
            "[1,-2,3,true,true,null,\"a\"]",
            "[1,2,3,0,true,null,\"a\"]",
            "[1,2,3,true,0,null,\"a\"]",
            "[1,2,3,true,true,5,\"a\"]",
        ] {
            assert_eq!(Cursor::parse(text.as_bytes()), None, "{text}");
        }
    }
}
