//! The table of the admin API, in the order of its words.

use super::{
    asides, clones, closing, connection, enforcers, events, fuse, grants, history, holds, invitations, live, log,
    ownership, pending, preview, rehires, roles, rules, runs, schedules, schemas, scopes, settings, snapshot, status,
    status_rules, streams, tokens, tombstones, undo, users, views, webhooks,
};
use crate::api::table::Route;

/// Every route below `/api/v1`.
#[must_use]
pub fn routes() -> Vec<Route> {
    [
        roles::routes(),
        scopes::routes(),
        grants::routes(),
        rules::routes(),
        users::routes(),
        asides::routes(),
        history::routes(),
        status::routes(),
        tombstones::routes(),
        rehires::routes(),
        clones::routes(),
        invitations::routes(),
        schedules::routes(),
        views::routes(),
        ownership::routes(),
        settings::routes(),
        schemas::routes(),
        status_rules::routes(),
        pending::routes(),
        runs::routes(),
        enforcers::routes(),
        tokens::routes(),
        connection::routes(),
        closing::routes(),
        fuse::routes(),
        holds::routes(),
        undo::routes(),
        preview::routes(),
        events::routes(),
        live::routes(),
        snapshot::routes(),
        log::routes(),
        webhooks::routes(),
        streams::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Those of them that need no token.
#[must_use]
pub fn open_routes() -> Vec<Route> {
    invitations::open_routes()
}
