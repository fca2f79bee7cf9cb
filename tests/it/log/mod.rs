//! The log through the use cases: numbers without a gap, one chain, whoever numbers.

mod numbering;
