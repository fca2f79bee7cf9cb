//! What is due is taken, sent, and settled.

use std::time::Duration;
use tokio_util::sync::CancellationToken;

use super::post::Post;
use crate::service::mail::{Outcome, due, settle};
use crate::service::{Result, Services};

/// How often it looks for mail.
const EVERY: Duration = Duration::from_secs(2);

/// Runs until `stop`. An idle server writes nothing.
pub async fn run(services: Services, post: Post, stop: CancellationToken) {
    loop {
        tokio::select! {
            sent = once(&services, &post) => if let Err(fault) = sent {
                let error = &fault as &dyn std::error::Error;
                tracing::warn!(error, "mail could not be taken up; it is tried again");
            },
            () = stop.cancelled() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Sends what is due; says how many were handed over. Where mail is off, it waits.
///
/// # Errors
/// A database that does not answer.
pub async fn once(services: &Services, post: &Post) -> Result<usize> {
    let mut sent = 0;
    if post.is_off() {
        return Ok(sent);
    }
    for parcel in due(services).await? {
        let outcome = post.send(&parcel).await;
        metrics::counter!("muster_mails_total", "outcome" => word(outcome)).increment(1);
        match outcome {
            Outcome::Sent => sent += 1,
            // What the server says can hold the address.
            Outcome::NotNow => tracing::warn!(mail.id = parcel.id, "a mail could not be sent; it is tried again later"),
        }
        let id = parcel.id.clone();
        if let Err(fault) = settle(services, parcel, outcome).await {
            // The others were taken, too: an attempt of theirs would be lost.
            let error = &fault as &dyn std::error::Error;
            tracing::warn!(error, mail.id = id, "what came of a mail could not be kept");
        }
    }
    Ok(sent)
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Sent => "sent",
        Outcome::NotNow => "failed",
    }
}
