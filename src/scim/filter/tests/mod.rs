//! Tests of filters as a whole.

mod grammar;
mod meaning;
mod oracle;
mod vectors;
mod world;
