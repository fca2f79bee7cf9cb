//! A filter over users as what a user does or has: `has userType "partner" and is not in the group "Guests"`.
//!
//! `not` is carried down to the single comparisons (not (a or b) is not a, and not b), so that every part of the
//! sentence stands for itself. Where `and` and `or` meet, the inner one stands in brackets.

use crate::access::rule::names::{Found, Names, Wanted};
use crate::access::wording::{list, moment, quoted};
use crate::base::instant::parse_date_time;
use crate::scim::filter::{Filter, Kind, Literal, Op};
use crate::scim::path::AttrPath;
use crate::scim::schema::{Place, ResourceType, Target, Type};

/// The words that come after `Whoever`. The filter has been checked against the type; a part that does not fit it is
/// shown as it is written.
#[must_use]
pub fn condition(filter: &Filter, names: &dyn Names, user: &ResourceType) -> String {
    let speaker = Speaker { names, user };
    Phrase::of(filter, Sign::Plain)
        .say(&|leaf, sign| speaker.clause(leaf, sign))
        .0
}

/// Whether a part must hold, or must not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Plain,
    Negated,
}

impl Sign {
    fn flipped(self) -> Self {
        match self {
            Self::Plain => Self::Negated,
            Self::Negated => Self::Plain,
        }
    }

    fn choose<'a>(self, plain: &'a str, negated: &'a str) -> &'a str {
        match self {
            Self::Plain => plain,
            Self::Negated => negated,
        }
    }
}

