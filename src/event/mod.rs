//! What the house says of itself: the catalogue of events, their chain, and the proof that nothing was changed after.
//!
//! Values in, values out: no clock, no storage; times, nonces and keys are given. Chance enters at one place only, inside
//! an ES256 signature ([`sign`]). May import `access` and `base`; must never import tokio, sqlx, axum or tracing, nor
//! read a file: what is verified is handed in line by line.
//!
//! An [`Entry`] is what one unit of work did. A [`Chain`] numbers and hashes its records into [`Event`]s; a
//! [`Checkpoint`] signs how far it came. A [`Walk`] goes along a chain again and says where it is [`Broken`]; a
//! [`Verifier`] does so for the lines of an export. Personal values are in it sealed, under a [`PersonKey`] that can be
//! forgotten. `docs/log.md` tells the same for people, byte by byte.

pub mod backoff;
mod cause;
pub mod certificate;
pub mod chain;
pub mod change;
pub mod checkpoint;
pub mod encode;
pub mod entry;
mod error;
pub mod export;
mod flaw;
mod hash;
pub mod image;
mod jwk;
pub mod jws;
mod keyring;
pub mod kind;
mod line;
pub mod numbered;
mod origin;
pub mod past;
pub mod seal;
pub mod set;
pub mod sign;
pub mod verify;
pub mod walk;
pub mod webhook;
mod word;

#[cfg(test)]
mod tests;

pub use cause::{By, Cause, Of};
pub use certificate::Certificate;
pub use chain::{Chain, Head, Placed};
pub use change::{Change, Changes};
pub use checkpoint::Checkpoint;
pub use entry::{About, Entry, Record, Subject, SubjectKind, Text, Turn};
pub use error::Error;
pub use flaw::{Broken, Extent, Flaw};
pub use hash::Hash;
pub use jwk::Keys;
pub use keyring::{HANDED_BYTES, Keyring, Owner};
pub use kind::{Class, Kind, Said};
pub use numbered::{Event, Seq};
pub use origin::{Actor, ActorKind, Origin};
pub use seal::PersonKey;
pub use sign::{Algorithm, PublicKey, SigningKey};
pub use verify::{Verifier, verify};
pub use walk::Walk;
