//! Requests whose clients do not wait (RFC 9967 §2.5.1): taken on, done later, told.
//!
//! May use `support`, the desk of `admin`, and what other folders have to look at streams, logs and connections.

mod faults;
mod requests;
