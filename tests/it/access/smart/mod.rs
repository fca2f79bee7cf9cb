//! Smart groups through SCIM: who is shown in them is who is decided to be in them.

mod by_hand;
mod chance;
mod reading;
mod shown;
