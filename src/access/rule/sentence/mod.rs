//! A rule as one plain sentence: `Whoever has userType "partner" is Manager in Germany, from 1 March 2027.`
//!
//! Nothing of the condition is left out, and two conditions that mean different things never read alike. What is not
//! said is the rule's name and state: whoever shows the sentence shows those beside it.
//!
//! May import the values of `access` and conditions of `scim`; must never look names up but by what it is given.

mod condition;
mod outcome;
mod whole;

#[cfg(test)]
mod tests;

pub use condition::condition;
pub use outcome::phrase as outcome;
pub(super) use whole::said;
pub use whole::sentence;
