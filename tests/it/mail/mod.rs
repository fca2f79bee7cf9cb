//! Mail: what is posted, into files and over SMTP, and what becomes of it when a server does not take it.
//!
//! May use `support` and the words of `admin` and `fuse`; must never name a function of the crate above `base`.

mod alerts;
mod server;
