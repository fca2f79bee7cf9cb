//! SQL text out of `&'static str` pieces and binds: no other text can get in.

use serde_json::Value;
use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;
use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use super::words::Engine;
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, GrantKey, Pk, ResourceId, RoleKey, RuleKey, ScopeKey, TenantId, Version};

/// A value beside the text.
#[derive(Debug, Clone)]
pub enum Bind {
    /// A number or NULL.
    Int(Option<i64>),
    /// A text or NULL.
    Text(Option<Cow<'static, str>>),
    /// Rows of as many values each; the last bind of a statement. SQLite runs the statement once for each of them,
    /// PostgreSQL reads them from one JSON array: see `[from $3]` in `Engine::write`.
    Rows(Vec<Vec<Bind>>),
}

macro_rules! binds {
    ($($from:ty, $value:ident => $bind:expr;)+) => {$(
        impl From<$from> for Bind {
            fn from($value: $from) -> Self {
                $bind
            }
        }
    )+};
}

binds! {
    i64, value => Self::Int(Some(value));
    Option<i64>, value => Self::Int(value);
    String, value => Self::Text(Some(Cow::Owned(value)));
    Option<String>, value => Self::Text(value.map(Cow::Owned));
    &'static str, value => Self::Text(Some(Cow::Borrowed(value)));
    &ResourceId, value => Self::Text(Some(Cow::Owned(value.as_str().to_owned())));
    TenantId, value => Self::Int(Some(value.0));
    ConnectionId, value => Self::Int(Some(value.0));
    Option<ConnectionId>, value => Self::Int(value.map(|id| id.0));
    Pk, value => Self::Int(Some(value.0));
    Option<Pk>, value => Self::Int(value.map(|pk| pk.0));
    Version, value => Self::Int(Some(value.0));
    RoleKey, value => Self::Int(Some(value.0));
    Option<RoleKey>, value => Self::Int(value.map(|key| key.0));
    ScopeKey, value => Self::Int(Some(value.0));
    Option<ScopeKey>, value => Self::Int(value.map(|key| key.0));
    GrantKey, value => Self::Int(Some(value.0));
    RuleKey, value => Self::Int(Some(value.0));
    Timestamp, value => Self::Int(Some(value.0));
    Option<Timestamp>, value => Self::Int(value.map(|at| at.0));
    Vec<Vec<Bind>>, rows => Self::Rows(rows);
}

/// One SQL statement in the portable dialect (see `Engine::write` for its words) and its binds.
#[derive(Debug, Clone)]
pub struct Statement {
    text: Cow<'static, str>,
    binds: Vec<Bind>,
    expects_row: bool,
}

impl Statement {
    /// A fixed text whose binds `$1`, `$2` … follow by [`Self::bind`].
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            binds: Vec::new(),
            expects_row: false,
        }
    }

    /// The same, which fails with [`Error::Stale`](crate::store::Error::Stale) when it returns no row: what it was to
    /// change is not as it was. On PostgreSQL, only for the main statement of a script.
    #[must_use]
    pub const fn expecting_row(mut self) -> Self {
        self.expects_row = true;
        self
    }

    /// Whether it must return a row.
    pub(super) const fn expects_row(&self) -> bool {
        self.expects_row
    }

    /// The value of the next `$n` of a fixed text.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Bind>) -> Self {
        self.binds.push(value.into());
        self
    }

    /// The values of the next ones.
    #[must_use]
    pub fn bind_all(mut self, values: impl IntoIterator<Item = Bind>) -> Self {
        self.binds.extend(values);
        self
    }

    /// More text.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// The next `$n`, and its value.
    pub fn push_bind(&mut self, value: impl Into<Bind>) -> &mut Self {
        self.binds.push(value.into());
        let number = self.binds.len();
        // Writing to a String cannot fail.
        let _ = write!(self.text.to_mut(), "${number}");
        self
    }

    /// A value without text; gives the number by which [`Self::push_number`] names it any number of times.
    pub fn keep(&mut self, value: impl Into<Bind>) -> usize {
        self.binds.push(value.into());
        self.binds.len()
    }

    /// The `$n` of a value given to [`Self::keep`].
    pub fn push_number(&mut self, number: usize) -> &mut Self {
        let _ = write!(self.text.to_mut(), "${number}");
        self
    }
}

impl Statement {
    /// The text as SQLite reads it.
    pub(super) fn sqlite_text(&self) -> Arc<str> {
        match self.text {
            Cow::Borrowed(text) => Engine::Sqlite.remembered(text),
            Cow::Owned(ref text) => {
                let mut out = String::with_capacity(text.len());
                Engine::Sqlite.write(text, 0, &mut out);
                out.into()
            }
        }
    }

    /// The binds, and apart from them the rows for each of which SQLite runs the statement.
    pub(super) fn binds_and_rows(&self) -> (&[Bind], Option<&[Vec<Bind>]>) {
        match self.binds.split_last() {
            Some((Bind::Rows(rows), others)) => (others, Some(rows)),
            _ => (&self.binds, None),
        }
    }
}

/// Rows as a JSON array of arrays.
fn json(rows: &[Vec<Bind>]) -> String {
    let value = |bind: &Bind| match bind {
        Bind::Int(value) => Value::from(*value),
        Bind::Text(value) => Value::from(value.as_deref()),
        Bind::Rows(_) => Value::Null,
    };
    let row = |row: &Vec<Bind>| row.iter().map(value).collect::<Value>();
    rows.iter().map(row).collect::<Value>().to_string()
}

