//! Text to filter and back.

use proptest::prelude::*;

use crate::scim::filter::{Filter, Literal, MAX_FILTER_DEPTH, MAX_FILTER_LENGTH, MAX_FILTER_NODES, Op};
use crate::scim::path::AttrPath;

fn parse(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn fault(text: &str) -> String {
    Filter::parse(text).map_or_else(|error| error.detail, |filter| panic!("{text} parses as {filter:?}"))
}

#[test]
fn and_binds_tighter_than_or() {
    assert_eq!(parse("a pr or b pr and c pr"), parse("a pr or (b pr and c pr)"));
    assert_ne!(parse("a pr or b pr and c pr"), parse("(a pr or b pr) and c pr"));
    assert_eq!(parse("not (a pr) and b pr"), parse("(not (a pr)) and (b pr)"));
}

#[test]
fn keywords_have_no_letter_case_and_spaces_no_number() {
    let plain = parse("a pr and not (b eq true or c Ne null)");
    assert_eq!(parse("  a  PR   AND  Not  ( b EQ true  OR c NE null )  "), plain);
    assert_eq!(parse("a pr and not(b eq true or c ne null)"), plain);
    assert_eq!(parse("emails[ type eq \"x\" ]"), parse("emails[type eq \"x\"]"));
}

#[test]
fn names_that_look_like_keywords_are_names() {
    for text in [
        "not pr",
        "notes pr",
        "and pr",
        "or eq 1",
        "pr pr",
        "eq eq \"eq\"",
        "android pr and order pr",
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
}

#[test]
fn literals_follow_json() {
    let literal = |text: &str| match parse(&format!("a eq {text}")) {
        Filter::Compare { value, .. } => value,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        literal(r#""q\" b\\ s\/ n\n A é 😀""#),
        Literal::Text("q\" b\\ s/ n\n A é 😀".into())
    );
    assert_eq!(literal("1e2"), Literal::Number(serde_json::from_str("100.0").unwrap()));
    assert_eq!(literal("-7"), Literal::Number((-7).into()));
    assert!(matches!(literal("-0"), Literal::Number(_)));
    assert_eq!(literal("null"), Literal::Null);
    for bad in [
        "True",
        "FALSE",
        "Null",
        "nul",
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "--1",
        "0x1",
        "NaN",
        "Infinity",
        "1e999",
        "'x'",
        "x",
        "“x”",
        "\"x",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"a\tb\"",
        "\"x\\\"",
        "[1]",
        "{}",
        "\"a\" \"b\"",
        "\"a\"\"b\"",
        "1\t",
        "true\n",
        "truetrue",
        "",
    ] {
        assert!(Filter::parse(&format!("a eq {bad}")).is_err(), "{bad}");
    }
}

/// Not one of these is a filter.
const REFUSED: &[&str] = &[
    "",
    "  ",
    "a",
    "a eq",
    "a eq ",
    "a foo \"x\"",
    "a pr b",
    "a pr and",
    "a pr or",
    "and a pr",
    "a pr and or b pr",
    "a pr b pr",
    "a pr,b pr",
    "(a pr",
    "a pr)",
    "()",
    "( )",
    "not a pr",
    "not",
    "not ()",
    "not not (a pr)",
    "a eq\"x\"",
    "a\teq\t1",
    "a eq\t1",
    "a\neq 1",
    "a eq 1and b pr",
    "a eq \"x\"and b pr",
    "a pr and(b pr)",
    "(a pr)and (b pr)",
    "(a pr) (b pr)",
    "a.b.c pr",
    "a. pr",
    ".a pr",
    "a..b pr",
    "1a pr",
    "_a pr",
    "-a pr",
    "é pr",
    "a[]",
    "a[ ]",
    "a[b pr",
    "a[b pr]]",
    "a[b pr",
    "a [b pr]",
    "a[b[c pr]]",
    "a[b pr and c[d pr]]",
    "a[b pr] pr",
    "a[b pr].",
    "a[b pr].c",
    "a[b pr].c.d pr",
    "a[b pr].c[d pr]",
    "[a pr]",
    "\"a\" eq 1",
    "1 eq 1",
    "a eq b",
    "a = 1",
    "a == 1",
    "a eq 1;",
    "a eq 1 --",
    "a pr && b pr",
    "a pr xor b pr",
    "urn:x: pr",
    ":a pr",
    "a prx",
    "a pr\"x\"",
    "a eqx 1",
    "a,b pr",
    "\u{a0}a pr",
    "a\u{a0}pr",
    "\0",
];

#[test]
fn what_the_grammar_does_not_allow_is_refused() {
    for text in REFUSED {
        assert!(
            Filter::parse(text).is_err(),
            "{text:?} parses as {:?}",
            Filter::parse(text)
        );
    }
}

#[test]
fn messages_say_what_is_missing_and_where() {
    for (text, expected) in [
        (
            "userName xx \"a\"",
            "expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le or pr) at column 10",
        ),
        (
            "userName",
            "expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le or pr) at column 9",
        ),
        (
            "userName eq",
            "expected a value (text in double quotes, a number, true, false or null) at column 12",
        ),
        (
            "userName eq gina",
            "expected a value (text in double quotes, a number, true, false or null) at column 13",
        ),
        ("userName eq\"gina\"", "expected a space at column 12"),
        (
            "userName eq \"gina",
            "the text has no closing double quote at column 13",
        ),
        (
            "userName eq \"\\x\"",
            "the text is not a valid JSON string at column 13",
        ),
        (
            "userName eq \"gina\" foo",
            "expected `and`, `or` or the end of the filter at column 20",
        ),
        ("  title pr and", "expected an attribute name at column 15"),
        ("(title pr", "expected `and`, `or` or a closing `)` at column 10"),
        ("emails[type pr", "expected `and`, `or` or a closing `]` at column 15"),
        ("not title pr", "expected `(` after `not` at column 5"),
        (
            "displayName eq \"é\" x",
            "expected `and`, `or` or the end of the filter at column 20",
        ),
        (
            "emails[phones[a pr]]",
            "a filter in `[ ]` cannot hold another `[ ]` at column 14",
        ),
        ("a.b.c pr", "only one sub-attribute can follow an attribute at column 3"),
        ("", "the filter is empty"),
    ] {
        assert_eq!(fault(text), expected, "{text}");
    }
}

#[test]
fn a_sub_attribute_behind_a_value_path_is_one_more_condition() {
    assert_eq!(
        parse("emails[type eq \"work\" or primary eq true].value co \"x\" and title pr").to_string(),
        "emails[(type eq \"work\" or primary eq true) and value co \"x\"] and title pr"
    );
    assert_eq!(
        parse("emails[type eq \"work\"].value pr"),
        parse("emails[type eq \"work\" and value pr]")
    );
}

#[test]
fn limits_hold_without_deep_recursion() {
    for (open, close) in [("(", ")"), ("not (", ")"), ("a[", "]")] {
        let text = format!("{}a pr{}", open.repeat(1000), close.repeat(1000));
        assert!(Filter::parse(&text).is_err());
    }
    let brackets = format!("{}a pr{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(
        fault(&brackets),
        format!("the filter is longer than {MAX_FILTER_LENGTH} bytes")
    );
    assert_eq!(
        fault(&"(".repeat(10_000)),
        format!("brackets are nested more than {MAX_FILTER_DEPTH} deep at column 51")
    );
    let deepest = format!("{}a pr{}", "(".repeat(MAX_FILTER_DEPTH), ")".repeat(MAX_FILTER_DEPTH));
    assert_eq!(parse(&deepest), parse("a pr"));
    let chain = |terms: usize| vec!["a pr"; terms].join(" or ");
    assert!(Filter::parse(&chain(MAX_FILTER_NODES - 1)).is_ok());
    assert_eq!(
        fault(&chain(MAX_FILTER_NODES)),
        format!("the filter has more than {MAX_FILTER_NODES} expressions")
    );
}

#[test]
fn a_filter_as_deep_as_allowed_can_be_printed_and_read() {
    let nested = |depth: usize| {
        let (open, close) = ("not (".repeat(depth), ")".repeat(depth));
        format!("{open}a[b pr or c pr].d pr{close}")
    };
    let deepest = parse(&nested(MAX_FILTER_DEPTH - 2));
    assert_eq!(deepest.depth(), MAX_FILTER_DEPTH);
    assert_eq!(parse(&deepest.to_string()), deepest);
    let detail = format!("brackets are nested more than {MAX_FILTER_DEPTH} deep");
    assert_eq!(fault(&nested(MAX_FILTER_DEPTH - 1)), detail);
}

fn path() -> impl Strategy<Value = AttrPath> {
    let urn = proptest::option::of("urn:[a-z]{1,5}(:[a-z0-9.]{1,8}){1,3}");
    let sub = proptest::option::of("[$A-Za-z][A-Za-z0-9_$-]{0,6}");
    (urn, "[$A-Za-z][A-Za-z0-9_$-]{0,6}", sub).prop_map(|(urn, name, sub)| AttrPath {
        urn,
        sub,
        ..AttrPath::plain(name)
    })
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Bool),
        any::<i64>().prop_map(|number| Literal::Number(number.into())),
        any::<f64>().prop_filter_map("finite", |number| serde_json::Number::from_f64(number)
            .map(Literal::Number)),
        any::<String>().prop_map(Literal::Text),
    ]
}

fn simple() -> impl Strategy<Value = Filter> {
    let op = proptest::sample::select(Op::ALL);
    prop_oneof![
        (path(), op, literal()).prop_map(|(path, op, value)| Filter::Compare { path, op, value }),
        path().prop_map(Filter::Present),
    ]
}

fn nested(leaf: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
            inner.prop_map(|part| Filter::Not(Box::new(part))),
        ]
    })
    .boxed()
}

fn filter() -> BoxedStrategy<Filter> {
    let within = (path(), nested(simple().boxed()));
    let value_path = within.prop_map(|(path, inner)| Filter::Some {
        path,
        filter: Box::new(inner),
    });
    nested(prop_oneof![3 => simple(), 1 => value_path].boxed())
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same_filter(filter in filter()) {
        let text = filter.to_string();
        prop_assert_eq!(Filter::parse(&text), Ok(filter), "{}", text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[a-z ()\\[\\]\"\\\\.:$0-9é]{0,60}") {
        if let Ok(filter) = Filter::parse(&text) {
            prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
        }
    }
}
