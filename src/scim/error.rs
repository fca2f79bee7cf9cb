//! What a client is told when a request breaks the protocol (RFC 7644 §3.12).

use std::fmt;

/// The detail keyword of an error body (RFC 7644 Table 9, RFC 9865 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScimType {
    /// The filter is malformed or compares what cannot be compared.
    InvalidFilter,
    /// The query would give more results than the server returns.
    TooMany,
    /// Another resource holds the value.
    Uniqueness,
    /// The attribute may not be changed that way.
    Mutability,
    /// The body is not JSON or not the message it claims to be.
    InvalidSyntax,
    /// The PATCH path is malformed or names nothing.
    InvalidPath,
    /// The PATCH path selects nothing.
    NoTarget,
    /// A required value is missing, or a value does not fit its attribute.
    InvalidValue,
    /// The protocol version is not supported.
    InvalidVers,
    /// The request names data that must not travel in it.
    Sensitive,
    /// The cursor is none of this query's.
    InvalidCursor,
    /// The cursor was one of this query's for too long.
    ExpiredCursor,
    /// The size of a page by cursor is no number, or not that of the pages before.
    InvalidCount,
}

impl ScimType {
    /// The keyword as it stands in the body.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }
}

/// A refusal in the words of the protocol; `detail` is safe to show the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// HTTP status as RFC 7644 assigns it.
    pub status: u16,
    /// Keyword, where the RFC defines one.
    pub scim_type: Option<ScimType>,
    /// One sentence for an IT admin: lower case, no full stop.
    pub detail: String,
    /// Where in a filter or path that was read, where that is known: a character, counted from 1.
    pub position: Option<usize>,
    /// What was probably meant instead of a name that is not known.
    pub suggestion: Option<String>,
}

impl Error {
    fn new(status: u16, scim_type: Option<ScimType>, detail: impl Into<String>) -> Self {
        Self {
            status,
            scim_type,
            detail: detail.into(),
            position: None,
            suggestion: None,
        }
    }

    /// The same about a character of the text, counted from 1; what is more exactly placed already stays so.
    #[must_use]
    pub fn at(mut self, position: Option<usize>) -> Self {
        self.position = self.position.or(position);
        self
    }

    /// The same with what was probably meant, which the sentence asks at its end.
    #[must_use]
    pub fn suggesting(mut self, suggestion: Option<&str>) -> Self {
        if let Some(meant) = suggestion {
            self.detail = format!("{}; did you mean `{meant}`?", self.detail);
            self.suggestion = Some(meant.to_owned());
        }
        self
    }

    /// 400 `invalidFilter`.
    pub fn invalid_filter(detail: impl Into<String>) -> Self {
        Self::new(400, Some(ScimType::InvalidFilter), detail)
    }

    /// 400 `invalidSyntax`.
    pub fn invalid_syntax(detail: impl Into<String>) -> Self {
        Self::new(400, Some(ScimType::InvalidSyntax), detail)
    }

    /// 400 `invalidValue`.
    pub fn invalid_value(detail: impl Into<String>) -> Self {
        Self::new(400, Some(ScimType::InvalidValue), detail)
    }

    /// 400 `invalidPath`.
    pub fn invalid_path(detail: impl Into<String>) -> Self {
        Self::new(400, Some(ScimType::InvalidPath), detail)
    }

    /// 400 `noTarget`.
    pub fn no_target(detail: impl Into<String>) -> Self {
        Self::new(400, Some(ScimType::NoTarget), detail)
    }

    /// 400 `mutability`.
    pub fn mutability(detail: impl Into<String>) -> Self {
        Self::new(400, Some(ScimType::Mutability), detail)
    }

    /// 400 `tooMany`.
    pub fn too_many(detail: impl Into<String>) -> Self {
        Self::new(400, Some(ScimType::TooMany), detail)
    }

    /// 400 `invalidVers`.
    pub fn invalid_version(detail: impl Into<String>) -> Self {
        Self::new(400, Some(ScimType::InvalidVers), detail)
    }

    /// 409 `uniqueness`.
    pub fn uniqueness(detail: impl Into<String>) -> Self {
        Self::new(409, Some(ScimType::Uniqueness), detail)
    }

    /// 403 `sensitive`.
    pub fn sensitive(detail: impl Into<String>) -> Self {
        Self::new(403, Some(ScimType::Sensitive), detail)
    }

    /// 400 `invalidCursor`: the same whatever is wrong with it, as the difference would tell of others (RFC 9865 §5).
    #[must_use]
    pub fn invalid_cursor() -> Self {
        let detail = "the cursor is none that this query gave to this client; begin again with an empty one";
        Self::new(400, Some(ScimType::InvalidCursor), detail)
    }

    /// 400 `expiredCursor`.
    pub fn expired_cursor(detail: impl Into<String>) -> Self {
        Self::new(400, Some(ScimType::ExpiredCursor), detail)
    }

    /// 400 `invalidCount`.
    pub fn invalid_count(detail: impl Into<String>) -> Self {
        Self::new(400, Some(ScimType::InvalidCount), detail)
    }

    /// A refusal that has a status and no keyword.
    pub fn plain(status: u16, detail: impl Into<String>) -> Self {
        Self::new(status, None, detail)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Error {}
