//! Everything there is, to begin with before the log is followed.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::query::{PAGING, Query, unusable};
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::scim::project::View;
use crate::service::Caller;
use crate::service::access::authority::VIEW;
use crate::service::provision::snapshot::{self, Item, Of};

const TYPE: Parameter = Parameter {
    name: "type",
    says: "`user` (also when absent), `group` or `member`: who is in which group, but for what rules give",
    kind: "string",
};

/// The route of the snapshot.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/snapshot", read)
            .says("Everything of a kind, in the order in which it was made. Its first page says from where to follow `/events`")
            .one_of(&[VIEW])
            .asks(&[TYPE])
            .asks(PAGING)
            .gives::<Snapshot>(200),
    ]
}

/// A page of a snapshot.
#[derive(Serialize, ToSchema)]
pub struct Snapshot {
    /// On the first page: whatever happened up to this position of the log is in the snapshot. `/events?after=` it tells
    /// the rest; what both tell has a `version`, of which the higher counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<i64>,
    /// The items of the page.
    items: Vec<SnapshotItem>,
    /// Sent as `after`, it asks for the page behind this one; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A user, a group, or a membership.
#[derive(Serialize, ToSchema)]
pub struct SnapshotItem {
    /// `user`, `group` or `member`.
    r#type: &'static str,
    /// Of a user or group: its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Of a user or group: how often it changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// Of a user or group: it, in SCIM's words, without `groups` and `members`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    resource: Option<Box<RawValue>>,
    /// Of a membership: id of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// Of a membership: who is in the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<SnapshotMember>,
}

/// Who is in a group.
#[derive(Serialize, ToSchema)]
pub struct SnapshotMember {
    /// `user` or `group`.
    r#type: &'static str,
    /// Its id.
    id: String,
}

impl SnapshotItem {
    fn new(item: Item, base: &str) -> Self {
        match item {
            Item::Resource(shown) => Self {
                r#type: word(shown.kind.name()),
                version: Some(shown.version()),
                resource: RawValue::from_string(shown.render(base, &View::default())).ok(),
                id: Some(shown.id.into_string()),
                group: None,
                member: None,
            },
            Item::Membership(membership) => Self {
                r#type: "member",
                id: None,
                version: None,
                resource: None,
                group: Some(membership.group),
                member: Some(SnapshotMember {
                    r#type: word(membership.kind),
                    id: membership.member,
                }),
            },
        }
    }
}

/// A resource type as the log names it.
fn word(name: &str) -> &'static str {
    if name == "Group" { "group" } else { "user" }
}

async fn read(
    caller: Caller,
    query: Query,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    State(edge): State<Edge>,
) -> Result<Json<Snapshot>, Problem> {
    let query = query.only(&[&[TYPE], PAGING])?;
    let of = match query.text("type") {
        None | Some("user") => Of::Users,
        Some("group") => Of::Groups,
        Some("member") => Of::Memberships,
        _ => return Err(unusable("type", "`user`, `group` or `member` belongs here")),
    };
    let page = snapshot::snapshot(edge.services(), &caller, of, &query.paging()?).await?;
    let base = format!("{}/scim/v2", edge.origin(peer, &headers));
    Ok(Json(Snapshot {
        position: page.position,
        items: page
            .items
            .into_iter()
            .map(|item| SnapshotItem::new(item, &base))
            .collect(),
        next: page.next,
    }))
}
