//! Set-up of logs and metrics. May import `config`; must never decide what is worth recording: the rooms do.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config::LogFormat;

/// Why logs or metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The filter text does not parse.
    #[error("the log filter is not usable: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Another recorder is in place.
    #[error("metrics could not be set up: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// Starts logging to standard error, once per process; later calls change nothing.
///
/// # Errors
/// A filter that does not parse.
pub fn log(format: LogFormat, filter: &str) -> Result<(), Fault> {
    // sqlx repeats every statement at debug and every slow one at warn, with its text: ours to log, not its.
    let filter = EnvFilter::try_new(format!("{filter},sqlx=error"))?;
    let human = match format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE);
    let done = if human {
        builder.with_target(false).try_init()
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init()
    };
    drop(done);
    Ok(())
}

/// Upper bounds of the latency histogram, in seconds: from a cached lookup to a large group read.
const LATENCY_BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];

/// The process-wide metrics recorder, made at first use.
///
/// # Errors
/// Another recorder has been installed by the embedding program.
pub fn metrics() -> Result<PrometheusHandle, Fault> {
    // Locked while it is installed: whoever comes second must not find it installed and not yet here.
    static HANDLE: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    let mut handle = HANDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*handle {
        return Ok(handle.clone());
    }
    let made = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &LATENCY_BUCKETS)?
        .install_recorder()?;
    describe();
    Ok(handle.insert(made).clone())
}

fn describe() {
    metrics::describe_counter!("muster_requests_total", "requests by route, method and status");
    metrics::describe_histogram!(
        "muster_request_seconds",
        metrics::Unit::Seconds,
        "time to answer, by route"
    );
    metrics::describe_counter!(
        "muster_tolerances_total",
        "client habits that were rewritten, by rule and client"
    );
    metrics::describe_counter!(
        "muster_refused_tokens_total",
        "requests with a wrong, expired or missing token"
    );
    metrics::describe_counter!("muster_throttled_total", "requests answered 429, by reason");
    metrics::describe_counter!(
        "muster_pending_total",
        "requests of provisioning that wait for an administrator, by kind"
    );
    metrics::describe_gauge!(
        "muster_offboarding_open",
        "offboarding runs that are under way and in time"
    );
    metrics::describe_gauge!(
        "muster_offboarding_late",
        "offboarding runs past their deadline: somebody whose account ended may still have access"
    );
    metrics_process::Collector::default().describe();
}
