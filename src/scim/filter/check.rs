//! Names and types of a filter resolved against resource types; what is left is small and exact.
//!
//! `ne` is "not equal", so an absent value is not equal to anything; on a multi-valued attribute it holds when there
//! is no element, or one that is not equal. `eq null` means no value, `ne null` some value, the empty text included,
//! while `pr` needs text that is not empty. An absent `primary` is false (RFC 7643 §2.4).

use super::ast::{Filter, Literal, Op};
use super::value::{self, Kind};
use crate::base::fold::fold;
use crate::base::near::nearest;
use crate::scim::error::Error;
use crate::scim::path::AttrPath;
use crate::scim::schema::{Place, ResourceType, Returned, Target};

/// A filter that may be executed: only [`check`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    root: Node,
}

impl Checked {
    /// The expression.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }
}

/// A checked expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// All parts hold.
    And(Vec<Node>),
    /// At least one part holds.
    Or(Vec<Node>),
    /// The part does not hold.
    Not(Box<Node>),
    /// At least one value at the path satisfies the test.
    Test(Test),
    /// At least one element of a multi-valued attribute satisfies the node.
    Some {
        /// Canonical path of the attribute: `emails`, `members`, `urn:…:tags`.
        path: String,
        /// Its tests name whole paths: `emails.type`; for simple elements, the path of the attribute itself.
        node: Box<Node>,
    },
    /// Always or never.
    Constant(bool),
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Canonical path: `userName`, `name.familyName`, `emails.value`, `urn:…:User:department`, `meta.created`.
    pub path: String,
    /// How values compare.
    pub kind: Kind,
    /// What is asked of them.
    pub check: Match,
}

/// What is asked of a value. Operands are comparison text, prepared as [`Kind::fold`] prepares values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// There is a value that is not the empty text.
    Present,
    /// The same.
    Equal(String),
    /// The operand is part of it.
    Contains(String),
    /// It begins with the operand.
    StartsWith(String),
    /// It ends with the operand.
    EndsWith(String),
    /// Below the operand.
    Less(String),
    /// Below the operand, or equal.
    AtMost(String),
    /// Above the operand.
    Greater(String),
    /// Above the operand, or equal.
    AtLeast(String),
}

/// Resolves a filter against the types it is to search. With several types, a name known to one of them is enough,
/// and resources of the others have no value there (RFC 7644 §3.4.2.1).
///
/// # Errors
/// `invalidFilter` for unknown names, operators that do not fit and values of another type; 403 `sensitive` for
/// attributes that are never returned, such as `password`.
pub fn check(filter: &Filter, types: &[&ResourceType]) -> Result<Checked, Error> {
    Checker { types }.node(filter, None).map(|root| Checked { root })
}

struct Checker<'a> {
    types: &'a [&'a ResourceType],
}

/// What a path in the filter stands for.
struct Site<'a> {
    place: Place<'a>,
    /// As typed, for messages.
    name: String,
    /// Resource types the core URN of the path restricts the term to; empty when it does not.
    only: Vec<&'a str>,
    /// Whether the term stands inside the brackets of its attribute.
    in_element: bool,
}

impl Site<'_> {
    fn kind(&self) -> Kind {
        Kind::of(self.place.leaf(), self.place.path())
    }

    fn test(&self, check: Match) -> Node {
        Node::Test(Test {
            path: self.place.path().to_owned(),
            kind: self.kind(),
            check,
        })
    }

    /// There is a value, be it the empty text.
    fn exists(&self) -> Node {
        let kind = self.kind();
        self.test(if kind.is_text() {
            Match::AtLeast(String::new())
        } else {
            Match::Present
        })
    }

    /// Asks a question about one value of the resource: about some element where there are many.
    fn lift(&self, node: Node) -> Node {
        let plain = self.in_element || !self.place.top().multi_valued;
        let node = if plain { node } else { some(self.place.top_path(), node) };
        self.restrict(node)
    }

    fn restrict(&self, node: Node) -> Node {
        if self.only.is_empty() {
            return node;
        }
        let mut types: Vec<_> = self.only.iter().map(|name| is_of_type(name)).collect();
        let one = if types.len() == 1 {
            types.swap_remove(0)
        } else {
            Node::Or(types)
        };
        Node::And(vec![one, node])
    }
}

fn some(path: &str, node: Node) -> Node {
    Node::Some {
        path: path.to_owned(),
        node: Box::new(node),
    }
}

fn negate(node: Node) -> Node {
    Node::Not(Box::new(node))
}

fn is_of_type(name: &str) -> Node {
    let check = Match::Equal(name.to_owned());
    Node::Test(Test {
        path: "meta.resourceType".to_owned(),
        kind: Kind::ExactText,
        check,
    })
}

/// Holds for resources that carry the schema.
fn has_schema(urn: &str) -> Node {
    let check = Match::Equal(fold(urn));
    some(
        "schemas",
        Node::Test(Test {
            path: "schemas".to_owned(),
            kind: Kind::Text,
            check,
        }),
    )
}

