//! Who has what where, as JSON or as a table: of all users, and of one scope.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::page::Page;
use super::query::{PAGING, Query, unusable};
use super::users::Assignment;
use super::wire::Segments;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::service::access::access_of_user::Via;
use crate::service::access::authority::VIEW;
use crate::service::access::views::{self, Holder, Wanted};
use crate::service::{Caller, access};

/// The media type of tables.
pub const CSV: &str = "text/csv";

const FILTER: &[Parameter] = &[
    Parameter {
        name: "role",
        says: "Id of a role: only what gives it, and who has it",
        kind: "string",
    },
    Parameter {
        name: "via",
        says: "Only what is held `direct`, by a `group`, by a `rule`, or `inherited` from above",
        kind: "string",
    },
    Parameter {
        name: "q",
        says: "Part of the name or `userName`, in any letter case",
        kind: "string",
    },
];

/// The routes of views.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/users", of_users)
            .says("Users, each with every scope and role; a page can be short, even empty, and not the last. A table says the next page in its `Link`")
            .one_of(&[VIEW])
            .asks(FILTER)
            .asks(PAGING)
            .gives::<Page<UserOfView>>(200)
            .sends(CSV),
        Route::get("/api/v1/scopes/{id}/users", of_scope)
            .says("Active users who have a role on a scope, on what it lies in, or everywhere; `all` is everywhere alone. A page can be short, even empty, and not the last; a table says the next page in its `Link`")
            .one_of(&[VIEW])
            .asks(FILTER)
            .asks(PAGING)
            .gives::<Page<UserOfView>>(200)
            .sends(CSV),
    ]
}

/// A user with what they have.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserOfView {
    /// Id of the user.
    user: String,
    /// What they sign in with.
    user_name: String,
    /// Their name.
    name: String,
    /// `active`, or `invited`, `suspended` or `deactivated`: then there is nothing.
    status: &'static str,
    /// What they have, of what is asked for.
    assignments: Vec<Assignment>,
}

impl From<Holder> for UserOfView {
    fn from(holder: Holder) -> Self {
        Self {
            user: holder.user.id,
            user_name: holder.user_name,
            name: holder.user.name,
            status: holder.status.as_str(),
            assignments: holder.assignments.into_iter().map(Assignment::from).collect(),
        }
    }
}

/// Whether the client asks for a table.
#[must_use]
pub fn wants_table(headers: &HeaderMap) -> bool {
    wants(headers, CSV)
}

/// Whether the client names this media type among those it accepts.
#[must_use]
pub fn wants(headers: &HeaderMap, media: &str) -> bool {
    let mut accepted = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    accepted.any(|value| {
        value
            .split([',', ';'])
            .any(|accepted| accepted.trim().eq_ignore_ascii_case(media))
    })
}

/// A table with a head (RFC 4180).
#[must_use]
pub fn table(rows: impl IntoIterator<Item = [String; 8]>) -> Response {
    let mut text = views::COLUMNS.join(",") + "\r\n";
    for row in rows {
        let cells = row.map(|cell| quoted(&cell));
        text += &(cells.join(",") + "\r\n");
    }
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response()
}

/// A cell, always in quotes. A spreadsheet would take some beginnings for a formula and run it.
#[must_use]
pub fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

fn wanted(query: &Query) -> Result<Wanted, Problem> {
    let via = query.text("via").map(|text| {
        let known = Via::ALL.map(Via::as_str).join("`, `");
        Via::parse(text).ok_or_else(|| unusable("via", &format!("one of `{known}` belongs here")))
    });
    Ok(Wanted {
        role: query.text("role").map(str::to_owned),
        via: via.transpose()?,
        text: query.text("q").map(str::to_owned),
    })
}

async fn of_users(
    caller: Caller,
    query: Query,
    headers: HeaderMap,
    State(edge): State<Edge>,
) -> Result<Response, Problem> {
    let query = query.only(&[FILTER, PAGING])?;
    let page = views::of_users(edge.services(), &caller, &wanted(&query)?, &query.paging()?).await?;
    Ok(shown(page, &query, &headers))
}

async fn of_scope(
    caller: Caller,
    path: Segments,
    query: Query,
    headers: HeaderMap,
    State(edge): State<Edge>,
) -> Result<Response, Problem> {
    let query = query.only(&[FILTER, PAGING])?;
    let (wanted, paging) = (wanted(&query)?, query.paging()?);
    let page = views::of_scope(edge.services(), &caller, path.id(), &wanted, &paging).await?;
    Ok(shown(page, &query, &headers))
}

/// A page in the form that the client asks for.
fn shown(page: access::Page<Holder>, query: &Query, headers: &HeaderMap) -> Response {
    if !wants_table(headers) {
        return Json(Page::<UserOfView>::from(page)).into_response();
    }
    let rows = page
        .items
        .iter()
        .flat_map(|holder| views::rows(&holder.user, &holder.user_name, &holder.assignments));
    let mut response = table(rows);
    if let Some(next) = &page.next {
        let link = format!("<?{}>; rel=\"next\"", query.followed_by("after", next));
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_and_never_a_formula() {
        assert_eq!(quoted("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
    }

    #[test]
    fn a_table_is_sent_to_who_asks_for_one() {
        let wants = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            wants_table(&headers)
        };
        assert!(wants("text/csv") && wants("application/json;q=0.5, text/csv;q=0.9"));
        assert!(!wants("*/*"));
    }
}
