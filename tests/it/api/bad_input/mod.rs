//! What the server must refuse: each with its status and `scimType`, an unchanged database, and a silent log.
//!
//! Every refusal here goes through `asks::refused`, which compares the database before and after.

mod body;
mod conflict;
mod filter;
mod size;
mod text;
mod token;
mod value;
