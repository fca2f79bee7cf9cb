//! The table of decision routes.

use super::{batch, evaluation, metadata, search};
use crate::api::table::{Needs, Route};

/// Routes that need a token.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/access/v1/evaluation", evaluation::decide)
            .says("Whether a user may do something")
            .takes::<evaluation::Question>()
            .gives::<evaluation::Decision>(200),
        Route::post("/access/v1/evaluations", batch::decide)
            .says("The same for many questions at once")
            .takes::<batch::Questions>()
            .gives::<batch::Decisions>(200),
        Route::post("/access/v1/search/subject", search::subjects)
            .says("Which users may do something")
            .takes::<search::Search>()
            .gives::<search::Entities>(200),
        Route::post("/access/v1/search/resource", search::resources)
            .says("On which resources a user may do something")
            .takes::<search::Search>()
            .gives::<search::Entities>(200),
        Route::post("/access/v1/search/action", search::actions)
            .says("What a user may do on a resource")
            .takes::<search::Search>()
            .gives::<search::Actions>(200),
    ]
}

/// Routes that need none.
#[must_use]
pub fn open_routes() -> Vec<Route> {
    vec![
        Route::get("/.well-known/authzen-configuration", metadata::read)
            .says("What of this is offered, and where")
            .needs(Needs::Nothing)
            .gives::<metadata::Metadata>(200),
    ]
}
