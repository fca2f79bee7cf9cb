//! The table of the routes of tokens.

use super::{jwks, poll};
use crate::api::table::{Needs, Route};

/// Routes that need no token.
#[must_use]
pub fn open_routes() -> Vec<Route> {
    vec![
        Route::get("/.well-known/jwks.json", jwks::read)
            .says("The keys that security event tokens are signed with (RFC 7517)")
            .needs(Needs::Nothing)
            .sends("application/json"),
    ]
}

/// Routes that look at the token of a stream themselves.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/events/v1/streams/{id}/poll", poll::poll)
            .says("Takes down which tokens a stream has, and gives it others (RFC 8936); with the stream's own token")
            .takes::<poll::Poll>()
            .gives::<poll::Sets>(200),
    ]
}
