//! Grammar of filters and paths, a function for each rule (RFC 7644 figures 1 and 7).
//!
//! Wider than the ABNF in four places: several spaces count as one, spaces may stand inside brackets, names may begin
//! with `$`, and a value path may be followed by a sub-attribute (`emails[type eq "work"].value co "x"`), which is
//! read as one more condition on the same element.

use nom::branch::alt;
use nom::bytes::complete::{tag_no_case, take_while, take_while1};
use nom::character::complete::char;
use nom::combinator::{map, not, opt, peek, recognize, value};
use nom::multi::separated_list1;
use nom::sequence::{pair, preceded, terminated};
use nom::{IResult, Parser};

use super::ast::{Filter, Literal, Op};
use super::fault::{At, Fault, MAX_FILTER_DEPTH, MAX_FILTER_LENGTH, MAX_FILTER_NODES, Wanted};
use crate::scim::path::{AttrPath, Column, PatchPath};

type Parsed<'a, T> = IResult<&'a str, T, At<'a>>;

/// Where in the nesting a rule stands.
#[derive(Clone, Copy)]
struct Scope {
    depth: usize,
    in_value_path: bool,
}

impl Scope {
    const TOP: Self = Self {
        depth: 0,
        in_value_path: false,
    };

    fn deeper(self, input: &str) -> Result<Self, nom::Err<At<'_>>> {
        if self.depth == MAX_FILTER_DEPTH {
            return At::stop(input, Wanted::LessDepth);
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }
}

/// A whole filter.
pub(super) fn whole_filter(text: &str) -> Result<Filter, Fault> {
    let mut filter = whole(text, Wanted::Connective, |input| disjunction(Scope::TOP, input))?;
    within_limits(&filter)?;
    filter.locate(text.trim_end_matches(' '));
    Ok(filter)
}

/// A whole attribute path.
pub(in crate::scim) fn whole_attr_path(text: &str) -> Result<AttrPath, Fault> {
    whole(text, Wanted::EndOfPath, attr_path)
}

/// A whole PATCH path.
pub(in crate::scim) fn whole_patch_path(text: &str) -> Result<PatchPath, Fault> {
    let mut path = whole(text, Wanted::EndOfPath, patch_path)?;
    if let Some(filter) = &mut path.filter {
        within_limits(filter)?;
        filter.locate(text.trim_end_matches(' '));
    }
    Ok(path)
}

/// The depth is counted again: a sub-attribute behind a value path adds a bracket when it is printed.
fn within_limits(filter: &Filter) -> Result<(), Fault> {
    if filter.nodes() > MAX_FILTER_NODES {
        return Err(Fault::whole(Wanted::FewerNodes));
    }
    if filter.depth() > MAX_FILTER_DEPTH {
        return Err(Fault::whole(Wanted::LessDepth));
    }
    Ok(())
}

fn whole<T>(text: &str, at_end: Wanted, rule: impl Fn(&str) -> Parsed<'_, T>) -> Result<T, Fault> {
    if text.len() > MAX_FILTER_LENGTH {
        return Err(Fault::whole(Wanted::LessLength));
    }
    let text = text.trim_end_matches(' ');
    let input = text.trim_start_matches(' ');
    if input.is_empty() && at_end == Wanted::Connective {
        return Err(Fault::whole(Wanted::SomeText));
    }
    match rule(input) {
        Ok(("", parsed)) => Ok(parsed),
        Ok((rest, _)) => Err(Fault::new(
            text,
            At {
                rest: rest.trim_start_matches(' '),
                wanted: at_end,
            },
        )),
        Err(nom::Err::Error(at) | nom::Err::Failure(at)) => Err(Fault::new(text, at)),
        Err(nom::Err::Incomplete(_)) => Err(Fault::whole(at_end)),
    }
}

/// `FILTER = attrExp / logExp / valuePath / *1"not" "(" FILTER ")"`, the `or` part of `logExp`: it binds least.
fn disjunction(scope: Scope, input: &str) -> Parsed<'_, Filter> {
    let terms = separated_list1(connective("or"), |input| conjunction(scope, input));
    map(terms, |terms| single_or(terms, Filter::Or)).parse(input)
}

/// `logExp = FILTER SP ("and" / "or") SP FILTER`, the `and` part.
fn conjunction(scope: Scope, input: &str) -> Parsed<'_, Filter> {
    let terms = separated_list1(connective("and"), |input| term(scope, input));
    map(terms, |terms| single_or(terms, Filter::And)).parse(input)
}

fn single_or(mut terms: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    match (terms.len(), terms.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            terms.extend(last);
            many(terms)
        }
    }
}

/// `SP "and" SP`; what follows must be a term, so nothing is given back once the word is read.
fn connective<'a>(word: &'static str) -> impl Parser<&'a str, Output = (), Error = At<'a>> {
    move |input| {
        let word = terminated(tag_no_case(word), not(name_char));
        let (rest, _) = preceded(spaces1, word).parse(input)?;
        gap(Wanted::Name, rest)
    }
}