impl<'a> Checker<'a> {
    fn node(&self, filter: &Filter, element: Option<Place<'a>>) -> Result<Node, Error> {
        let all = |parts: &[Filter]| {
            parts
                .iter()
                .map(|part| self.node(part, element))
                .collect::<Result<_, _>>()
        };
        match filter {
            Filter::And(parts) => all(parts).map(Node::And),
            Filter::Or(parts) => all(parts).map(Node::Or),
            Filter::Not(part) => self.node(part, element).map(negate),
            Filter::Compare { path, op, value } => self
                .site(path, element)
                .and_then(|site| compare(site, *op, value))
                .map_err(|error| error.at(path.column.get())),
            Filter::Present(path) => self.present(path, element).map_err(|error| error.at(path.column.get())),
            Filter::Some { path, filter } => self
                .value_path(path, filter, element)
                .map_err(|error| error.at(path.column.get())),
        }
    }

    fn present(&self, path: &AttrPath, element: Option<Place<'a>>) -> Result<Node, Error> {
        if element.is_none() {
            match self.target(path)?.0 {
                Target::Core(schema) => return Ok(has_schema(&schema.id)),
                Target::Extension(extension) => return Ok(has_schema(&extension.schema.id)),
                Target::Attribute(_) => {}
            }
        }
        let site = self.site(path, element)?;
        let test = site.test(Match::Present);
        Ok(if site.kind() == Kind::Complex {
            site.restrict(test)
        } else {
            site.lift(test)
        })
    }

    fn value_path(&self, path: &AttrPath, inner: &Filter, element: Option<Place<'a>>) -> Result<Node, Error> {
        if element.is_some() {
            return Err(Error::invalid_filter("a filter in `[ ]` cannot hold another `[ ]`"));
        }
        let site = self.site(path, None)?;
        if site.place.sub().is_some() || !site.place.top().multi_valued {
            let detail = format!("`{path}` has one value at most, so `[ ]` cannot choose among its values");
            return Err(Error::invalid_filter(detail));
        }
        let node = self.node(inner, Some(site.place))?;
        Ok(site.lift(node))
    }

    fn site(&self, path: &AttrPath, element: Option<Place<'a>>) -> Result<Site<'a>, Error> {
        let name = path.to_string();
        let (place, only) = match element {
            Some(outer) => (within(outer, path)?, Vec::new()),
            None => match self.target(path)? {
                (Target::Attribute(place), only) => (place, only),
                _ => {
                    return Err(Error::invalid_filter(format!(
                        "`{name}` is a schema; name one of its attributes"
                    )));
                }
            },
        };
        if [place.top(), place.leaf()]
            .iter()
            .any(|attribute| attribute.returned == Returned::Never)
        {
            return Err(Error::sensitive(format!("`{name}` cannot be used in a filter")));
        }
        Ok(Site {
            place,
            name,
            only,
            in_element: element.is_some(),
        })
    }

    /// What a path names, and the types it is restricted to where others have an attribute of the same path.
    fn target(&self, path: &AttrPath) -> Result<(Target<'a>, Vec<&'a str>), Error> {
        let found: Vec<_> = self
            .types
            .iter()
            .filter_map(|ty| Some((ty.name(), ty.resolve(path)?)))
            .collect();
        let Some((_, target)) = found.first() else {
            return Err(self.unknown(path));
        };
        let bare = AttrPath {
            urn: None,
            ..path.clone()
        };
        let elsewhere = |ty: &&ResourceType| ty.resolve(path).is_none() && ty.resolve(&bare).is_some();
        let core = matches!(target, Target::Attribute(place) if place.extension().is_none());
        let ambiguous = path.urn.is_some() && core && self.types.iter().any(elsewhere);
        let only = if ambiguous {
            found.iter().map(|(name, _)| *name).collect()
        } else {
            Vec::new()
        };
        Ok((*target, only))
    }

    fn unknown(&self, path: &AttrPath) -> Error {
        let nearest = self.types.iter().find_map(|ty| ty.nearest(path));
        Error::invalid_filter(format!("there is no attribute `{path}`")).suggesting(nearest)
    }
}

/// A name inside brackets: a sub-attribute, or `value` for an element that is not an object (RFC 7643 §2.4).
fn within<'a>(outer: Place<'a>, path: &AttrPath) -> Result<Place<'a>, Error> {
    let name = path.to_string();
    let complex = Kind::of(outer.top(), outer.top_path()) == Kind::Complex;
    let found = match path {
        AttrPath {
            urn: None,
            name,
            sub: None,
            ..
        } if complex => outer.with_sub(name),
        AttrPath {
            urn: None,
            name,
            sub: None,
            ..
        } if name.eq_ignore_ascii_case("value") => Some(outer),
        _ => None,
    };
    found.ok_or_else(|| {
        let known = outer.top().sub_attributes.iter().map(|sub| sub.name.as_str());
        Error::invalid_filter(format!("`{}` has no sub-attribute `{name}`", outer.top_path()))
            .suggesting(nearest(&name, known))
    })
}

