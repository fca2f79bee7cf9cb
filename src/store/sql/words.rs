//! The words in which the two engines differ.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// The server.
    Postgres,
}

/// Fixed texts as an engine reads them, by where they are in memory.
type Written = RwLock<HashMap<(usize, usize, Engine), Arc<str>>>;

impl Engine {
    /// A fixed text for this engine. It is written once only.
    pub(super) fn remembered(self, text: &'static str) -> Arc<str> {
        static WRITTEN: LazyLock<Written> = LazyLock::new(Written::default);
        let key = (text.as_ptr().addr(), text.len(), self);
        if let Some(written) = WRITTEN.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(written);
        }
        let mut out = String::with_capacity(text.len() + 32);
        self.write(text, 0, &mut out);
        let written: Arc<str> = out.into();
        let mut all = WRITTEN.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(key).or_insert(written))
    }

    /// Writes `text` for this engine: `$n` becomes the bind `n+offset`, a word in brackets what the engine calls it.
    ///
    /// | word | SQLite | PostgreSQL |
    /// |---|---|---|
    /// | `[each $3]` | rows of a JSON array, column `value` | the same |
    /// | `[from $3]` | nothing: the statement runs once a row, see [`Bind::Rows`](super::Bind::Rows) | `FROM` the rows |
    /// | `[int $3 0]`, `[text $3 1]` | a value of the row, by its position | the same |
    /// | `[instr]` | position of a text in a text, 0 when it is not there | the same |
    /// | `[array]` | JSON array of its arguments | the same |
    /// | `[collect]` | JSON array of a column | the same |
    /// | `[among]` … `[end]` | `IN (` … `)` | the same, which finds the rows first and then looks each of them up |
    /// | `[fence]` | nothing: it runs subqueries as they are written | keeps a subquery apart |
    /// | `[lock r]` | nothing: there is one writer | row lock that lets foreign keys pass |
    /// | `[share r]` | nothing | row lock that several may have, against those who change the row |
    pub(super) fn write(self, text: &str, offset: usize, out: &mut String) {
        let mut rest = text;
        while let Some(at) = rest.find(['$', '[']) {
            out.push_str(&rest[..at]);
            if rest.as_bytes()[at] == b'$' {
                rest = self.number(&rest[at + 1..], offset, out);
            } else {
                let end = rest[at..].find(']').map_or(rest.len(), |length| at + length);
                self.word(&rest[at + 1..end], offset, out);
                rest = rest.get(end + 1..).unwrap_or_default();
            }
        }
        out.push_str(rest);
    }

    fn word(self, word: &str, offset: usize, out: &mut String) {
        let (name, argument) = word.split_once(' ').unwrap_or((word, ""));
        match (name, self) {
            ("each", Self::Sqlite) => {
                out.push_str("json_each(");
                self.write(argument, offset, out);
                out.push(')');
            }
            ("each", Self::Postgres) => {
                out.push_str("jsonb_array_elements(");
                self.write(argument, offset, out);
                out.push_str("::jsonb)");
            }
            ("from", Self::Postgres) => {
                out.push_str("FROM jsonb_array_elements(");
                self.write(argument, offset, out);
                out.push_str("::jsonb) AS j");
            }
            ("int" | "text", _) => self.value_of_row(name, argument, offset, out),
            ("among", Self::Sqlite) => out.push_str("IN ("),
            ("among", Self::Postgres) => out.push_str("= ANY (ARRAY("),
            ("end", Self::Sqlite) => out.push(')'),
            ("end", Self::Postgres) => out.push_str("))"),
            ("fence", Self::Postgres) => out.push_str("OFFSET 0"),
            ("instr", Self::Postgres) => out.push_str("strpos"),
            ("array", Self::Sqlite) => out.push_str("json_array"),
            ("array", Self::Postgres) => out.push_str("json_build_array"),
            ("collect", Self::Sqlite) => out.push_str("json_group_array"),
            ("collect", Self::Postgres) => out.push_str("json_agg"),
            ("from" | "fence" | "lock" | "share", Self::Sqlite) => {}
            ("lock", Self::Postgres) => {
                out.push_str("FOR NO KEY UPDATE OF ");
                out.push_str(argument);
            }
            ("share", Self::Postgres) => {
                out.push_str("FOR SHARE OF ");
                out.push_str(argument);
            }
            _ => out.push_str(name),
        }
    }

    /// Writes the value at a position of a row: the argument is the bind and the position.
    fn value_of_row(self, kind: &str, argument: &str, offset: usize, out: &mut String) {
        let (bind, at) = argument.split_once(' ').unwrap_or((argument, "0"));
        match (self, kind) {
            (Self::Sqlite, _) => drop(self.number(bind.trim_start_matches('$'), offset + at.parse().unwrap_or(0), out)),
            (Self::Postgres, "int") => {
                let _ = write!(out, "CAST(j.value ->> {at} AS BIGINT)");
            }
            (Self::Postgres, _) => {
                let _ = write!(out, "j.value ->> {at}");
            }
        }
    }

    /// Writes the number `text` starts with, `offset` higher, and gives back what follows it.
    fn number<'a>(self, text: &'a str, offset: usize, out: &mut String) -> &'a str {
        let length = text.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = text.split_at(length);
        out.push(match self {
            Self::Sqlite => '?',
            Self::Postgres => '$',
        });
        let _ = write!(out, "{}", digits.parse::<usize>().unwrap_or(0) + offset);
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(engine: Engine, text: &str, offset: usize) -> String {
        let mut out = String::new();
        engine.write(text, offset, &mut out);
        out
    }

    #[test]
    fn numbers_are_shifted_and_words_replaced() {
        let text = "SELECT [instr](a, $1) FROM [each $12] AS j [lock r]";
        assert_eq!(
            written(Engine::Sqlite, text, 3),
            "SELECT instr(a, ?4) FROM json_each(?15) AS j "
        );
        assert_eq!(
            written(Engine::Postgres, text, 0),
            "SELECT strpos(a, $1) FROM jsonb_array_elements($12::jsonb) AS j FOR NO KEY UPDATE OF r"
        );
    }
}
