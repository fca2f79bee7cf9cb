//! What this decision point offers, and where (`AuthZEN` Authorization API 1.0 §9).

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::state::Edge;

/// Absolute URLs of everything that is offered.
#[derive(Debug, Serialize, ToSchema)]
pub struct Metadata {
    /// The decision point itself: what this document was asked for at.
    policy_decision_point: String,
    /// One question.
    access_evaluation_endpoint: String,
    /// Many questions.
    access_evaluations_endpoint: String,
    /// Who may.
    search_subject_endpoint: String,
    /// On which resources.
    search_resource_endpoint: String,
    /// What somebody may do.
    search_action_endpoint: String,
}

/// `GET /.well-known/authzen-configuration`. Readable without credentials: it is what a client reads first.
pub async fn read(
    State(edge): State<Edge>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Json<Metadata> {
    let origin = edge.origin(peer, &headers);
    let at = |path: &str| format!("{origin}/access/v1/{path}");
    Json(Metadata {
        access_evaluation_endpoint: at("evaluation"),
        access_evaluations_endpoint: at("evaluations"),
        search_subject_endpoint: at("search/subject"),
        search_resource_endpoint: at("search/resource"),
        search_action_endpoint: at("search/action"),
        policy_decision_point: origin,
    })
}
