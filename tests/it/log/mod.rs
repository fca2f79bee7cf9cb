//! The log through the use cases: numbers without a gap, one chain, and nothing left out of it.

mod folded;
mod forgery;
mod numbering;
