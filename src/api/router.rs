//! Every route of SCIM, once, in the order of RFC 7644; the tables of administration and decisions beside it.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state, map_request};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

use super::scim::{bulk, deferred, discovery, me, resources, search};
use super::state::Edge;
use super::{access, admin, auth, events, middleware, once, openapi, probes, problem, table};

/// Answers smaller than this are sent as they are: one packet either way.
const COMPRESS_ABOVE_BYTES: u16 = 1400;

/// The SCIM routes, relative to a base URL.
fn scim(edge: &Edge) -> Router<Edge> {
    // §3.3 to §3.6: resources; changes of them may be done later (RFC 9967 §2.5.1)
    let resources = Router::new()
        .route("/{endpoint}", get(search::list).post(resources::create))
        .route(
            "/{endpoint}/{id}",
            get(resources::read)
                .put(resources::replace)
                .patch(resources::patch)
                .delete(resources::delete),
        )
        .route_layer(from_fn_with_state(edge.clone(), deferred::respond_async));
    Router::new()
        // §3.4.2.1, §3.4.3: queries over every type
        .route("/", get(search::list_root))
        .route("/.search", post(search::search_root))
        // §3.7: several changes in one request
        .route("/Bulk", post(bulk::bulk))
        // §3.11: the account of whoever asks
        .route(
            "/Me",
            get(me::read).put(me::replace).patch(me::patch).delete(me::delete),
        )
        // §4: discovery
        .route("/ServiceProviderConfig", get(discovery::service_provider_config))
        .route("/Schemas", get(discovery::schemas))
        .route("/Schemas/{name}", get(discovery::schema))
        .route("/ResourceTypes", get(discovery::resource_types))
        .route("/ResourceTypes/{name}", get(discovery::resource_type))
        // RFC 9967 §2.5.1.1: what came of requests whose clients did not wait
        .route("/AsyncResults/{name}", get(deferred::result))
        .route("/{endpoint}/.search", post(search::search))
        .merge(resources)
        .fallback(discovery::not_found)
        .method_not_allowed_fallback(discovery::method_not_allowed)
}

/// The admin API and the decisions, from the root.
fn administration(edge: &Edge) -> Router<Edge> {
    table::router(admin::routes())
        .layer(from_fn_with_state(edge.clone(), once::keyed))
        .merge(table::router(access::routes()))
        .layer(from_fn_with_state(edge.clone(), auth::admin))
        // The token of a stream is no token of anybody: its routes look at it themselves.
        .merge(table::router(events::routes()))
        .merge(table::router(openapi::open_routes()))
}

/// The whole HTTP surface.
pub fn router(edge: Edge) -> Router {
    let guarded = scim(&edge).layer(from_fn_with_state(edge.clone(), auth::scim));
    let routes = Router::new()
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz))
        .route("/metrics", get(probes::metrics))
        .merge(administration(&edge))
        .nest("/scim/v2", guarded.clone())
        .nest("/t/{tenant}/scim/v2", guarded)
        .fallback(discovery::elsewhere)
        .method_not_allowed_fallback(discovery::method_not_allowed)
        .layer(CatchPanicLayer::custom(middleware::after_panic))
        .layer(from_fn_with_state(edge.clone(), middleware::observe))
        .layer(from_fn(problem::form::speak))
        // What is told as it happens must not wait until there is enough of it to compress.
        .layer(
            CompressionLayer::new()
                .compress_when(SizeAbove::new(COMPRESS_ABOVE_BYTES.into()).and(NotForContentType::SSE)),
        )
        .with_state(edge);
    // Routing sees the path only after it is tidied, so the layer goes around the router as a whole.
    Router::new()
        .fallback_service(routes)
        .layer(map_request(async |request| middleware::tidy_path(request)))
}