fn compare(mut site: Site<'_>, op: Op, value: &Literal) -> Result<Node, Error> {
    if *value == Literal::Null {
        return against_null(&site, op);
    }
    if site.kind() == Kind::Complex {
        // By the examples of RFC 7644 §3.4.2.2, `emails` alone stands for `emails.value`.
        let value = site.place.with_sub("value").filter(|_| site.place.top().multi_valued);
        site.place = value.ok_or_else(|| needs_sub_attribute(&site))?;
    }
    if op == Op::Ne {
        let equal = equal(&site, value)?;
        if site.in_element || !site.place.top().multi_valued {
            return Ok(negate(site.restrict(equal)));
        }
        let no_element = negate(site.lift(Node::Constant(true)));
        return Ok(Node::Or(vec![no_element, site.lift(negate(equal))]));
    }
    let node = if op == Op::Eq {
        equal(&site, value)?
    } else {
        site.test(operand(&site, op, value)?)
    };
    Ok(site.lift(node))
}

fn against_null(site: &Site<'_>, op: Op) -> Result<Node, Error> {
    let complex = site.kind() == Kind::Complex;
    let exists = if complex {
        site.restrict(site.exists())
    } else {
        site.lift(site.exists())
    };
    match op {
        Op::Eq => Ok(negate(exists)),
        Op::Ne => Ok(exists),
        _ => Err(Error::invalid_filter(format!(
            "`{op}` cannot be used with null; use `eq`, `ne` or `pr`"
        ))),
    }
}

fn needs_sub_attribute(site: &Site<'_>) -> Error {
    let example = site.place.top().sub_attributes.first().map_or("value", |sub| &sub.name);
    let name = &site.name;
    Error::invalid_filter(format!(
        "`{name}` has several parts; name one of them, such as `{name}.{example}`"
    ))
}

/// Equality, with an absent `primary` taken for false.
fn equal(site: &Site<'_>, value: &Literal) -> Result<Node, Error> {
    let found = operand(site, Op::Eq, value)?;
    let primary = site.place.top().multi_valued && site.place.sub().is_some_and(|sub| sub.name == "primary");
    if primary && found == Match::Equal("false".to_owned()) {
        return Ok(negate(site.test(Match::Equal("true".to_owned()))));
    }
    Ok(site.test(found))
}

/// The operator and the value as what is asked of the attribute.
fn operand(site: &Site<'_>, op: Op, value: &Literal) -> Result<Match, Error> {
    let (kind, path) = (site.kind(), site.place.path());
    let fits = match op {
        Op::Eq | Op::Ne => true,
        Op::Co | Op::Sw | Op::Ew => kind.is_text(),
        Op::Gt | Op::Ge | Op::Lt | Op::Le => kind.is_ordered(),
    };
    if !fits {
        return Err(Error::invalid_filter(format!(
            "`{op}` cannot be used with `{}`, which is {}",
            site.name,
            what(kind)
        )));
    }
    let text = match value {
        // The end of a link is searched as it is typed; the whole of it is compared by what it leads to.
        Literal::Text(text) if matches!(op, Op::Co | Op::Ew) && value::leads_to_resource(path) => {
            Some(if text.contains("://") {
                value::resource_key(text)
            } else {
                text.clone()
            })
        }
        Literal::Text(text) => kind.fold_text(path, text),
        Literal::Bool(flag) => kind.fold(path, &(*flag).into()),
        Literal::Number(number) => kind.fold(path, &number.clone().into()),
        Literal::Null => None,
    };
    let text =
        text.ok_or_else(|| Error::invalid_filter(format!("`{}` is {}: {}", site.name, what(kind), how(kind))))?;
    Ok(match op {
        Op::Eq | Op::Ne => Match::Equal(text),
        Op::Co => Match::Contains(text),
        Op::Sw => Match::StartsWith(text),
        Op::Ew => Match::EndsWith(text),
        Op::Gt => Match::Greater(text),
        Op::Ge => Match::AtLeast(text),
        Op::Lt => Match::Less(text),
        Op::Le => Match::AtMost(text),
    })
}

fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::ExactText | Kind::UserName => "text",
        Kind::Number => "a number",
        Kind::Instant => "a date with time",
        Kind::Boolean => "a boolean",
        Kind::Binary => "binary data",
        Kind::Reference => "a URI",
        Kind::Complex => "made of several parts",
    }
}

fn how(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "compare it with a number without quotes",
        Kind::Boolean => "compare it with true or false without quotes",
        Kind::Instant => "write the value like \"2026-01-31T08:00:00Z\"",
        Kind::Complex => "name one of them",
        Kind::Text | Kind::ExactText | Kind::UserName | Kind::Binary | Kind::Reference => {
            "put the value in double quotes"
        }
    }
}
