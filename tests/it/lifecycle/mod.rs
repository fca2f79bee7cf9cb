//! Who may come in, over HTTP and the command line: statuses, tombstones, plans; each test on both engines.

mod chance;
mod schedules;
mod status;
mod tombstones;
