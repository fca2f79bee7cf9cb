//! Who may come in, over HTTP and the command line: statuses, tombstones, plans; each test on both engines.

mod chance;
mod clones;
mod killed;
mod leaving;
mod linked_back;
pub mod purge;
mod recreated;
mod rehire;
mod restored;
mod schedules;
mod status;
pub mod status_rules;
mod status_rules_beside;
mod taken_back;
mod tombstones;
mod undo;
