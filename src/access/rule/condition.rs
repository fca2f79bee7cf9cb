//! The condition of a rule: a filter over users, cut into what the document says and what the groups say.
//!
//! What a document says changes only when it is written, so it is worked out then and stored as bits. What groups say
//! is asked when access is decided: nesting, renaming and smart groups count at once.

use serde_json::Value;

use super::group_test::{GroupTest, GroupsRead};
use crate::access::groups::GroupSet;
use crate::scim::Error;
use crate::scim::filter::{Checked, Filter, check, eval};
use crate::scim::path::AttrPath;
use crate::scim::schema::{ResourceType, Target};

/// Most document atoms of a condition: their bits are stored in a signed 64-bit number that is never negative.
pub const MAX_ATOMS: usize = 63;

/// A condition as a tree over its atoms and group tests. `All` and `Any` have two or more parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// All parts hold.
    All(Vec<Tree>),
    /// At least one part holds.
    Any(Vec<Tree>),
    /// The part does not hold.
    Not(Box<Tree>),
    /// Document atom of this number (see [`Condition::atoms`]).
    Atom(usize),
    /// Group test of this number (see [`Condition::group_tests`]).
    Groups(usize),
}

/// A checked condition over users.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    text: String,
    filter: Filter,
    tree: Tree,
    atoms: Vec<Atom>,
    tests: Vec<GroupTest>,
    reads: GroupsRead,
}

/// A part of a condition that speaks of the document only, as large as it can be: the largest branches of the filter
/// without `groups`, and where several stand side by side in one `and` or `or`, these together.
#[derive(Debug, Clone, PartialEq)]
pub struct Atom {
    filter: Filter,
    checked: Checked,
}

impl Atom {
    /// As it was written; prints as a filter.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Ready to be executed.
    #[must_use]
    pub fn checked(&self) -> &Checked {
        &self.checked
    }
}

impl Condition {
    /// Reads a filter over the resource type of users.
    ///
    /// # Errors
    /// As [`Filter::parse`] and [`check()`]; `invalidFilter` for `externalId`, which is another for each client that
    /// asks, and for more than [`MAX_ATOMS`] parts between tests of groups.
    pub fn compile(text: &str, user: &ResourceType) -> Result<Self, Error> {
        let filter = Filter::parse(text)?;
        check(&filter, &[user])?;
        let mut cutter = Cutter {
            user,
            atoms: Vec::new(),
            tests: Vec::new(),
        };
        cutter.refuse_external_id(&filter)?;
        let tree = cutter.cut(&filter)?;
        if cutter.atoms.len() > MAX_ATOMS {
            let count = cutter.atoms.len();
            return Err(Error::invalid_filter(format!(
                "tests of `groups` cut the condition into {count} parts; {MAX_ATOMS} are possible"
            )));
        }
        let reads = cutter.tests.iter().map(|test| test.reads().clone()).collect();
        Ok(Self {
            text: text.trim().to_owned(),
            filter,
            tree,
            atoms: cutter.atoms,
            tests: cutter.tests,
            reads,
        })
    }

    /// As it was typed, without spaces around it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// As it was parsed.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What it says, over [`Condition::atoms`] and [`Condition::group_tests`].
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The document atoms, at most [`MAX_ATOMS`]; atom *n* is bit *n*. A condition that does not read groups is one
    /// atom: bit 0 is the condition.
    #[must_use]
    pub fn atoms(&self) -> &[Atom] {
        &self.atoms
    }

    /// The tests of groups.
    #[must_use]
    pub fn group_tests(&self) -> &[GroupTest] {
        &self.tests
    }

    /// Which document atoms a user satisfies, bit *n* for atom *n*. The document is the whole representation as
    /// [`eval()`] wants it; `groups` need not be in it.
    #[must_use]
    pub fn bits(&self, document: &Value) -> u64 {
        let satisfied = self.atoms.iter().zip(0_u32..);
        satisfied
            .filter(|(atom, _)| eval(&atom.checked, document))
            .fold(0, |bits, (_, number)| bits | 1 << number)
    }

    /// Whether it holds for a user of whom these atoms hold and who is in these groups.
    #[must_use]
    pub fn holds(&self, bits: u64, groups: &GroupSet<'_>) -> bool {
        self.branch_holds(&self.tree, bits, groups)
    }

    /// Whether a branch of [`Condition::tree`] holds.
    #[must_use]
    pub fn branch_holds(&self, branch: &Tree, bits: u64, groups: &GroupSet<'_>) -> bool {
        match branch {
            Tree::All(parts) => parts.iter().all(|part| self.branch_holds(part, bits, groups)),
            Tree::Any(parts) => parts.iter().any(|part| self.branch_holds(part, bits, groups)),
            Tree::Not(part) => !self.branch_holds(part, bits, groups),
            Tree::Atom(number) => bits >> number & 1 == 1,
            Tree::Groups(number) => self.tests[*number].holds(groups),
        }
    }

