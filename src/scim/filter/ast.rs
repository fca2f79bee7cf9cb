//! A filter as it was typed: names are not resolved and values are not prepared.

use serde_json::Number;

use super::fault::Fault;
use super::grammar;
use crate::scim::error::Error;
use crate::scim::path::AttrPath;

/// A filter expression. `And` and `Or` have two or more parts.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All parts hold.
    And(Vec<Filter>),
    /// At least one part holds.
    Or(Vec<Filter>),
    /// The part does not hold.
    Not(Box<Filter>),
    /// `attrPath SP compareOp SP compValue`.
    Compare {
        /// What is compared.
        path: AttrPath,
        /// How.
        op: Op,
        /// With what.
        value: Literal,
    },
    /// `attrPath SP "pr"`.
    Present(AttrPath),
    /// `attrPath "[" valFilter "]"`: one element satisfies the filter.
    Some {
        /// A multi-valued attribute.
        path: AttrPath,
        /// Names sub-attributes; holds no other value path.
        filter: Box<Filter>,
    },
}

impl Filter {
    /// Reads a whole filter; spaces around it are ignored.
    ///
    /// # Errors
    /// `invalidFilter` with the column of the fault, or naming the limit that is exceeded.
    pub fn parse(text: &str) -> Result<Self, Error> {
        grammar::whole_filter(text).map_err(|fault: Fault| Error::invalid_filter(fault.to_string()).at(fault.column()))
    }

    /// Tells every name where it stands in the text that this was read from, without spaces at its end.
    pub(super) fn locate(&mut self, text: &str) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter_mut().for_each(|part| part.locate(text)),
            Self::Not(part) => part.locate(text),
            Self::Compare { path, .. } | Self::Present(path) => path.column.locate(text),
            Self::Some { path, filter } => {
                path.column.locate(text);
                filter.locate(text);
            }
        }
    }

    /// How many expressions it is made of.
    #[must_use]
    pub fn nodes(&self) -> usize {
        match self {
            Self::And(parts) | Self::Or(parts) => 1 + parts.iter().map(Self::nodes).sum::<usize>(),
            Self::Not(part) | Self::Some { filter: part, .. } => 1 + part.nodes(),
            Self::Compare { .. } | Self::Present(_) => 1,
        }
    }

    /// How deep brackets are nested when it is printed.
    #[must_use]
    pub fn depth(&self) -> usize {
        let inside = |part: &Self| part.depth() + usize::from(self.brackets(part));
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().map(inside).max().unwrap_or_default(),
            Self::Not(part) | Self::Some { filter: part, .. } => 1 + part.depth(),
            Self::Compare { .. } | Self::Present(_) => 0,
        }
    }

    /// Whether a part of `and` or `or` must stand in brackets: it binds less, or would melt into its surroundings.
    pub(super) fn brackets(&self, part: &Self) -> bool {
        match self {
            Self::And(_) => matches!(part, Self::And(_) | Self::Or(_)),
            Self::Or(_) => matches!(part, Self::Or(_)),
            _ => false,
        }
    }
}

/// A comparison operator (RFC 7644 Table 3, without `pr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal.
    Le,
}

impl Op {
    /// Every one of them.
    pub const ALL: &'static [Self] = &[
        Self::Eq,
        Self::Ne,
        Self::Co,
        Self::Sw,
        Self::Ew,
        Self::Gt,
        Self::Ge,
        Self::Lt,
        Self::Le,
    ];

    /// The keyword.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }
}

/// `compValue = false / null / true / number / string`.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A JSON number.
    Number(Number),
    /// A JSON string, decoded.
    Text(String),
}