/// A filter with its negations at the leaves, and no connective directly inside the same.
enum Phrase<'a> {
    All(Vec<Phrase<'a>>),
    Any(Vec<Phrase<'a>>),
    Leaf(&'a Filter, Sign),
}

impl<'a> Phrase<'a> {
    fn of(filter: &'a Filter, sign: Sign) -> Self {
        match (filter, sign) {
            (Filter::Not(part), _) => Self::of(part, sign.flipped()),
            (Filter::And(parts), Sign::Plain) | (Filter::Or(parts), Sign::Negated) => {
                let mut flat = Vec::new();
                for part in parts.iter().map(|part| Self::of(part, sign)) {
                    match part {
                        Self::All(inner) => flat.extend(inner),
                        other => flat.push(other),
                    }
                }
                Self::All(flat)
            }
            (Filter::Or(parts), Sign::Plain) | (Filter::And(parts), Sign::Negated) => {
                let mut flat = Vec::new();
                for part in parts.iter().map(|part| Self::of(part, sign)) {
                    match part {
                        Self::Any(inner) => flat.extend(inner),
                        other => flat.push(other),
                    }
                }
                Self::Any(flat)
            }
            (leaf, _) => Self::Leaf(leaf, sign),
        }
    }

    /// The text, and whether it has a connective of its own.
    fn say(&self, leaf: &dyn Fn(&Filter, Sign) -> String) -> (String, bool) {
        let join = |parts: &[Self], word| {
            let parts: Vec<_> = parts.iter().map(|part| bracketed(part.say(leaf))).collect();
            (list(&parts, word), true)
        };
        match self {
            Self::All(parts) => join(parts, "and"),
            Self::Any(parts) => join(parts, "or"),
            Self::Leaf(filter, sign) => (leaf(filter, *sign), false),
        }
    }
}

fn bracketed((text, compound): (String, bool)) -> String {
    if compound { format!("({text})") } else { text }
}

struct Speaker<'a> {
    names: &'a dyn Names,
    user: &'a ResourceType,
}

impl Speaker<'_> {
    /// One comparison or value path as a clause with its verb.
    fn clause(&self, leaf: &Filter, sign: Sign) -> String {
        let said = match leaf {
            Filter::Compare { path, op, value } => self.place(path).map(|place| self.compare(place, *op, value, sign)),
            Filter::Present(path) => self.present(path, sign),
            Filter::Some { path, filter } => self.place(path).map(|place| self.value_path(place, filter, sign)),
            Filter::And(_) | Filter::Or(_) | Filter::Not(_) => None,
        };
        said.unwrap_or_else(|| format!("{} `{leaf}`", sign.choose("satisfies", "does not satisfy")))
    }

    fn place(&self, path: &AttrPath) -> Option<Place<'_>> {
        match self.user.resolve(path)? {
            Target::Attribute(place) => Some(place),
            Target::Core(_) | Target::Extension(_) => None,
        }
    }

    fn compare(&self, place: Place<'_>, op: Op, value: &Literal, sign: Sign) -> String {
        let many = place.top().multi_valued;
        if *value == Literal::Null {
            let sign = if op == Op::Ne { sign } else { sign.flipped() };
            return format!("has {} {}", self.name(place), sign.choose("set", "not set"));
        }
        // A comparison with `emails` is one with `emails.value`.
        let place = match place.leaf().kind {
            Type::Complex => place.with_sub("value").unwrap_or(place),
            _ => place,
        };
        if op == Op::Ne && many {
            let verb = sign.choose("does not have", "has");
            return format!("{verb} {} as the only {}", literal(place, value), self.name(place));
        }
        let (op, sign) = if op == Op::Ne {
            (Op::Eq, sign.flipped())
        } else {
            (op, sign)
        };
        if place.top_path() == "groups" {
            return self.in_group(place, op, value, sign);
        }
        if place.path() == "active" && (op, value) == (Op::Eq, &Literal::Bool(true)) {
            return sign.choose("is active", "is not active").to_owned();
        }
        let verb = sign.choose("has", "does not have");
        format!("{verb} {} {}", self.name(place), predicate(place, op, value))
    }

    fn in_group(&self, place: Place<'_>, op: Op, value: &Literal, sign: Sign) -> String {
        let sub = place.sub().map_or("", |sub| sub.name.as_str());
        let one = sign.choose("is in", "is not in");
        match (sub, op, value) {
            ("display", Op::Eq, Literal::Text(display)) => format!("{one} the group {}", quoted(display)),
            ("value", Op::Eq, Literal::Text(id)) => match self.names.find_group(Wanted::Id(id)) {
                Found::One(group) => {
                    let shown = self
                        .names
                        .group(group)
                        .map_or_else(String::new, |group| quoted(group.name));
                    format!("{one} the group {shown} with id {}", quoted(id))
                }
                Found::Many | Found::Nothing(_) => format!("{one} the group with id {}", quoted(id)),
            },
            _ => {
                let some = sign.choose("is in a group", "is in no group");
                format!("{some} with {sub} {}", predicate(place, op, value))
            }
        }
    }

    fn present(&self, path: &AttrPath, sign: Sign) -> Option<String> {
        let place = match self.user.resolve(path)? {
            Target::Core(schema) => return Some(carries(&schema.id, sign)),
            Target::Extension(extension) => return Some(carries(&extension.schema.id, sign)),
            Target::Attribute(place) => place,
        };
        if place.path() == "groups" {
            return Some(sign.choose("is in a group", "is in no group").to_owned());
        }
        let name = self.name(place);
        let plural = place.top().multi_valued || place.leaf().kind == Type::Complex;
        let article = match (sign, name.chars().next()) {
            (Sign::Negated, _) => "no",
            (Sign::Plain, _) if plural => "any",
            (Sign::Plain, Some('a' | 'e' | 'i' | 'o')) => "an",
            (Sign::Plain, _) => "a",
        };
        Some(format!("has {article} {name}"))
    }

    fn value_path(&self, place: Place<'_>, filter: &Filter, sign: Sign) -> String {
        let groups = place.path() == "groups";
        if let Some(display) = direct_group(filter).filter(|_| groups) {
            let verb = sign.choose("is directly in", "is not directly in");
            return format!("{verb} the group {}", quoted(display));
        }
        let element = bracketed(Phrase::of(filter, Sign::Plain).say(&|leaf, sign| element_part(place, leaf, sign)));
        let some = if groups {
            sign.choose("is in a group", "is in no group").to_owned()
        } else {
            format!("has {} of {}", sign.choose("one", "none"), self.name(place))
        };
        format!("{some} with {element}")
    }

    /// The path without URN where no other attribute has the same name.
    fn name(&self, place: Place<'_>) -> String {
        let (top, path) = (&place.top().name, place.path());
        let mut alike = self
            .user
            .fields()
            .iter()
            .filter(|field| field.attribute().name.eq_ignore_ascii_case(top));
        match place.extension() {
            Some(urn) if alike.nth(1).is_none() => path[urn.len() + 1..].to_owned(),
            _ => path.to_owned(),
        }
    }
}