/// One operand of `and` and `or`.
fn term(scope: Scope, input: &str) -> Parsed<'_, Filter> {
    let negation = terminated(tag_no_case("not"), (spaces, peek(char('('))));
    if let (rest, Some(_)) = opt(negation).parse(input)? {
        let (rest, inner) = group(scope, rest.trim_start_matches(' '))?;
        return Ok((rest, Filter::Not(Box::new(inner))));
    }
    if input.starts_with('(') {
        return group(scope, input);
    }
    let (rest, path) = attr_path(input)?;
    if rest.starts_with('[') {
        return value_path_expression(scope, path, rest);
    }
    attr_expression(path, rest)
}

/// `"(" FILTER ")"`.
fn group(scope: Scope, input: &str) -> Parsed<'_, Filter> {
    let scope = scope.deeper(input)?;
    let (rest, inner) = preceded((char('('), spaces), |input| disjunction(scope, input)).parse(input)?;
    close(')', rest).map(|(rest, ())| (rest, inner))
}

/// `attrExp = (attrPath SP "pr") / (attrPath SP compareOp SP compValue)`, after the path.
fn attr_expression(path: AttrPath, input: &str) -> Parsed<'_, Filter> {
    let unknown = || {
        let word = input.trim_start_matches(' ');
        let negated = path.urn.is_none() && path.name.eq_ignore_ascii_case("not");
        At::stop(
            word,
            if negated {
                Wanted::OpenAfterNot
            } else {
                Wanted::Operator
            },
        )
    };
    let word = preceded(spaces1, take_while1(|letter: char| letter.is_ascii_alphanumeric()));
    let Ok((rest, word)) = opt(word)
        .parse(input)
        .map(|(rest, word)| (rest, word.unwrap_or_default()))
    else {
        return unknown();
    };
    if word.eq_ignore_ascii_case("pr") {
        return Ok((rest, Filter::Present(path)));
    }
    let Some(op) = Op::ALL
        .iter()
        .copied()
        .find(|op| word.eq_ignore_ascii_case(op.as_str()))
    else {
        return unknown();
    };
    let (rest, ()) = gap(Wanted::Value, rest)?;
    let (rest, value) = comp_value(rest)?;
    Ok((rest, Filter::Compare { path, op, value }))
}

/// `valuePath`, and the sub-attribute some clients put behind it.
fn value_path_expression(scope: Scope, path: AttrPath, input: &str) -> Parsed<'_, Filter> {
    let (rest, filter) = value_filter(scope, input)?;
    let (rest, filter) = match opt(preceded(char('.'), attr_name)).parse(rest)? {
        (rest, Some(sub)) => {
            let mut path = AttrPath::plain(sub);
            path.column = Column::before(&input[input.len() - rest.len() - sub.len()..]);
            let (rest, condition) = attr_expression(path, rest)?;
            (rest, Filter::And(vec![filter, condition]))
        }
        (rest, None) => (rest, filter),
    };
    Ok((
        rest,
        Filter::Some {
            path,
            filter: Box::new(filter),
        },
    ))
}

/// `"[" valFilter "]"`: no value path inside (erratum 4690).
fn value_filter(scope: Scope, input: &str) -> Parsed<'_, Filter> {
    if scope.in_value_path {
        return At::stop(input, Wanted::NoNesting);
    }
    let scope = Scope {
        in_value_path: true,
        ..scope.deeper(input)?
    };
    let (rest, _) = (char('['), spaces).parse(input)?;
    let (rest, inner) = disjunction(scope, rest)?;
    close(']', rest).map(|(rest, ())| (rest, inner))
}

/// `PATH = attrPath / valuePath [subAttr]` (figure 7).
fn patch_path(input: &str) -> Parsed<'_, PatchPath> {
    let (rest, attr) = attr_path(input)?;
    let Some(inside) = rest.strip_prefix('[') else {
        return Ok((
            rest,
            PatchPath {
                attr,
                filter: None,
                sub: None,
            },
        ));
    };
    let after_digits = inside.trim_start_matches(|digit: char| digit.is_ascii_digit());
    if after_digits.len() < inside.len() && after_digits.starts_with(']') {
        return At::stop(inside, Wanted::NoIndex);
    }
    let (rest, filter) = value_filter(Scope::TOP, rest)?;
    let (rest, sub) = opt(preceded(char('.'), attr_name)).parse(rest)?;
    Ok((
        rest,
        PatchPath {
            attr,
            filter: Some(filter),
            sub: sub.map(str::to_owned),
        },
    ))
}

