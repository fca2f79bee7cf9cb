//! Many changes in one request (RFC 7644 §3.7).
//!
//! May use `support`, the words of `api`, and the desk of `admin` where it matters what the log or the fuse says.

mod circles;
mod cost;
mod held;
mod limits;
mod meanwhile;
mod methods;
mod own;
mod references;
mod refused;
mod told;
pub mod words;
