//! Names and types of a filter resolved against resource types; what is left is small and exact.
//!
//! `ne` is "not equal", so an absent value is not equal to anything; on a multi-valued attribute it holds when there
//! is no element, or one that is not equal. `eq null` means no value, `ne null` some value, the empty text included,
//! while `pr` needs text that is not empty. An absent `primary` is false (RFC 7643 §2.4).

use std::cell::Cell;

use super::alike::{alike, is_hidden};
use super::ast::{Filter, Literal, Op};
use super::fault::MAX_FILTER_NODES;
use super::value::{self, Kind};
use crate::base::fold::fold;
use crate::base::near::nearest;
use crate::scim::error::Error;
use crate::scim::path::AttrPath;
use crate::scim::schema::{Place, ResourceType, Target};

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
/// and resources of the others have no value there (RFC 7644 §3.4.2.1). Where types have different attributes of one name,
/// each is asked by its own; those that the question does not fit have no value there either.
///
/// # Errors
/// `invalidFilter` for unknown names, operators that do not fit and values of another type; 403 `sensitive` for
/// attributes that are never returned, such as `password`.
pub fn check(filter: &Filter, types: &[&ResourceType]) -> Result<Checked, Error> {
    let asked = Cell::new(0);
    Checker { types, asked }.node(filter, None).map(|root| Checked { root })
}

struct Checker<'a> {
    types: &'a [&'a ResourceType],
    /// Questions so far: one expression is several where types have different attributes of one name.
    asked: Cell<usize>,
}

/// What a path in the filter stands for.
struct Site<'a> {
    place: Place<'a>,
    /// As typed, for messages.
    name: String,
    /// Resource types that the term is restricted to, by the core URN of its path or because others have another
    /// attribute there; empty when it is not.
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
            Filter::Compare { path, op, value } => {
                let lacks = *op == Op::Ne && *value != Literal::Null || *op == Op::Eq && *value == Literal::Null;
                self.each(path, element, lacks, |site| compare(site, *op, value))
                    .map_err(|error| error.at(path.column.get()))
            }
            Filter::Present(path) => self.present(path, element).map_err(|error| error.at(path.column.get())),
            Filter::Some { path, filter } => self
                .value_path(path, filter, element)
                .map_err(|error| error.at(path.column.get())),
        }
    }

    fn present(&self, path: &AttrPath, element: Option<Place<'a>>) -> Result<Node, Error> {
        if element.is_none() {
            match self.targets(path)?.first() {
                Some((Target::Core(schema), _)) => return Ok(has_schema(&schema.id)),
                Some((Target::Extension(extension), _)) => return Ok(has_schema(&extension.schema.id)),
                Some((Target::Attribute(_), _)) | None => {}
            }
        }
        self.each(path, element, false, |site| {
            let test = site.test(Match::Present);
            Ok(if site.kind() == Kind::Complex {
                site.restrict(test)
            } else {
                site.lift(test)
            })
        })
    }

    fn value_path(&self, path: &AttrPath, inner: &Filter, element: Option<Place<'a>>) -> Result<Node, Error> {
        if element.is_some() {
            return Err(Error::invalid_filter("a filter in `[ ]` cannot hold another `[ ]`"));
        }
        self.each(path, None, false, |site| {
            if site.place.sub().is_some() || !site.place.top().multi_valued {
                let detail = format!("`{path}` has one value at most, so `[ ]` cannot choose among its values");
                return Err(Error::invalid_filter(detail));
            }
            let node = self.node(inner, Some(site.place))?;
            Ok(site.lift(node))
        })
    }

    /// Asks a question about each attribute that types have at a path; one that it fits is enough. `lacks` says that it
    /// holds for resources without a value.
    fn each(
        &self,
        path: &AttrPath,
        element: Option<Place<'a>>,
        lacks: bool,
        ask: impl Fn(Site<'a>) -> Result<Node, Error>,
    ) -> Result<Node, Error> {
        let (mut nodes, mut fault) = (Vec::new(), None);
        let sites = self.sites(path, element)?;
        self.asked.set(self.asked.get() + sites.len());
        if sites.len() > 1 && self.asked.get() > MAX_FILTER_NODES {
            return Err(Error::invalid_filter(format!(
                "several types have an attribute `{path}`, each another one: asked of each, the filter has more than \
                 {MAX_FILTER_NODES} expressions"
            )));
        }
        for site in sites {
            let asked = if is_hidden(site.place) {
                Err(Error::sensitive(format!("`{}` cannot be used in a filter", site.name)))
            } else {
                ask(site)
            };
            match asked {
                Ok(node) => nodes.push(node),
                Err(error) => fault = fault.or(Some(error)),
            }
        }
        match (nodes.len(), fault) {
            (0, Some(fault)) => Err(fault),
            (1, _) => Ok(nodes.swap_remove(0)),
            _ if lacks => Ok(Node::And(nodes)),
            _ => Ok(Node::Or(nodes)),
        }
    }

    fn sites(&self, path: &AttrPath, element: Option<Place<'a>>) -> Result<Vec<Site<'a>>, Error> {
        let site = |place, only| Site {
            place,
            name: path.to_string(),
            only,
            in_element: element.is_some(),
        };
        if let Some(outer) = element {
            return Ok(vec![site(within(outer, path)?, Vec::new())]);
        }
        let found = self.targets(path)?.into_iter();
        let sites: Vec<_> = found
            .filter_map(|(target, only)| match target {
                Target::Attribute(place) => Some(site(place, only)),
                Target::Core(_) | Target::Extension(_) => None,
            })
            .collect();
        if sites.is_empty() {
            return Err(Error::invalid_filter(format!(
                "`{path}` is a schema; name one of its attributes"
            )));
        }
        Ok(sites)
    }

    /// What a path names in types that agree about it, and the types that each is restricted to, where others have another
    /// attribute there.
    fn targets(&self, path: &AttrPath) -> Result<Vec<(Target<'a>, Vec<&'a str>)>, Error> {
        let mut found: Vec<(Target<'a>, Vec<&'a str>)> = Vec::new();
        for ty in self.types {
            let Some(target) = ty.resolve(path) else { continue };
            match found.iter_mut().find(|(known, _)| alike(known, &target)) {
                Some((_, names)) => names.push(ty.name()),
                None => found.push((target, vec![ty.name()])),
            }
        }
        if found.is_empty() {
            return Err(self.unknown(path));
        }
        let bare = AttrPath {
            urn: None,
            ..path.clone()
        };
        let elsewhere = |ty: &&ResourceType| ty.resolve(path).is_none() && ty.resolve(&bare).is_some();
        let core = |target: &Target<'_>| matches!(target, Target::Attribute(place) if place.extension().is_none());
        let ambiguous = path.urn.is_some() && self.types.iter().any(elsewhere);
        if let [(target, only)] = found.as_mut_slice()
            && !(ambiguous && core(target))
        {
            only.clear();
        }
        Ok(found)
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
