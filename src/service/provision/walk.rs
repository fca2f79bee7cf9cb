//! Pages by cursor (RFC 9865): the server keeps nothing of a walk, the client brings back what it was given.
//!
//! A cursor says where the next page begins. It is sealed, as that may be somebody's name, and bound to the tenant, to
//! who asks, to the types and to the words of the query; it gives no right: each page is asked for like any other query.

use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::query::{Found, Question, at_position, at_turn};
use super::shown::Shown;
use crate::base::clock::Timestamp;
use crate::event::Owner;
use crate::scim;
use crate::scim::cursor::{Cursor, Mark, Turn};
use crate::scim::message::{self, SortOrder};
use crate::scim::schema::ResourceType;
use crate::service::context::{Authority, Caller, Services};
use crate::service::error::Result;

/// Seconds for which a cursor is good: time enough for a client that does much with each page, and for its repetitions.
pub const CURSOR_TIMEOUT_SECS: u64 = 3600;

/// What a cursor is among things that are sealed.
const CURSOR: &str = "cursor";

/// Longest cursor that is opened. Ours are some hundred characters, and four thousand where the value that is sorted by
/// is as long as can be.
const MAX_CURSOR_LENGTH: usize = 8 << 10;

/// Resources of one page.
pub(super) struct Part {
    pub(super) items: Vec<Shown>,
    /// The places of the first and the last of them.
    pub(super) ends: Option<[Mark; 2]>,
    /// Whether there are more in the direction in which it was asked for.
    pub(super) more: bool,
}

/// The page that the cursor of a query stands for; an empty one begins a walk.
pub(super) async fn page(
    services: &Services,
    caller: &Caller,
    types: &[Arc<ResourceType>],
    mut question: Question,
    asked: &message::Query,
) -> Result<Found> {
    let now = services.clock().now();
    let seal = Seal::of(services, caller, types, asked).await?;
    let cursor = match asked.cursor.as_deref() {
        None | Some("") => None,
        Some(text) => Some(seal.open(text, now)?),
    };
    question.limit = size(asked, question.limit, cursor.as_ref())?;
    let (total, turn) = match cursor {
        Some(cursor) => (cursor.total, cursor.turn),
        None => (total(services, caller, types, &mut question).await?, Turn::Start),
    };
    if question.limit == 0 {
        // Nothing was shown that another page could follow.
        return Ok(found(Vec::new(), total, [None, None], question));
    }
    let part = at_turn(services, caller, types, &question, &turn).await?;
    let around = around(turn, part.ends, part.more);
    let mut cursors = [None, None];
    for (place, turn) in cursors.iter_mut().zip(around) {
        let cursor = turn.map(|turn| Cursor {
            made: now.0,
            total,
            count: question.limit,
            turn,
        });
        *place = cursor.map(|cursor| seal.close(&cursor)).transpose()?;
    }
    Ok(found(part.items, total, cursors, question))
}

fn found(items: Vec<Shown>, total: u64, [previous, next]: [Option<String>; 2], question: Question) -> Found {
    Found {
        items,
        total,
        start_index: None,
        next,
        previous,
        view: question.view,
    }
}

/// Size of a page: all pages of a walk have the same one (RFC 9865 §2), and who does not repeat it means it.
fn size(asked: &message::Query, limit: u64, cursor: Option<&Cursor>) -> Result<u64> {
    match cursor {
        None => Ok(limit),
        Some(cursor) if asked.count.is_none() || limit == cursor.count => Ok(cursor.count),
        Some(cursor) => {
            let detail = format!(
                "`count` is {} on every page that follows from this cursor",
                cursor.count
            );
            Err(scim::Error::invalid_count(detail).into())
        }
    }
}

/// How many there are as a walk begins. The pages after repeat it: to count anew would cost as much as finding all.
async fn total(
    services: &Services,
    caller: &Caller,
    types: &[Arc<ResourceType>],
    question: &mut Question,
) -> Result<u64> {
    let limit = std::mem::take(&mut question.limit);
    let (_, total) = at_position(services, caller, types, question).await?;
    question.limit = limit;
    Ok(total)
}

