//! What became of each operation of a PATCH: no request that changed nothing looks like one that did.

use super::hold;
use super::membership::Moved;
use crate::scim::patch::{Ended, OpOutcome, Operation};

/// How an operation that was not refused ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Something is otherwise than before.
    Applied,
    /// What it asks for was so already.
    AlreadyTrue,
    /// What it asks for is not done: somebody else decides about it.
    Ignored,
}

/// What became of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// How it ended.
    pub outcome: Outcome,
    /// How many of the attributes that it names were ignored.
    pub ignored: usize,
    /// How many of them are kept aside.
    pub kept: usize,
}

impl Effect {
    /// One for each operation, now that it is known who joined a group and who left.
    pub(super) fn of(ended: &[Ended], moved: &Moved) -> Vec<Self> {
        let effect = |ended: &Ended| {
            let applied = match ended.outcome {
                OpOutcome::Applied => true,
                OpOutcome::AlreadyTrue => false,
                OpOutcome::AskStore => ended.members.clone().any(|operation| moved.by(operation)),
            };
            Self {
                outcome: if applied {
                    Outcome::Applied
                } else {
                    Outcome::AlreadyTrue
                },
                ignored: ended.ignored,
                kept: 0,
            }
        };
        ended.iter().map(effect).collect()
    }

    /// The same where names that every schema knows were left out, too.
    pub(super) fn leave_out(&mut self, operation: &Operation, left_out: &[String]) {
        self.ignored += left_out.iter().filter(|name| operation.speaks_of(name)).count();
        if left_out.iter().any(|name| name == hold::ATTRIBUTE) && operation.mentions_only(hold::ATTRIBUTE) {
            self.outcome = Outcome::Ignored;
        }
    }

    /// Whether it did all that it was asked for.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.outcome == Outcome::Applied && self.ignored == 0 && self.kept == 0
    }
}
