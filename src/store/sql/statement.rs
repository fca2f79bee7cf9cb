//! SQL text out of `&'static str` pieces and binds: no other text can get in.

use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use super::words::Engine;
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, ResourceId, TenantId, Version};

/// A value beside the text.
#[derive(Debug, Clone)]
pub enum Bind {
    /// A number or NULL.
    Int(Option<i64>),
    /// A text or NULL.
    Text(Option<Cow<'static, str>>),
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
    Timestamp, value => Self::Int(Some(value.0));
    Option<Timestamp>, value => Self::Int(value.map(|at| at.0));
}

/// One SQL statement in the portable dialect (see `Engine::write` for its words) and its binds.
#[derive(Debug, Clone)]
pub struct Statement {
    text: Cow<'static, str>,
    binds: Vec<Bind>,
}

impl Statement {
    /// A fixed text whose binds `$1`, `$2` … follow by [`Self::bind`].
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            binds: Vec::new(),
        }
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

/// Statements that go to the database together, in order. They share the effect, so none may read what another of
/// them writes, and only the main one may return rows.
#[derive(Debug, Clone)]
pub struct Script {
    before: Vec<Statement>,
    main: Statement,
    after: Vec<Statement>,
}

impl Script {
    /// One statement.
    #[must_use]
    pub const fn new(main: Statement) -> Self {
        Self {
            before: Vec::new(),
            main,
            after: Vec::new(),
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

    /// The statements in the order in which SQLite runs them.
    pub(super) fn into_statements(self) -> Vec<Statement> {
        self.before.into_iter().chain([self.main]).chain(self.after).collect()
    }

    /// How many statements there are.
    pub(super) fn parts(&self) -> usize {
        self.before.len() + 1 + self.after.len()
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

/// SQLite's text and arguments. The statements run one after another within one call.
pub(super) fn sqlite(prefix: &'static str, statements: Vec<Statement>, suffix: &'static str) -> Ready<SqliteArguments> {
    let text = match statements.as_slice() {
        [
            Statement {
                text: Cow::Borrowed(text),
                ..
            },
        ] if prefix.is_empty() && suffix.is_empty() => Engine::Sqlite.remembered(text),
        _ => {
            let mut text = String::with_capacity(2048);
            text.push_str(prefix);
            let mut offset = 0;
            for statement in &statements {
                Engine::Sqlite.write(&statement.text, offset, &mut text);
                text.push(';');
                offset += statement.binds.len();
            }
            text.push_str(suffix);
            text.into()
        }
    };
    let mut arguments = SqliteArguments::default();
    for bind in statements.into_iter().flat_map(|statement| statement.binds) {
        // Encoding a number or a text cannot fail.
        let _ = match bind {
            Bind::Int(value) => arguments.add(value),
            Bind::Text(value) => arguments.add(value.map(Cow::into_owned)),
        };
    }
    (trusted(text), arguments)
}

/// PostgreSQL's text and arguments: one statement, the others as data-modifying `WITH` parts of the main one.
pub(super) fn postgres(script: Script) -> Ready<PgArguments> {
    let mut arguments = PgArguments::default();
    let mut add = |binds: Vec<Bind>| {
        for bind in binds {
            let _ = match bind {
                Bind::Int(value) => arguments.add(value),
                Bind::Text(value) => arguments.add(value.as_deref()),
            };
        }
    };
    if let (Cow::Borrowed(text), true, true) = (&script.main.text, script.before.is_empty(), script.after.is_empty()) {
        let text = Engine::Postgres.remembered(text);
        add(script.main.binds);
        return (trusted(text), arguments);
    }
    let mut text = String::with_capacity(2048);
    let mut offset = 0;
    for (at, statement) in script.before.into_iter().chain(script.after).enumerate() {
        let _ = write!(text, "{}w{at} AS (", if at == 0 { "WITH " } else { ", " });
        Engine::Postgres.write(&statement.text, offset, &mut text);
        text.push(')');
        offset += statement.binds.len();
        add(statement.binds);
    }
    text.push(' ');
    Engine::Postgres.write(&script.main.text, offset, &mut text);
    add(script.main.binds);
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
        let (text, _) = sqlite("SAVEPOINT u;", script().into_statements(), "RELEASE u");
        assert_eq!(
            text.into_sql_str().as_str(),
            "SAVEPOINT u;INSERT INTO a VALUES ($1, $2);INSERT INTO b VALUES ($3);RELEASE u"
        );
        let (text, _) = postgres(script());
        assert_eq!(
            text.into_sql_str().as_str(),
            "WITH w0 AS (INSERT INTO b VALUES ($1)) INSERT INTO a VALUES ($2, $3)"
        );
    }
}
