//! The log: entries get their numbers, and events are read.
//!
//! May import what `service` may, and its `context`, `error` and `access::authority`; must never write an event by any
//! other way than the sequencer, nor show one that has no number.

mod chunks;
pub mod export;
pub mod live;
pub(in crate::service) mod open;
pub mod read;
pub mod sequence;
pub mod settled;
pub mod signed;
pub mod verify;
pub mod watch;

pub use export::Export;
pub use live::Live;
pub use read::{Event, Events, Values, Wanted, read};
pub use sequence::{Passed, pass};
pub use settled::{cannot_go_on, settled};
pub(in crate::service) use signed::proven_head;
pub use signed::{Checkpoints, checkpoints, hand_out, head};
pub use verify::verify;
pub use watch::Watch;

pub use crate::event::Checkpoint;