    /// Whether it can hold for a user of whom no atom holds, in some groups or other. Of nearly all conditions it is
    /// not true, and then nothing needs to be asked about a user without bits.
    #[must_use]
    pub fn can_hold_without_bits(&self) -> bool {
        without_bits(&self.tree).0
    }

    /// Whether it mentions `groups`.
    #[must_use]
    pub fn reads_groups(&self) -> bool {
        !self.tests.is_empty()
    }

    /// Which groups it has to know a user to be in or not; nothing else about groups can change it.
    #[must_use]
    pub fn groups_read(&self) -> &GroupsRead {
        &self.reads
    }
}

/// Whether a branch can hold, and whether it can fail to, for a user of whom no atom holds. Tests of groups are taken
/// for independent of one another: that only says yes too often.
fn without_bits(branch: &Tree) -> (bool, bool) {
    match branch {
        Tree::Atom(_) => (false, true),
        Tree::Groups(_) => (true, true),
        Tree::Not(part) => {
            let (holds, fails) = without_bits(part);
            (fails, holds)
        }
        Tree::All(parts) => {
            let parts = parts.iter().map(without_bits);
            parts.fold((true, false), |(holds, fails), part| (holds && part.0, fails || part.1))
        }
        Tree::Any(parts) => {
            let parts = parts.iter().map(without_bits);
            parts.fold((false, true), |(holds, fails), part| (holds || part.0, fails && part.1))
        }
    }
}

struct Cutter<'a> {
    user: &'a ResourceType,
    atoms: Vec<Atom>,
    tests: Vec<GroupTest>,
}

impl Cutter<'_> {
    fn cut(&mut self, filter: &Filter) -> Result<Tree, Error> {
        if !self.mentions(filter, "groups") {
            return self.atom(filter.clone());
        }
        match filter {
            Filter::And(parts) => self.parts(parts, Filter::And).map(Tree::All),
            Filter::Or(parts) => self.parts(parts, Filter::Or).map(Tree::Any),
            Filter::Not(part) => Ok(Tree::Not(Box::new(self.cut(part)?))),
            Filter::Compare { .. } | Filter::Present(_) | Filter::Some { .. } => self.test(filter),
        }
    }

    /// Those parts that do not read groups become one atom, where the first of them stands.
    fn parts(&mut self, parts: &[Filter], join: fn(Vec<Filter>) -> Filter) -> Result<Vec<Tree>, Error> {
        let (free, _): (Vec<_>, Vec<_>) = parts.iter().partition(|part| !self.mentions(part, "groups"));
        let mut joined = match free.as_slice() {
            [] => None,
            [one] => Some((*one).clone()),
            several => Some(join(several.iter().map(|part| (*part).clone()).collect())),
        };
        let mut trees = Vec::new();
        for part in parts {
            if self.mentions(part, "groups") {
                trees.push(self.cut(part)?);
            } else if let Some(joined) = joined.take() {
                trees.push(self.atom(joined)?);
            }
        }
        Ok(trees)
    }

    fn atom(&mut self, filter: Filter) -> Result<Tree, Error> {
        if let Some(number) = self.atoms.iter().position(|atom| atom.filter == filter) {
            return Ok(Tree::Atom(number));
        }
        let checked = check(&filter, &[self.user])?;
        self.atoms.push(Atom { filter, checked });
        Ok(Tree::Atom(self.atoms.len() - 1))
    }

    fn test(&mut self, filter: &Filter) -> Result<Tree, Error> {
        if let Some(number) = self.tests.iter().position(|test| test.filter() == filter) {
            return Ok(Tree::Groups(number));
        }
        let checked = check(filter, &[self.user])?;
        self.tests.push(GroupTest::new(filter.clone(), &checked));
        Ok(Tree::Groups(self.tests.len() - 1))
    }

    fn refuse_external_id(&self, filter: &Filter) -> Result<(), Error> {
        if self.mentions(filter, "externalId") {
            return Err(Error::invalid_filter(
                "`externalId` is another for each client that provisions a user, so a rule cannot read it",
            ));
        }
        Ok(())
    }

    /// Whether a filter names a common or core attribute, given by its canonical name.
    fn mentions(&self, filter: &Filter, attribute: &str) -> bool {
        match filter {
            Filter::And(parts) | Filter::Or(parts) => parts.iter().any(|part| self.mentions(part, attribute)),
            Filter::Not(part) => self.mentions(part, attribute),
            Filter::Compare { path, .. } | Filter::Present(path) | Filter::Some { path, .. } => {
                self.leads_to(path, attribute)
            }
        }
    }

    fn leads_to(&self, path: &AttrPath, attribute: &str) -> bool {
        match self.user.resolve(path) {
            Some(Target::Attribute(place)) => place.top_path() == attribute,
            Some(Target::Core(_) | Target::Extension(_)) | None => false,
        }
    }
}
