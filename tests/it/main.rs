//! Every test that needs a database or a running server, in one binary: linking is the slow part.
//!
//! The folders mirror the rooms of `src/`: `api` holds a file for each route and verb, `store` a file for each noun.
//! A test written with [`each_database!`](support) runs once on each engine.

#[macro_use]
mod support;

mod access;
mod admin;
mod api;
mod authzen;
mod bulk;
mod cli;
mod closing;
mod crash;
mod deferred;
mod delivery;
mod documents;
mod fuse;
mod fuzz;
mod harness;
mod history;
mod invitations;
mod lifecycle;
mod log;
mod mail;
mod nodes;
mod offboarding;
mod race;
mod schemas;
mod selftest;
mod store;
