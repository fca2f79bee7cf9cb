//! What a client still sends when its answer is known already.
//!
//! A refusal may come before the body was read. A connection that is closed with bytes unread is reset, and many clients
//! then never see the answer. So what is left of a body that nobody wants is read and thrown away, within bounds, beside
//! the answer.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header;
use http_body_util::BodyExt as _;
use tokio::runtime::Handle;

/// Most bytes that are thrown away: four times the largest body that can be accepted by default.
const MOST_BYTES: usize = 64 << 20;
/// How long a client may pause in what is thrown away.
const PATIENCE: Duration = Duration::from_secs(2);

/// The request, whose body is read to its end even if nobody asks for that. Not where the client waits to be asked for the
/// body (RFC 9110 §10.1.1): it sends none after a refusal.
pub fn to_the_end(request: Request) -> Request {
    if request.headers().contains_key(header::EXPECT) || request.body().is_end_stream() {
        return request;
    }
    request.map(|body| Body::new(Lingering(body)))
}

/// A body that is read to its end when it is dropped before.
struct Lingering(Body);

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.size_hint()
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let body = std::mem::take(&mut self.0);
        if let (false, Ok(runtime)) = (body.is_end_stream(), Handle::try_current()) {
            runtime.spawn(throw_away(body));
        }
    }
}

async fn throw_away(mut body: Body) {
    let mut left = MOST_BYTES;
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(PATIENCE, body.frame()).await {
        let size = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(size) {
            Some(fewer) => left = fewer,
            None => return,
        }
    }
}
