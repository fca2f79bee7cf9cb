//! Whether one condition plainly holds wherever another does.

use crate::scim::filter::{Checked, Match, Node, Test};

/// Most pairs of expressions that are compared; conditions are nested a few deep, and more would take too long.
const MAX_STEPS: usize = 20_000;

/// Whether every user who satisfies the first satisfies the second, as far as that can be read from the words.
///
/// True is certain; false may mean that it takes more than reading. `title eq "boss" and active eq true` implies
/// `title eq "boss" or title eq "clerk"`, and `title sw "senior x"` implies `title co "senior"`.
#[must_use]
pub fn implies(stronger: &Checked, weaker: &Checked) -> bool {
    Reader { steps: 0 }.implies(stronger.root(), weaker.root())
}

struct Reader {
    steps: usize,
}

impl Reader {
    fn implies(&mut self, one: &Node, other: &Node) -> bool {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return false;
        }
        match (one, other) {
            _ if one == other => true,
            (Node::Constant(false), _) | (_, Node::Constant(true)) => true,
            (Node::Or(parts), _) => parts.iter().all(|part| self.implies(part, other)),
            (_, Node::And(parts)) => parts.iter().all(|part| self.implies(one, part)),
            (Node::Not(one), Node::Not(other)) if self.implies(other, one) => true,
            (
                Node::Some { path, node },
                Node::Some {
                    path: same,
                    node: other,
                },
            ) if path == same => self.implies(node, other),
            (Node::Test(one), Node::Test(other)) => test_implies(one, other),
            // Neither side can be taken apart for certain: one part of it has to be enough.
            _ => self.part_implies(one, other),
        }
    }

    fn part_implies(&mut self, one: &Node, other: &Node) -> bool {
        let any = match one {
            Node::And(parts) => parts.iter().any(|part| self.implies(part, other)),
            _ => false,
        };
        any || match other {
            Node::Or(parts) => parts.iter().any(|part| self.implies(one, part)),
            _ => false,
        }
    }
}

/// Operands are comparison text: their byte order is the order of the values.
fn test_implies(one: &Test, other: &Test) -> bool {
    if one.path != other.path || one.kind != other.kind {
        return false;
    }
    match (&one.check, &other.check) {
        (one, other) if one == other => true,
        (Match::Equal(value), check) => holds(check, value),
        (Match::StartsWith(start), Match::StartsWith(other)) => start.starts_with(other),
        (Match::EndsWith(end), Match::EndsWith(other)) => end.ends_with(other),
        (Match::Contains(part) | Match::StartsWith(part) | Match::EndsWith(part), Match::Contains(other)) => {
            part.contains(other)
        }
        (Match::Contains(part) | Match::StartsWith(part) | Match::EndsWith(part), Match::Present) => !part.is_empty(),
        (Match::Less(limit), Match::Less(other) | Match::AtMost(other))
        | (Match::AtMost(limit), Match::AtMost(other)) => limit <= other,
        (Match::AtMost(limit), Match::Less(other)) => limit < other,
        (Match::Greater(limit), Match::Greater(other) | Match::AtLeast(other))
        | (Match::AtLeast(limit), Match::AtLeast(other)) => limit >= other,
        (Match::AtLeast(limit), Match::Greater(other)) => limit > other,
        (Match::Greater(_), Match::Present) => true,
        (Match::AtLeast(limit), Match::Present) => !limit.is_empty(),
        // Any value there is comes after the empty text or is it.
        (_, Match::AtLeast(other)) => other.is_empty(),
        _ => false,
    }
}

/// Whether a value that is this comparison text passes.
fn holds(check: &Match, value: &str) -> bool {
    match check {
        Match::Present => !value.is_empty(),
        Match::Equal(operand) => value == operand,
        Match::Contains(operand) => value.contains(operand),
        Match::StartsWith(operand) => value.starts_with(operand),
        Match::EndsWith(operand) => value.ends_with(operand),
        Match::Less(operand) => value < operand.as_str(),
        Match::AtMost(operand) => value <= operand.as_str(),
        Match::Greater(operand) => value > operand.as_str(),
        Match::AtLeast(operand) => value >= operand.as_str(),
    }
}