fn carries(urn: &str, sign: Sign) -> String {
    format!("{} the schema {urn}", sign.choose("carries", "does not carry"))
}

/// `display eq "…" and type eq "direct"`, in either order.
fn direct_group(filter: &Filter) -> Option<&str> {
    let text = |filter: &'_ Filter, wanted: &str| match filter {
        Filter::Compare {
            path:
                AttrPath {
                    urn: None,
                    name,
                    sub: None,
                    ..
                },
            op: Op::Eq,
            value: Literal::Text(_),
        } => name.eq_ignore_ascii_case(wanted),
        _ => false,
    };
    let Filter::And(parts) = filter else { return None };
    let (display, kind) = match parts.as_slice() {
        [one, other] if text(one, "display") && text(other, "type") => (one, other),
        [one, other] if text(other, "display") && text(one, "type") => (other, one),
        _ => return None,
    };
    let value = |filter| match filter {
        &Filter::Compare {
            value: Literal::Text(ref text),
            ..
        } => Some(text.as_str()),
        _ => None,
    };
    value(display).filter(|_| value(kind) == Some("direct"))
}

/// A part of a value path as what an element has: `type "work"`, `no value ending with "@acme.test"`.
fn element_part(outer: Place<'_>, leaf: &Filter, sign: Sign) -> String {
    let sub = |path: &AttrPath| outer.with_sub(&path.name).filter(|_| outer.top().kind == Type::Complex);
    match leaf {
        Filter::Present(path) => {
            let name = sub(path).and_then(|place| place.sub()).map_or("value", |sub| &sub.name);
            format!("{} {name}", sign.choose("any", "no"))
        }
        Filter::Compare { path, op, value } => {
            let place = sub(path).unwrap_or(outer);
            let name = place.sub().map_or("value", |sub| &sub.name);
            let (op, sign) = if *op == Op::Ne {
                (Op::Eq, sign.flipped())
            } else {
                (*op, sign)
            };
            if *value == Literal::Null {
                return format!("{name} {}", sign.choose("not set", "set"));
            }
            format!("{}{name} {}", sign.choose("", "no "), predicate(place, op, value))
        }
        other => format!("{} `{other}`", sign.choose("what satisfies", "what does not satisfy")),
    }
}

/// What follows the name of an attribute: `"partner"`, `containing "part"`, `at least 3`.
fn predicate(place: Place<'_>, op: Op, value: &Literal) -> String {
    let kind = Kind::of(place.leaf(), place.path());
    let words = match (op, kind) {
        (Op::Eq | Op::Ne, Kind::Instant) => "at",
        (Op::Eq | Op::Ne, _) => return literal(place, value),
        (Op::Co, _) => "containing",
        (Op::Sw, _) => "starting with",
        (Op::Ew, _) => "ending with",
        (Op::Gt, Kind::Instant) => "after",
        (Op::Ge, Kind::Instant) => "at or after",
        (Op::Lt, Kind::Instant) => "before",
        (Op::Le, Kind::Instant) => "at or before",
        (Op::Gt, Kind::Number) => "above",
        (Op::Ge, Kind::Number) => "of at least",
        (Op::Lt, Kind::Number) => "below",
        (Op::Le, Kind::Number) => "of at most",
        (Op::Gt, _) => "sorting after",
        (Op::Ge, _) => "sorting at or after",
        (Op::Lt, _) => "sorting before",
        (Op::Le, _) => "sorting at or before",
    };
    format!("{words} {}", literal(place, value))
}

/// A value as it was written, but for instants, which are written for people.
fn literal(place: Place<'_>, value: &Literal) -> String {
    match value {
        Literal::Text(text) if Kind::of(place.leaf(), place.path()) == Kind::Instant => {
            parse_date_time(text).map_or_else(|| quoted(text), moment)
        }
        value => value.to_string(),
    }
}
