//! What a connection did is taken back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::Page;
use super::query::{PAGING, Query};
use super::wire::{self, Instant, Segments};
use crate::api::body::Given;
use crate::api::problem::{Code, Problem};
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::service::Caller;
use crate::service::access::authority::{GIVE, VIEW};
use crate::service::undo::{self, Asked, Changes, Shown};

const WRONG: Code = Code {
    name: "invalid-value",
    title: "A value cannot be used",
};

/// The routes of undo.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/undo", begin)
            .says("Takes back what a connection did in a time, or what an undo did, as far as nobody else has changed it since; only for who has all that Admin has. Answers while that goes on; a preview is answered by 200 and does nothing")
            .one_of(&[GIVE])
            .takes::<UndoRequest>()
            .gives::<Undone>(202),
        Route::get("/api/v1/undo", list)
            .says("What was taken back, oldest first, and what goes on")
            .one_of(&[VIEW, GIVE])
            .asks(PAGING)
            .gives::<Page<Undone>>(200),
        Route::get("/api/v1/undo/{id}", read)
            .says("One of them, and how far it is")
            .one_of(&[VIEW, GIVE])
            .gives::<Undone>(200),
    ]
}

/// What is to be taken back: `connection` with `from`, or `undo`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoRequest {
    /// Name or id of a connection.
    #[serde(default)]
    connection: Option<String>,
    /// What it did from this instant on.
    #[serde(default)]
    from: Option<Instant>,
    /// And before this one; until now when absent.
    #[serde(default)]
    to: Option<Instant>,
    /// Id of an undo that is done: what it did is taken back.
    #[serde(default)]
    undo: Option<String>,
    /// Also what others have changed since is put back.
    #[serde(default)]
    overwrite: bool,
    /// Nothing is done: it is told what would be.
    #[serde(default)]
    preview: bool,
}

/// What is taken back.
#[derive(Debug, Serialize, ToSchema)]
pub struct Undone {
    /// A UUID; a preview has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Name of the connection.
    connection: String,
    /// The undo that is taken back, rather than what the connection did.
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: Option<String>,
    /// From when on.
    from: Instant,
    /// Before when.
    to: Instant,
    /// Whether what others have changed since is put back, too.
    overwrite: bool,
    /// `preview`, `running` or `done`.
    state: &'static str,
    /// Users and groups that were deleted and came back.
    restored: u64,
    /// Users and groups that were made and are deleted.
    removed: u64,
    /// Users and groups whose attributes or members were put back.
    changed: u64,
    /// How much was left as it is.
    conflicts: u64,
    /// The first 100 of that.
    left: Vec<UndoConflict>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<Instant>,
    /// When it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished: Option<Instant>,
}

/// Something that was left as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct UndoConflict {
    /// `user` or `group`; `undo` where none of it can be worked out.
    #[serde(rename = "type")]
    kind: String,
    /// Its id.
    id: String,
    /// An attribute by its path, `members.` and an id, or nothing where it is about the whole.
    #[serde(skip_serializing_if = "String::is_empty")]
    what: String,
    /// Why.
    why: String,
}

impl From<Shown> for Undone {
    fn from(shown: Shown) -> Self {
        let outcome = shown.outcome;
        let conflict = |conflict: undo::Conflict| UndoConflict {
            kind: conflict.kind,
            id: conflict.id,
            what: conflict.what,
            why: conflict.why,
        };
        Self {
            id: shown.id,
            connection: shown.connection,
            undo: shown.of,
            from: Instant(shown.span.0),
            to: Instant(shown.span.1),
            overwrite: shown.overwrite,
            state: shown.state,
            restored: outcome.restored,
            removed: outcome.removed,
            changed: outcome.changed,
            conflicts: outcome.conflicts,
            left: outcome.first.into_iter().map(conflict).collect(),
            created: wire::at(shown.created),
            finished: wire::at(shown.finished),
        }
    }
}

impl UndoRequest {
    fn asked(self) -> Result<Asked, Problem> {
        let changes = match (self.connection, self.undo) {
            (Some(connection), None) => Changes::Of {
                connection,
                from: wire::given(self.from)
                    .ok_or_else(|| wrong("/from", "the instant from which on it is taken back belongs here"))?,
                to: wire::given(self.to),
            },
            (None, Some(undo)) if self.from.is_none() && self.to.is_none() => Changes::OfUndo(undo),
            (None, Some(_)) => {
                return Err(wrong(
                    "/undo",
                    "an undo is taken back as a whole: without `from` and `to`",
                ));
            }
            _ => return Err(wrong("/connection", "either `connection` or `undo` belongs here")),
        };
        Ok(Asked {
            changes,
            overwrite: self.overwrite,
        })
    }
}

fn wrong(pointer: &str, reason: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, reason).coded(WRONG).at(pointer)
}

async fn begin(
    caller: Caller,
    State(edge): State<Edge>,
    Given(request): Given<UndoRequest>,
) -> Result<(StatusCode, Json<Undone>), Problem> {
    let preview = request.preview;
    let asked = request.asked()?;
    if preview {
        let shown = undo::preview(edge.services(), &caller, &asked).await?;
        return Ok((StatusCode::OK, Json(shown.into())));
    }
    let shown = undo::begin(edge.services(), &caller, &asked).await?;
    Ok((StatusCode::ACCEPTED, Json(shown.into())))
}

async fn list(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Page<Undone>>, Problem> {
    let query = query.only(&[PAGING])?;
    Ok(Json(
        undo::list(edge.services(), &caller, &query.paging()?).await?.into(),
    ))
}

async fn read(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<Undone>, Problem> {
    Ok(Json(undo::find(edge.services(), &caller, path.id()).await?.into()))
}