/// Statements that go to the database together, in order. They share the effect, so none may read what another of
/// them writes, and only the main one may return rows.
#[derive(Debug, Clone)]
pub struct Script {
    before: Vec<Statement>,
    main: Statement,
    after: Vec<Statement>,
    closing: Option<Statement>,
}

impl Script {
    /// One statement.
    #[must_use]
    pub const fn new(main: Statement) -> Self {
        Self {
            before: Vec::new(),
            main,
            after: Vec::new(),
            closing: None,
        }
    }

    /// One that a foreign key wants before the main one.
    #[must_use]
    pub fn before(mut self, statement: Statement) -> Self {
        self.before.push(statement);
        self
    }

    /// One that follows the main one.
    #[must_use]
    pub fn after(mut self, statement: Statement) -> Self {
        self.after.push(statement);
        self
    }

    /// One that is run last, and only when the main one, which must be expected to return rows, did: an
    /// `INSERT … SELECT` without `FROM`. PostgreSQL runs the parts of a statement in no promised order, but what this one
    /// inserts is worked out when the main one has its locks and its rows.
    #[must_use]
    pub(super) fn closing(mut self, statement: Statement) -> Self {
        self.closing = Some(statement);
        self
    }

    /// The statements in the order in which SQLite runs them.
    pub(super) fn into_statements(self) -> Vec<Statement> {
        let first = self.before.into_iter().chain([self.main]);
        first.chain(self.after).chain(self.closing).collect()
    }

    /// Whether the main statement must return a row.
    pub(super) const fn expects_row(&self) -> bool {
        self.main.expects_row
    }

    /// The same, when there is one.
    #[must_use]
    pub fn after_some(self, statement: Option<Statement>) -> Self {
        match statement {
            Some(statement) => self.after(statement),
            None => self,
        }
    }
}

impl From<Statement> for Script {
    fn from(main: Statement) -> Self {
        Self::new(main)
    }
}

/// A fixed text as sqlx takes it.
pub(super) fn fixed(engine: Engine, text: &'static str) -> SqlStr {
    trusted(engine.remembered(text)).into_sql_str()
}

/// Text and arguments as sqlx takes them.
pub(super) type Ready<A> = (AssertSqlSafe<Arc<str>>, A);

/// The text is made of `&'static str` and the numbers of binds: nothing that came from outside can be in it.
#[expect(clippy::disallowed_methods, reason = "this is the statement builder")]
fn trusted(text: Arc<str>) -> AssertSqlSafe<Arc<str>> {
    AssertSqlSafe(text)
}

/// PostgreSQL's text and arguments: one statement, the others as data-modifying `WITH` parts of the main one.
pub(super) fn postgres(script: Script) -> Ready<PgArguments> {
    let mut arguments = PgArguments::default();
    let mut add = |binds: Vec<Bind>| {
        for bind in binds {
            let _ = match bind {
                Bind::Int(value) => arguments.add(value),
                Bind::Text(value) => arguments.add(value.as_deref()),
                Bind::Rows(rows) => arguments.add(json(&rows)),
            };
        }
    };
    let alone = script.before.is_empty() && script.after.is_empty() && script.closing.is_none();
    if let (Cow::Borrowed(text), true) = (&script.main.text, alone) {
        let text = Engine::Postgres.remembered(text);
        add(script.main.binds);
        return (trusted(text), arguments);
    }
    let mut text = String::with_capacity(2048);
    let mut offset = 0;
    let others = script.before.into_iter().chain(script.after);
    // The main one is a part as well where something depends on its rows.
    let (main, end) = match script.closing {
        Some(closing) => (Some(script.main), closing),
        None => (None, script.main),
    };
    let closes = main.is_some();
    let named = others.enumerate().map(|(at, statement)| (Some(at), statement));
    for (at, statement) in named.chain(main.map(|main| (None, main))) {
        text.push_str(if text.is_empty() { "WITH " } else { ", " });
        let _ = match at {
            Some(at) => write!(text, "w{at} AS ("),
            None => write!(text, "main AS ("),
        };
        Engine::Postgres.write(&statement.text, offset, &mut text);
        text.push(')');
        offset += statement.binds.len();
        add(statement.binds);
    }
    text.push(' ');
    Engine::Postgres.write(&end.text, offset, &mut text);
    if closes {
        text.push_str(" WHERE EXISTS (SELECT 1 FROM main) RETURNING 1");
    }
    add(end.binds);
    (trusted(text.into()), arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_one_text_with_one_numbering() {
        let script = || {
            Script::new(Statement::new("INSERT INTO a VALUES ($1, $2)").bind(1).bind("x"))
                .after(Statement::new("INSERT INTO b VALUES ($1)").bind(2))
        };
        let (text, _) = postgres(script());
        assert_eq!(
            text.into_sql_str().as_str(),
            "WITH w0 AS (INSERT INTO b VALUES ($1)) INSERT INTO a VALUES ($2, $3)"
        );
        let main = Statement::new("UPDATE a SET x = $1 RETURNING x")
            .bind(1)
            .expecting_row();
        let script = Script::new(main)
            .after(Statement::new("DELETE FROM b WHERE y = $1").bind(2))
            .closing(Statement::new("INSERT INTO c SELECT $1").bind(3));
        let (text, _) = postgres(script);
        assert_eq!(
            text.into_sql_str().as_str(),
            "WITH w0 AS (DELETE FROM b WHERE y = $1), main AS (UPDATE a SET x = $2 RETURNING x) \
             INSERT INTO c SELECT $3 WHERE EXISTS (SELECT 1 FROM main) RETURNING 1"
        );
    }
}