/// `attrPath = [URI ":"] ATTRNAME *1subAttr`; the URI ends at the last colon.
fn attr_path(input: &str) -> Parsed<'_, AttrPath> {
    let (rest, whole) = take_while(path_char).parse(input)?;
    let (urn, local) = match whole.rsplit_once(':') {
        Some((urn, local)) => (Some(urn), local),
        None => (None, whole),
    };
    // Name and sub-attribute both end where the path ends.
    let at = |part: &str| &input[whole.len() - part.len()..];
    let (name, sub) = match local.split_once('.') {
        Some((name, sub)) => (name, Some(sub)),
        None => (local, None),
    };
    // The last segment of a URN may be a version, and a URN can stand alone.
    let leads = |first: char| urn.is_some() || first.is_ascii_alphabetic() || first == '$';
    if urn == Some("") || !name.starts_with(leads) || !name.chars().all(is_name_char) {
        return At::stop(at(local), Wanted::Name);
    }
    if let Some(sub) = sub {
        if sub.contains('.') {
            return At::stop(at(sub), Wanted::OneDot);
        }
        if sub.is_empty() || !sub.chars().all(is_name_char) {
            return At::stop(at(sub), Wanted::Name);
        }
    }
    Ok((
        rest,
        AttrPath {
            urn: urn.map(str::to_owned),
            name: name.to_owned(),
            sub: sub.map(str::to_owned),
            column: Column::before(input),
        },
    ))
}

/// `ATTRNAME = ALPHA *(nameChar)`, and `$ref`.
fn attr_name(input: &str) -> Parsed<'_, &str> {
    let name = recognize(pair(alt((alpha, char('$'))), take_while(is_name_char)));
    let (rest, name) = opt(name).parse(input)?;
    name.map_or_else(|| At::stop(input, Wanted::Name), |name| Ok((rest, name)))
}

/// `compValue = false / null / true / number / string`, by the rules of JSON.
fn comp_value(input: &str) -> Parsed<'_, Literal> {
    if input.starts_with('"') {
        return string(input);
    }
    let (rest, word) = take_while(|letter| !" ()[]\"".contains(letter)).parse(input)?;
    let literal = match word {
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        "null" => Literal::Null,
        _ => match number(word) {
            Some(number) => Literal::Number(number),
            None => return At::stop(input, Wanted::Value),
        },
    };
    Ok((rest, literal))
}

/// A fraction is read to the nearest double, so that it prints and reads back as itself.
fn number(word: &str) -> Option<serde_json::Number> {
    let plain = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let number: serde_json::Number = serde_json::from_str(word).ok()?;
    if !word.bytes().all(plain) {
        return None;
    }
    if number.is_f64() {
        serde_json::Number::from_f64(word.parse().ok()?)
    } else {
        Some(number)
    }
}

/// A JSON string with all its escapes.
fn string(input: &str) -> Parsed<'_, Literal> {
    let mut escaped = false;
    let end = input.bytes().skip(1).position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    let Some(end) = end else {
        return At::stop(input, Wanted::ClosedText);
    };
    let (quoted, rest) = input.split_at(end + 2);
    match serde_json::from_str::<String>(quoted) {
        // No value can hold it: what comes in with it is refused, and PostgreSQL cannot store it.
        Ok(text) if text.contains('\0') => At::stop(input, Wanted::TextWithoutNul),
        Ok(text) => Ok((rest, Literal::Text(text))),
        Err(_) => At::stop(input, Wanted::ValidText),
    }
}

fn close(bracket: char, input: &str) -> Parsed<'_, ()> {
    let closed: Parsed<'_, ()> = value((), (spaces, char(bracket))).parse(input);
    closed.or_else(|_| At::stop(input.trim_start_matches(' '), Wanted::Close(bracket)))
}

/// At least one space; where the text ends instead, what should have followed is named.
fn gap(next: Wanted, input: &str) -> Parsed<'_, ()> {
    match spaces1(input) {
        Ok((rest, ())) => Ok((rest, ())),
        Err(_) => At::stop(input, if input.is_empty() { next } else { Wanted::Space }),
    }
}

fn spaces(input: &str) -> Parsed<'_, ()> {
    value((), take_while(|letter| letter == ' ')).parse(input)
}

fn spaces1(input: &str) -> Parsed<'_, ()> {
    value((), take_while1(|letter| letter == ' ')).parse(input)
}

fn alpha(input: &str) -> Parsed<'_, char> {
    nom::character::complete::satisfy(|letter| letter.is_ascii_alphabetic()).parse(input)
}

fn name_char(input: &str) -> Parsed<'_, char> {
    nom::character::complete::satisfy(is_name_char).parse(input)
}

/// `nameChar = "-" / "_" / DIGIT / ALPHA`, and `$`.
fn is_name_char(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '$' | '-' | '_')
}

/// Characters of names and of URIs that cannot be taken for anything else in a filter.
fn path_char(letter: char) -> bool {
    is_name_char(letter)
        || matches!(
            letter,
            ':' | '.' | '/' | '%' | '~' | '+' | '@' | '#' | '?' | '=' | '&' | ';' | '!'
        )
}
