//! One attribute definition and its characteristics (RFC 7643 §2.2, §7).

/// Data type of an attribute (RFC 7643 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Type {
    /// Text.
    #[default]
    String,
    /// JSON `true` or `false`.
    Boolean,
    /// A JSON number with or without fraction.
    Decimal,
    /// A JSON number without fraction or exponent.
    Integer,
    /// `xsd:dateTime` text.
    DateTime,
    /// Base64 text.
    Binary,
    /// A URI.
    Reference,
    /// An object of sub-attributes.
    Complex,
}

impl Type {
    /// Every one of them.
    pub const ALL: &'static [Self] = &[
        Self::String,
        Self::Boolean,
        Self::Decimal,
        Self::Integer,
        Self::DateTime,
        Self::Binary,
        Self::Reference,
        Self::Complex,
    ];

    /// The keyword as it stands in a schema.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Decimal => "decimal",
            Self::Integer => "integer",
            Self::DateTime => "dateTime",
            Self::Binary => "binary",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }
}

/// Who may change a value, and when (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mutability {
    /// Only the server.
    ReadOnly,
    /// The client, at any time.
    #[default]
    ReadWrite,
    /// The client, once.
    Immutable,
    /// The client; never read back.
    WriteOnly,
}

impl Mutability {
    /// Every one of them.
    pub const ALL: &'static [Self] = &[Self::ReadOnly, Self::ReadWrite, Self::Immutable, Self::WriteOnly];

    /// The keyword as it stands in a schema.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "readOnly",
            Self::ReadWrite => "readWrite",
            Self::Immutable => "immutable",
            Self::WriteOnly => "writeOnly",
        }
    }
}

/// When a value is part of an answer (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Returned {
    /// In every answer.
    Always,
    /// In no answer.
    Never,
    /// Unless excluded.
    #[default]
    Default,
    /// Only when asked for.
    Request,
}

impl Returned {
    /// Every one of them.
    pub const ALL: &'static [Self] = &[Self::Always, Self::Never, Self::Default, Self::Request];

    /// The keyword as it stands in a schema.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
            Self::Default => "default",
            Self::Request => "request",
        }
    }
}

/// How far a value must be unique (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Uniqueness {
    /// Not at all.
    #[default]
    None,
    /// Within the tenant.
    Server,
    /// Everywhere; enforced within the tenant.
    Global,
}

impl Uniqueness {
    /// Every one of them.
    pub const ALL: &'static [Self] = &[Self::None, Self::Server, Self::Global];

    /// The keyword as it stands in a schema.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Server => "server",
            Self::Global => "global",
        }
    }
}

/// An attribute or sub-attribute definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Canonical spelling.
    pub name: String,
    /// Data type.
    pub kind: Type,
    /// Whether the value is an array.
    pub multi_valued: bool,
    /// For people.
    pub description: String,
    /// Whether a resource must have it.
    pub required: bool,
    /// Whether letter case matters when comparing.
    pub case_exact: bool,
    /// Who may change it.
    pub mutability: Mutability,
    /// When it is shown.
    pub returned: Returned,
    /// How far it must be unique.
    pub uniqueness: Uniqueness,
    /// Suggested values; others are accepted.
    pub canonical_values: Vec<String>,
    /// For references: resource type names, `external` or `uri`.
    pub reference_types: Vec<String>,
    /// For complex attributes.
    pub sub_attributes: Vec<Attribute>,
}

impl Attribute {
    /// The sub-attribute of this name, in any letter case.
    #[must_use]
    pub fn sub(&self, name: &str) -> Option<&Self> {
        self.sub_attributes
            .iter()
            .find(|sub| sub.name.eq_ignore_ascii_case(name))
    }

    /// Whether its values are URIs of whatever kind, and not only links to resources (RFC 7643 §7, `referenceTypes`).
    #[must_use]
    pub fn holds_uris(&self) -> bool {
        let free = |name: &String| matches!(name.as_str(), "uri" | "external");
        self.kind == Type::Reference && self.reference_types.iter().any(free)
    }
}
