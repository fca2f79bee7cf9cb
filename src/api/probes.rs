//! What an orchestrator and a monitoring system ask.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::state::Edge;
use crate::service::health;

/// `GET /healthz`: the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the database answers too; 503 otherwise.
pub async fn readyz(State(edge): State<Edge>) -> Response {
    match health::ready(edge.services()).await {
        Ok(()) => "ready\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}

/// `GET /metrics`: Prometheus text.
pub async fn metrics(State(edge): State<Edge>) -> Response {
    metrics_process::Collector::default().collect();
    match edge.metrics() {
        Some(handle) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
