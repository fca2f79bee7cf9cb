//! Telling others what happens: what is sent, in which order, and what becomes of what does not get through.

mod egress;
mod faults;
mod hook;
mod order;
mod replay;
mod webhooks;
