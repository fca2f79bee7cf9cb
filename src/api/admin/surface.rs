//! The table of the admin API, in the order of its words.

use super::{
    events, fuse, grants, holds, log, ownership, pending, preview, roles, rules, runs, schedules, scopes, settings,
    status, tokens, tombstones, users, views, webhooks,
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
        status::routes(),
        tombstones::routes(),
        schedules::routes(),
        views::routes(),
        ownership::routes(),
        settings::routes(),
        pending::routes(),
        runs::routes(),
        tokens::routes(),
        fuse::routes(),
        holds::routes(),
        preview::routes(),
        events::routes(),
        log::routes(),
        webhooks::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
