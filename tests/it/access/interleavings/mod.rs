//! Random work of provisioning, administrators, rules and time, at once: whatever is committed, what must hold holds.

mod deeds;
mod founding;
mod losing;
mod run;
mod world;