/// The turns to the page before and to the page after.
fn around(turn: Turn, ends: Option<[Mark; 2]>, more: bool) -> [Option<Turn>; 2] {
    let Some([first, last]) = ends else {
        // Whoever was there is gone meanwhile: nothing is left in this direction. The other begins where this one did.
        return match turn {
            Turn::Start => [None, None],
            Turn::After(mark) => [Some(Turn::UpTo(mark)), None],
            Turn::From(mark) => [Some(Turn::Before(mark)), None],
            Turn::Before(mark) => [None, Some(Turn::From(mark))],
            Turn::UpTo(mark) => [None, Some(Turn::After(mark))],
        };
    };
    let (before, after) = (Turn::Before(first), Turn::After(last));
    match turn {
        Turn::Start => [None, more.then_some(after)],
        Turn::After(_) | Turn::From(_) => [Some(before), more.then_some(after)],
        Turn::Before(_) | Turn::UpTo(_) => [more.then_some(before), Some(after)],
    }
}

/// What the cursors of one query of one client are bound to.
struct Seal<'a> {
    services: &'a Services,
    tenant: Arc<str>,
    query: String,
}

impl<'a> Seal<'a> {
    async fn of(
        services: &'a Services,
        caller: &Caller,
        types: &[Arc<ResourceType>],
        asked: &message::Query,
    ) -> Result<Self> {
        let mut hash = Sha256::new();
        let mut word = |word: Option<&str>| {
            // Each with its length, so that no two queries have the same words.
            hash.update(word.map_or(u64::MAX, |word| word.len() as u64).to_be_bytes());
            hash.update(word.unwrap_or_default());
        };
        let (kind, id) = who(caller);
        word(Some(kind));
        word(Some(&id));
        for ty in types {
            word(Some(&ty.schema().id));
            // Several of these may have one core schema.
            if ty.is_own() {
                word(Some(ty.name()));
            }
        }
        word(asked.filter.as_deref());
        word(asked.sort_by.as_deref());
        word(Some(match asked.sort_order {
            SortOrder::Ascending => "up",
            SortOrder::Descending => "down",
        }));
        let mut query = String::new();
        for byte in hash.finalize() {
            // INVARIANT: writing into a string does not fail.
            let _ = write!(query, "{byte:02x}");
        }
        Ok(Self {
            services,
            tenant: services.tenant_uid(caller).await?,
            query,
        })
    }

    fn owner(&self) -> Owner<'_> {
        Owner {
            what: CURSOR,
            tenant: &self.tenant,
            id: &self.query,
        }
    }

    fn close(&self, cursor: &Cursor) -> Result<String> {
        let sealer = self.services.sealer();
        sealer.hand_out(&self.owner(), cursor.to_text().as_bytes())
    }

    /// The cursor, if this query gave it to this client, and lately.
    fn open(&self, text: &str, now: Timestamp) -> Result<Cursor> {
        let whole = (text.len() <= MAX_CURSOR_LENGTH).then_some(text);
        let opened = whole.and_then(|text| self.services.sealer().take_back(&self.owner(), text));
        let cursor = opened.and_then(|text| Cursor::parse(&text));
        let cursor = cursor.ok_or_else(scim::Error::invalid_cursor)?;
        if Timestamp(cursor.made).plus(Duration::from_secs(CURSOR_TIMEOUT_SECS)) <= now {
            let detail =
                format!("the cursor is older than {CURSOR_TIMEOUT_SECS} seconds; begin again with an empty one");
            return Err(scim::Error::expired_cursor(detail).into());
        }
        Ok(cursor)
    }
}

/// Whose cursor it is: a connection's, whatever token of it is used, as it sees and is found by its own `externalId`.
fn who(caller: &Caller) -> (&'static str, String) {
    match caller.authority() {
        Authority::Connection(connection) => ("connection", connection.id.0.to_string()),
        Authority::User(id) => ("user", id.clone()),
        Authority::Admin => ("admin", String::new()),
        Authority::Operator(name) | Authority::System(name) => (name, String::new()),
    }
}
