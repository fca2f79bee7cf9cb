//! Why a text is no filter or path, and where.

use std::fmt;

use nom::error::{ErrorKind, ParseError};

/// Longest filter in bytes: twice what common servers accept in a request line, so only POST reaches it.
pub const MAX_FILTER_LENGTH: usize = 16 * 1024;

/// Deepest nesting of brackets; people write three. Bounds the stack of every function that walks a filter.
pub const MAX_FILTER_DEPTH: usize = 50;

/// Most expressions in a filter. Clients look up a hundred ids in one `or` chain; the rest is room.
pub const MAX_FILTER_NODES: usize = 500;

/// What the grammar needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Name,
    OneDot,
    Operator,
    Space,
    Value,
    ClosedText,
    ValidText,
    TextWithoutNul,
    Connective,
    Close(char),
    OpenAfterNot,
    NoIndex,
    NoNesting,
    LessDepth,
    EndOfPath,
    SomeText,
    LessLength,
    FewerNodes,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("expected an attribute name"),
            Self::OneDot => f.write_str("only one sub-attribute can follow an attribute"),
            Self::Operator => f.write_str("expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le or pr)"),
            Self::Space => f.write_str("expected a space"),
            Self::Value => f.write_str("expected a value (text in double quotes, a number, true, false or null)"),
            Self::ClosedText => f.write_str("the text has no closing double quote"),
            Self::ValidText => f.write_str("the text is not a valid JSON string"),
            Self::TextWithoutNul => f.write_str("a text cannot hold the character U+0000"),
            Self::Connective => f.write_str("expected `and`, `or` or the end of the filter"),
            Self::Close(bracket) => write!(f, "expected `and`, `or` or a closing `{bracket}`"),
            Self::OpenAfterNot => f.write_str("expected `(` after `not`"),
            Self::NoIndex => f.write_str("elements are chosen by a filter, not by number"),
            Self::NoNesting => f.write_str("a filter in `[ ]` cannot hold another `[ ]`"),
            Self::LessDepth => write!(f, "brackets are nested more than {MAX_FILTER_DEPTH} deep"),
            Self::EndOfPath => f.write_str("expected the end of the path"),
            Self::SomeText => f.write_str("the filter is empty"),
            Self::LessLength => write!(f, "the filter is longer than {MAX_FILTER_LENGTH} bytes"),
            Self::FewerNodes => {
                write!(f, "the filter has more than {MAX_FILTER_NODES} expressions")
            }
        }
    }
}

/// A fault while parsing: the rest of the input where it was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At<'a> {
    pub rest: &'a str,
    pub wanted: Wanted,
}

impl<'a> At<'a> {
    /// Ends the parse.
    pub fn stop<T>(rest: &'a str, wanted: Wanted) -> Result<T, nom::Err<Self>> {
        Err(nom::Err::Failure(Self { rest, wanted }))
    }
}

impl<'a> ParseError<&'a str> for At<'a> {
    fn from_error_kind(rest: &'a str, _: ErrorKind) -> Self {
        Self {
            rest,
            wanted: Wanted::Connective,
        }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// A fault with its place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    wanted: Wanted,
    /// In characters, from 1; none where the text as a whole is at fault.
    column: Option<usize>,
    /// Whether it stands behind the opening bracket of a value path, and the bracket is not the fault itself.
    pub(in crate::scim) in_brackets: bool,
}

impl Fault {
    pub(super) fn whole(wanted: Wanted) -> Self {
        Self {
            wanted,
            column: None,
            in_brackets: false,
        }
    }

    /// `rest` of the fault is the end of `text`.
    pub(super) fn new(text: &str, at: At<'_>) -> Self {
        let before = &text[..text.len() - at.rest.len()];
        let opened = before.matches('[').count() > before.matches(']').count();
        let bracket_itself = matches!(at.wanted, Wanted::Close(_) | Wanted::NoIndex);
        Self {
            wanted: at.wanted,
            column: Some(before.chars().count() + 1),
            in_brackets: opened && !bracket_itself,
        }
    }
}

impl Fault {
    /// Where it is, in characters from 1; none where the text as a whole is at fault.
    pub(in crate::scim) const fn column(&self) -> Option<usize> {
        self.column
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.wanted.fmt(f)?;
        match self.column {
            Some(column) => write!(f, " at column {column}"),
            None => Ok(()),
        }
    }
}
